"""SageMaker's container images, each as a virtual environment locked to the package versions that the image holds."""

import argparse
import fcntl
import fnmatch
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
STAMP = "lock.sha256"


class ImageUnavailable(Exception):
    """The image is not one of images.toml's, or its environment could not be built."""


class BadImages(Exception):
    """A user's file of images is not what it should be."""


@dataclass(frozen=True)
class Image:
    """One [[image]] table; `lock` is relative to `folder`, where the table stands."""

    repository: str
    tag: str
    python: str
    lock: str
    folder: Path = HERE

    @property
    def name(self) -> str:
        """`repository-tag`, which is also the name of the environment's folder."""
        return f"{self.repository}-{self.tag}"

    @property
    def lock_file(self) -> Path:
        return self.folder / self.lock


@dataclass(frozen=True)
class Images:
    """What one file says: images, and (pattern of a URI, URI of the image that stands in for it)."""

    images: list[Image]
    maps: list[tuple[str, str]]


def read(file: Path) -> Images:
    """What `file` says; BadImages, naming the place, where it is not in the form of images.toml."""
    try:
        tables = tomllib.loads(file.read_text())
        images = [Image(**table, folder=file.resolve().parent) for table in tables.get("image", [])]
        maps = [(table["uri"], table["image"]) for table in tables.get("map", [])]
        unknown = sorted(tables.keys() - {"image", "map"})
    except KeyError as error:
        raise BadImages(f"{file}: a [[map]] needs {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise BadImages(f"{file}: {error}") from error
    tables_values = (value for table in [*tables.get("image", []), *tables.get("map", [])] for value in table.values())
    for value in tables_values:
        if not isinstance(value, str):
            raise BadImages(f'{file}: {value} has to be a string, "{value}"')
    if unknown:
        raise BadImages(f"{file}: there are [[image]] and [[map]], but no [[{unknown[0]}]]")
    for image in images:
        if not image.lock_file.exists():
            raise BadImages(f"{file}: the lock file {image.lock_file} of {image.name} does not exist")
    return Images(images, maps)


def available(own: Path | None = None) -> list[Image]:
    """Every image: the user's in `own`, then those of images.toml."""
    return [*(read(own).images if own else []), *read(HERE / "images.toml").images]


def named_by(uri: str, own: Path | None = None) -> Image:
    """The image that a URI such as 683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3
    names, by way of the maps of the user's file `own`; ImageUnavailable where there is none."""
    maps = read(own).maps if own else []
    mapped = next((image for pattern, image in maps if fnmatch.fnmatchcase(uri, pattern)), uri)
    repository, _, tag = mapped.rpartition("/")[2].partition(":")
    images = available(own)
    for image in images:
        if (image.repository, image.tag) == (repository, tag or "latest"):
            return image
    known = ", ".join(f"{image.repository}:{image.tag}" for image in images)
    raise ImageUnavailable(
        f"The image {mapped} is not available in local AWS, which has: {known}. To run it in one of these, or in an "
        f'environment of its own, start local AWS with --images FILE, where FILE holds [[map]] uri = "{uri}" '
        f'image = "{images[0].repository}:{images[0].tag}", or an [[image]] as infra/local_aws/sagemaker/images.toml '
        "has them."
    )


_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)")


def region(uri: str) -> str | None:
    """The region of the ECR registry that `uri` begins with; None where it begins with none."""
    found = _ECR.match(uri)
    return found["region"] if found else None


def repository_arn(uri: str) -> str | None:
    """The ARN of the ECR repository that `uri` leads to; None where it leads to none."""
    found = _ECR.match(uri)
    return f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}" if found else None


def environment(image: Image, environments_dir: Path, tell: Callable[[str], None] = lambda progress: None) -> Path:
    """The folder of `image`'s environment, built or brought up to date with its lock file where need be.

    How far that is goes to `tell` and to stderr.
    """
    folder = environments_dir / image.name
    stamp = folder / STAMP
    wanted = hashlib.sha256(image.lock_file.read_bytes()).hexdigest()
    environments_dir.mkdir(parents=True, exist_ok=True)
    with open(environments_dir / f"{image.name}.lock", "w") as one_builder:
        fcntl.flock(one_builder, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _build(image, folder, tell)
            stamp.write_text(wanted)
    return folder


def _build(image: Image, folder: Path, tell: Callable[[str], None]) -> None:
    def say(progress: str) -> None:
        print(progress, file=sys.stderr, flush=True)
        tell(progress)

    uv = _uv()
    say(f"installing {folder.name} from {image.lock_file.name}")
    if not (folder / "bin" / "python").exists():
        try:
            _run(say, uv, "venv", "--quiet", "--python", image.python, str(folder))
        except ImageUnavailable as error:
            raise ImageUnavailable(
                f"{image.name} needs Python {image.python}: install it (`uv python install {image.python}` does), then "
                f"start the job or the endpoint again. {error}"
            ) from error
    python = str(folder / "bin" / "python")
    _run(say, uv, "pip", "sync", "--compile-bytecode", "--python", python, str(image.lock_file))


def _uv() -> str:
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    try:
        from uv import find_uv_bin
    except ImportError:
        raise ImageUnavailable("uv is needed to build SageMaker images: put it on PATH, or `pip install uv`") from None
    return str(find_uv_bin())


def _run(say: Callable[[str], None], *command: str) -> None:
    """Run uv, and pass on what it says; ImageUnavailable, with the last of it, where it fails."""
    said: deque[str] = deque(maxlen=20)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            said.append(line.rstrip())
            if line.strip() and not line.startswith(" "):  # what is indented lists each package
                say(line.strip())
    if process.returncode:
        last = "\n".join(said).strip()[-2000:]
        raise ImageUnavailable(f"`{' '.join(command)}` ended with {process.returncode}: {last}")


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
