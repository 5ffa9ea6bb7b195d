"""The source archive a training job runs: sagemaker_scripts/<pipeline>, named by its content.

Whoever deploys uploads it (infra/deploy/sources.py); a run only finds it: Airflow's role can't change what is trained.
"""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from silverline.platform import Platform

ARCHIVE_NAME = "sourcedir.tar.gz"
# Beside this package, because MWAA carries nothing but the dags/ folder; in the repository it is a link.
SCRIPTS_FOLDER = Path(__file__).parents[1] / "sagemaker_scripts"


def archive(pipeline: str) -> bytes:
    """The scripts of `pipeline` as .tar.gz."""
    return gzip.compress(_tar(SCRIPTS_FOLDER / pipeline), mtime=0)


def key(pipeline: str) -> str:
    """Where the archive belongs in the artifacts bucket: another file or another letter in one is another key."""
    # Of the tar: the same files are compressed to other bytes by another zlib, MWAA's instead of a laptop's.
    digest = hashlib.sha256(_tar(SCRIPTS_FOLDER / pipeline)).hexdigest()
    return f"{pipeline}/source/{digest[:16]}/{ARCHIVE_NAME}"


def find(platform: Platform, pipeline: str) -> str:
    """The s3:// address of the pipeline's archive; FileNotFoundError where these very scripts were never deployed."""
    import boto3

    name = key(pipeline)
    listed = boto3.client("s3").list_objects_v2(Bucket=platform.artifacts_bucket, Prefix=name)
    if not listed["KeyCount"]:
        raise FileNotFoundError(
            f"sagemaker_scripts/{pipeline} is not in s3://{platform.artifacts_bucket} as it is here: "
            f"`make deploy ENV={platform.environment}` uploads it (`make run` does so too)"
        )
    return f"s3://{platform.artifacts_bucket}/{name}"


def _tar(folder: Path) -> bytes:
    """The files below `folder`, the same bytes for the same names and contents whoever packs them and when."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in name.parts):
                member, content = tarfile.TarInfo(name.as_posix()), path.read_bytes()
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
