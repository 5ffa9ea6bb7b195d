"""boto3 clients that talk to this very server as the account's root user."""

import os
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from local_aws import config
from local_aws.console import KEY_ID

ENDPOINT_SECONDS = 70  # SageMaker gives a model 60
_one_at_a_time = threading.Lock()  # botocore's sessions make one client at a time


def region() -> str:
    """The region whose things are shown: that of the environment in which the server was started."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def client(service: str, of_region: str | None = None) -> Any:
    """The client of a service, in the pages' own region or another."""
    with _one_at_a_time:
        return _client(service, of_region or region(), config.current().endpoint_url)


@cache
def _session() -> Any:
    return boto3.Session()


@cache
def _client(service: str, of_region: str, endpoint_url: str) -> Any:
    return _session().client(
        service,
        region_name=of_region,
        endpoint_url=endpoint_url,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=KEY_ID,
        config=Config(user_agent="local_aws-console", read_timeout=ENDPOINT_SECONDS, retries={"total_max_attempts": 1}),
    )
