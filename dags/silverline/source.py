"""The source archive a training job runs: sagemaker_scripts/<pipeline>, named by its content."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import boto3

from silverline.platform import Platform

SCRIPTS_FOLDER = Path(__file__).parents[1] / "sagemaker_scripts"


def archive(folder: Path) -> bytes:
    """`folder` as .tar.gz, the same bytes for the same files whoever packs them and when."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                member = tarfile.TarInfo(str(path.relative_to(folder)))
                content = path.read_bytes()
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def upload(platform: Platform, pipeline: str) -> str:
    """The s3:// address of the pipeline's archive; uploaded only where these very files aren't there yet."""
    content = archive(SCRIPTS_FOLDER / pipeline)
    key = f"{pipeline}/source/{hashlib.sha256(content).hexdigest()[:16]}/sourcedir.tar.gz"
    s3 = boto3.client("s3")
    try:
        s3.head_object(Bucket=platform.artifacts_bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        s3.put_object(Bucket=platform.artifacts_bucket, Key=key, Body=content)
    return f"s3://{platform.artifacts_bucket}/{key}"
