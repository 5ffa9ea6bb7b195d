"""What the services need to know of the server they run in."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """`endpoint_url` is what job and model-server processes call back; `state_dir` holds everything written to disk;
    `environments_dir` holds the virtual environments that stand in for SageMaker's images, one folder each;
    `images_file` is the user's own list of images (see sagemaker/images.toml), if there is one."""

    endpoint_url: str
    state_dir: Path
    environments_dir: Path
    images_file: Path | None = None


_current: Config | None = None


def set_current(config: Config) -> None:
    """Make `config` the one of this process: moto's backends are process-wide singletons too."""
    global _current
    _current = config


def current() -> Config:
    """The running server's configuration; RuntimeError where none has been started."""
    if _current is None:
        raise RuntimeError("local AWS has not been started in this process: call local_aws.server.start() first")
    return _current
