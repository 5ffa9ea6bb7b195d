"""The AWS account that the user's own settings and credentials lead to."""

import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from deploy.plan import Refused


def region() -> dict[str, str]:
    """The user's AWS_REGION, which Terraform and the AWS CLI of today read, as the variable that boto3 does."""
    chosen = os.environ.get("AWS_REGION")
    return {"AWS_DEFAULT_REGION": chosen} if chosen else {}


def caller() -> Any:
    """Who the user's credentials say that he is; Refused where they are missing, wrong or out of date."""
    try:
        return boto3.client("sts").get_caller_identity()
    except NoRegionError as error:
        raise Refused("no AWS region is chosen: set AWS_REGION, or one in your AWS profile") from error
    except NoCredentialsError as error:
        raise Refused(
            "there are no AWS credentials: log in as for the AWS CLI (`aws configure`, `aws sso login`, AWS_PROFILE), "
            "or, for local AWS, set AWS_ENDPOINT_URL and any AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise Refused(f"AWS does not take your credentials: {error}") from error
