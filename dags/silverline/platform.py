"""The platform document: where the buckets, databases and roles are that a run works with."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Platform:
    """The members of `/silverline/<environment>/platform` (infra/platform.schema.json) that pipelines read; those with
    a default an environment may lack."""

    environment: str
    bronze_bucket: str
    silver_bucket: str
    gold_bucket: str
    artifacts_bucket: str
    kms_key_arn: str
    bronze_database: str
    silver_database: str
    gold_database: str
    athena_workgroup: str
    airflow_role_arn: str
    sagemaker_jobs_role_arn: str
    sagemaker_endpoint_role_arn: str
    sagemaker_image: str
    model_package_groups: Mapping[str, str]
    endpoint_alarms: Mapping[str, Sequence[str]]
    canary_seconds: int
    alarm_topic_arn: str
    log_group: str
    mlflow_tracking_uri: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Platform":
        """The platform that `document` describes; KeyError naming every member it lacks."""
        names = {field.name: field.default is MISSING for field in fields(cls)}
        if missing := [name for name, is_required in names.items() if is_required and name not in document]:
            raise KeyError(f"the platform document lacks {', '.join(missing)}: apply infra/terraform or run `make run`")
        return cls(**{name: document[name] for name in names if name in document})

    def database(self, layer: str) -> str:
        """The Glue database of bronze, silver or gold."""
        return str(getattr(self, f"{layer}_database"))

    def bucket(self, layer: str) -> str:
        """The bucket of bronze, silver or gold."""
        return str(getattr(self, f"{layer}_bucket"))


@cache
def platform() -> Platform:
    """The platform of the Airflow variable `platform`; call it while a task runs, never while a DAG file is parsed.

    Read once a process, which a task has for itself: each look goes to SSM with a client of its own.
    """
    from airflow.sdk import Variable

    return Platform.from_document(Variable.get("platform", deserialize_json=True))
