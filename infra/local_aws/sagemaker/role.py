"""What a SageMaker execution role gives a job or a model server: temporary credentials, and clients that use them."""

from dataclasses import dataclass, field
from typing import Any

import boto3


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of a role in a region, for the AWS at `endpoint_url`."""

    region: str
    endpoint_url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the role."""
        session: Any = boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
            region_name=self.region,
        )
        return session.client(service, endpoint_url=self.endpoint_url)

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
