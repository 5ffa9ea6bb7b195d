"""The source archives of sagemaker_scripts/, which training jobs download from the artifacts bucket."""

from functools import partial

import boto3

from deploy.plan import Change
from silverline import source


def changes(bucket: str) -> list[Change]:
    """An upload for each pipeline whose scripts, as they are here, the bucket lacks; nothing is ever overwritten."""
    s3 = boto3.client("s3")
    lacking = []
    for folder in sorted(path for path in source.SCRIPTS_FOLDER.iterdir() if path.is_dir()):
        key = source.key(folder.name)
        if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
            upload = partial(s3.put_object, Bucket=bucket, Key=key, Body=source.archive(folder.name))
            lacking.append(Change(f"+ s3://{bucket}/{key}", upload))
    return lacking
