"""The environment that is deployed to, as SSM describes it."""

import json
from typing import Any

import boto3
import jsonschema

from deploy import REPOSITORY, account
from deploy.plan import Change, Refused

SCHEMA = REPOSITORY / "infra" / "platform.schema.json"


def read(environment: str) -> dict[str, Any]:
    """The platform document of `environment`; Refused where there is none, or it is from another time."""
    name, ssm = f"/silverline/{environment}/platform", boto3.client("ssm")
    root = f"{environment} apply" if _is_aws(ssm) else f"local apply -var environment={environment}"
    lay = "make run" if environment == "local" else f"terraform -chdir=infra/terraform/examples/{root}"
    try:
        document: dict[str, Any] = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    except ssm.exceptions.ParameterNotFound:
        raise Refused(f"{where()} has no {name}, so there is no environment {environment} yet: `{lay}`") from None
    except (ValueError, jsonschema.ValidationError) as error:
        reason = getattr(error, "message", error)
        raise Refused(f"{name} is not as infra/platform.schema.json says ({reason}): `{lay}`") from None
    return document


def commit_change(environment: str, commit: str) -> list[Change]:
    """What records `commit` as the one that is deployed, unless it is: the Airflow variable `git_commit`."""
    name, ssm = f"/silverline/{environment}/git_commit", boto3.client("ssm")
    try:
        recorded = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        recorded = "nothing"
    if recorded == commit:
        return []
    return [
        Change(
            f"~ {name}: {recorded} -> {commit}",
            lambda: ssm.put_parameter(Name=name, Value=commit, Type="String", Overwrite=True),
        )
    ]


def where() -> str:
    """The account and region that the user's credentials lead to, and the endpoint where it is not AWS's own."""
    sts = boto3.client("sts")
    place = f"account {account.caller()['Account']}, {sts.meta.region_name}"
    return place if _is_aws(sts) else f"{place} at {sts.meta.endpoint_url}"


def _is_aws(client: Any) -> bool:
    return "amazonaws.com" in client.meta.endpoint_url
