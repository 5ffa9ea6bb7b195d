"""The source archives of sagemaker_scripts/, which training jobs download from the artifacts bucket."""

from functools import partial

from deploy import objects
from deploy.plan import Change
from silverline import source


def changes(bucket: str) -> list[Change]:
    """An upload for each pipeline whose scripts, as they are here, the bucket lacks; nothing is ever overwritten."""
    pipelines = sorted(folder.name for folder in source.SCRIPTS_FOLDER.iterdir() if (folder / "train.py").exists())
    return [
        objects.upload(bucket, source.key(pipeline), partial(source.archive, pipeline), there={})
        for pipeline in pipelines
        if not objects.head(bucket, source.key(pipeline))
    ]
