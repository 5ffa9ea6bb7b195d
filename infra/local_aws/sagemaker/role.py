"""What a SageMaker execution role gives a job or a model server: temporary credentials, and clients that use them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from local_aws.sagemaker.images import ImageUnavailable, repository_arn

# What AWS's page of SageMaker's execution roles says that a role needs for its image, AWS's own images too:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
PULL = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")


_one_at_a_time = threading.Lock()  # botocore's sessions make one client at a time


@cache
def _session() -> Any:
    """What makes all clients: it has botocore's models in memory, which are longer in reading than many a job takes."""
    return boto3.Session()


def service_client(service: str, region: str, endpoint_url: str) -> Any:
    """A boto3 client for what SageMaker does by itself, and needs nobody's leave for."""
    return _client(service, region, endpoint_url, "sagemaker", "sagemaker")


def _client(service: str, region: str, endpoint_url: str, key_id: str, secret: str, token: str | None = None) -> Any:
    with _one_at_a_time:
        return _session().client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(user_agent="sagemaker.amazonaws.com"),
        )


class NotAllowed(Exception):
    """The role's policies don't allow what is to be done with it; the text is IAM's."""


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of a role in a region, for the AWS at `endpoint_url`.

    `require(action, resource, conditions)` raises NotAllowed, for what SageMaker does with the role and no request.
    """

    arn: str
    region: str
    endpoint_url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    require: Callable[..., None] = field(repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the role."""
        keys = (self.access_key_id, self.secret_access_key, self.session_token)
        return _client(service, self.region, self.endpoint_url, *keys)

    def service_client(self, service: str) -> Any:
        """A boto3 client for what SageMaker does by itself."""
        return service_client(service, self.region, self.endpoint_url)

    def check_pull(self, image_uri: str) -> None:
        """ImageUnavailable unless the role may pull the image from ECR."""
        repository = repository_arn(image_uri)
        if repository is None:
            return
        needed = [("GetAuthorizationToken", "*"), *((action, repository) for action in PULL)]
        for action, resource in needed:
            try:
                self.require(f"ecr:{action}", resource)
            except NotAllowed as error:
                raise ImageUnavailable(
                    f"The role '{self.arn}' does not have {action} permission for the image: '{image_uri}'."
                ) from error

    def variables(self, credentials: bool = True) -> dict[str, str]:
        """The environment variables that make a container's AWS calls the role's."""
        keys = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **(keys if credentials else {}),
        }
