"""What a request names and has to be there: images, objects and buckets; AWS's ValidationException where it isn't."""

from collections.abc import Container, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from local_aws import config
from local_aws.sagemaker import data, images
from local_aws.sagemaker.exceptions import ValidationError


def training_image(uri: str, region: str) -> images.Image:
    """The image that a training job in `region` is to run in."""
    other = _other_region(uri, region)
    if other:
        suffix = "amazonaws.com"
        raise ValidationError(
            f"Invalid DNS suffix '{suffix}' for region '{other}' in training image. "
            f"Please provide the valid <region>.<dns-suffix>: '{region}.{suffix}'"
        )
    return _image(uri)


def image(uri: str, region: str) -> images.Image:
    """The image that a model is to be served by, or data are to be processed by, in `region`."""
    if _other_region(uri, region):
        raise ValidationError(
            f'Region of "{uri}" does not match expected region of {region}. '
            "Cross region ECR image pulls are not allowed."
        )
    return _image(uri)


def check_containers(s3: Any, containers: Sequence[Mapping[str, Any]], role: str, region: str) -> None:
    """ValidationException unless each container's image is there, and the model data it names, for `role` to read."""
    for container in containers:
        image(container.get("Image", ""), region)
        if container.get("ModelDataUrl"):
            _check_model_data(s3, container["ModelDataUrl"], role, region)


def _check_model_data(s3: Any, uri: str, role: str, region: str) -> None:
    bucket, key = _bucket_and_key(uri)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            raise ValidationError(f"Could not find model data at {uri}.") from error
        raise ValidationError(
            f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object '
            f"is located in {region}. If your Model uses multiple models or uncompressed models, please ensure that "
            'the role has "s3:ListBucket" permission.'
        ) from error


def check_input(s3: Any, uri: str, role: str, region: str) -> None:
    """ValidationException unless a channel's `uri` leads to at least one object, for `role` to list."""
    bucket, _ = _bucket_and_key(uri)
    said = ""
    try:
        if data.exists(s3, uri):
            return
    except ClientError as error:
        said = f" Error message from S3: {error.response['Error'].get('Message')}"
    raise ValidationError(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
        f"exists in the selected region ({region}), that objects exist under that S3 prefix, and "
        f'that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".{said}'
    )


def check_output(buckets: Container[str], uri: str, member: str = "S3OutputPath") -> None:
    """ValidationException unless the bucket that a job's output is to go to, as `member` says, is one of `buckets`."""
    if _bucket_and_key(uri)[0] not in buckets:
        raise ValidationError(f'Invalid {member} "{uri}": the S3 bucket does not exist.')


def _bucket_and_key(uri: str) -> tuple[str, str]:
    try:
        return data.bucket_and_key(uri)
    except data.DataError as error:
        raise ValidationError(str(error)) from error


def _other_region(uri: str, region: str) -> str | None:
    named = images.region(uri)
    return named if named not in (None, region) else None


def _image(uri: str) -> images.Image:
    try:
        return images.named_by(uri, config.current().images_file)
    except images.ImageUnavailable as error:
        raise ValidationError(str(error)) from error
