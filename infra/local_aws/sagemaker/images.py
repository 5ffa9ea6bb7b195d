"""SageMaker's container images, each as a virtual environment locked to the package versions that the image holds."""

import argparse
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
STAMP = "lock.sha256"


class ImageUnavailable(Exception):
    """The image is not one of images.toml's, or its environment could not be built."""


@dataclass(frozen=True)
class Image:
    """One table of images.toml."""

    repository: str
    tag: str
    python: str
    lock: str

    @property
    def name(self) -> str:
        """`repository-tag`, which is also the name of the environment's folder."""
        return f"{self.repository}-{self.tag}"

    @property
    def lock_file(self) -> Path:
        return HERE / self.lock


def available() -> list[Image]:
    """Every image of images.toml."""
    return [Image(**table) for table in tomllib.loads((HERE / "images.toml").read_text())["image"]]


def named_by(uri: str) -> Image:
    """The image that a URI such as 683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3
    names; ImageUnavailable where there is none."""
    repository, _, tag = uri.rpartition("/")[2].partition(":")
    for image in available():
        if (image.repository, image.tag) == (repository, tag):
            return image
    known = ", ".join(f"{image.repository}:{image.tag}" for image in available())
    raise ImageUnavailable(
        f"The image {uri} is not available in local AWS, which has: {known}. "
        "To add one, see infra/local_aws/sagemaker/images.toml."
    )


def region(uri: str) -> str | None:
    """The region of the ECR registry that `uri` begins with; None where it begins with none."""
    registry = re.match(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/", uri)
    return registry[1] if registry else None


def environment(image: Image, environments_dir: Path) -> Path:
    """The folder of `image`'s environment, built or brought up to date with its lock file where need be."""
    folder = environments_dir / image.name
    stamp = folder / STAMP
    wanted = hashlib.sha256(image.lock_file.read_bytes()).hexdigest()
    environments_dir.mkdir(parents=True, exist_ok=True)
    with open(environments_dir / f"{image.name}.lock", "w") as one_builder:
        fcntl.flock(one_builder, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _build(image, folder)
            stamp.write_text(wanted)
    return folder


def _build(image: Image, folder: Path) -> None:
    uv = _uv()
    print(f"installing {folder.name} from {image.lock_file.name}", file=sys.stderr, flush=True)
    if not (folder / "bin" / "python").exists():
        _run(uv, "venv", "--quiet", "--python", image.python, str(folder))
    _run(
        *(uv, "pip", "sync", "--quiet", "--compile-bytecode"),
        *("--python", str(folder / "bin" / "python"), str(image.lock_file)),
    )


def _uv() -> str:
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    try:
        from uv import find_uv_bin
    except ImportError:
        raise ImageUnavailable("uv is needed to build SageMaker images: put it on PATH, or `pip install uv`") from None
    return str(find_uv_bin())


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ImageUnavailable(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def main() -> int:
    """Build the environment of the image named on the command line; exit code 1, and why, where that fails."""
    parser = argparse.ArgumentParser(prog="local_aws.sagemaker.images", description=__doc__)
    by_name = {image.name: image for image in available()}
    parser.add_argument("name", choices=sorted(by_name))
    parser.add_argument("--environments-dir", type=Path, default=HERE.parents[2] / ".envs")
    arguments = parser.parse_args()
    try:
        print(environment(by_name[arguments.name], arguments.environments_dir))
    except ImageUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
