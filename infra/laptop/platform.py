"""Lays on local AWS what Terraform lays on AWS, and writes the same platform document."""

import json
from typing import Any

import boto3
import jsonschema

from deploy.platform import SCHEMA
from laptop import alarms, bronze, dashboard, log_metrics
from laptop.settings import ENVIRONMENT, REGION, REPOSITORY

# https://docs.aws.amazon.com/sagemaker/latest/dg/pre-built-docker-containers-scikit-learn-spark.html (us-east-1)
IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
BUCKETS = ("bronze", "silver", "gold", "artifacts")
DATABASES = ("bronze", "silver", "gold")


def apply(pipeline: str = "") -> dict[str, Any]:
    """Create what is missing and write the document to SSM; run again, it changes nothing else. `pipeline` is about to
    run: it is on the dashboard, as are those that have a model."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    prefix = f"silverline-{ENVIRONMENT}"
    document: dict[str, Any] = {
        "environment": ENVIRONMENT,
        **{f"{layer}_bucket": f"{prefix}-{layer}-{account}" for layer in BUCKETS},
        "kms_key_arn": _key(f"alias/{prefix}"),
        **{f"{layer}_database": f"silverline_{ENVIRONMENT}_{layer}" for layer in DATABASES},
        "athena_workgroup": prefix,
        "airflow_role_arn": _role(f"{prefix}-airflow", {"AWS": f"arn:aws:iam::{account}:root"}),
        **{
            f"sagemaker_{part}_role_arn": _role(f"{prefix}-sagemaker-{part}", {"Service": "sagemaker.amazonaws.com"})
            for part in ("jobs", "endpoint")
        },
        "sagemaker_image": IMAGE,
        "model_package_groups": {
            pipeline: _model_package_group(f"{prefix}-{pipeline.replace('_', '-')}") for pipeline in _pipelines()
        },
        "endpoint_alarms": {
            pipeline: alarms.create_or_update(prefix, pipeline.replace("_", "-")) for pipeline in _pipelines()
        },
        "canary_seconds": alarms.CANARY_SECONDS,
        "alarm_topic_arn": boto3.client("sns").create_topic(Name=f"{prefix}-alarms")["TopicArn"],
        "log_group": log_metrics.create_log_group(boto3.client("logs"), f"/silverline/{ENVIRONMENT}/pipelines"),
    }
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    for layer in BUCKETS:
        _bucket(document[f"{layer}_bucket"], document["kms_key_arn"])
    versioning: Any = {"Status": "Enabled"}
    boto3.client("s3").put_bucket_versioning(Bucket=document["bronze_bucket"], VersioningConfiguration=versioning)
    for layer in DATABASES:
        _database(document[f"{layer}_database"])
    for name, table in bronze.tables().items():
        bronze.create_or_update(name, table, document["bronze_database"], document["bronze_bucket"])
    _workgroup(
        document["athena_workgroup"], document["kms_key_arn"], f"s3://{document['artifacts_bucket']}/athena-results/"
    )
    log_metrics.create_or_update(ENVIRONMENT, _pipelines())
    watched = {name: alarms.watch(prefix, ENVIRONMENT, name) for name in _pipelines()}
    ran = {name for name, group in document["model_package_groups"].items() if name == pipeline or _has_model(group)}
    shown = [alarm for name in sorted(ran) for alarm in (*document["endpoint_alarms"][name], *watched[name])]
    dashboard.put(ENVIRONMENT, ran, shown)
    parameter = f"/silverline/{ENVIRONMENT}/platform"
    boto3.client("ssm").put_parameter(Name=parameter, Value=json.dumps(document), Type="String", Overwrite=True)
    return document


def _pipelines() -> list[str]:
    return sorted(split.parents[1].name for split in (REPOSITORY / "glue_like_sql").glob("*/splits/split.sql"))


def _key(alias: str) -> str:
    kms = boto3.client("kms")
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
    except kms.exceptions.NotFoundException:
        key = kms.create_key(Description=f"What the platform of {ENVIRONMENT} is encrypted with")["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
        return str(key["Arn"])


def _role(name: str, principal: dict[str, str]) -> str:
    iam = boto3.client("iam")
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])


def _model_package_group(name: str) -> str:
    sagemaker = boto3.client("sagemaker")
    known = sagemaker.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    if name not in [group["ModelPackageGroupName"] for group in known]:
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def _has_model(group: str) -> bool:
    return bool(boto3.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"])


def _bucket(name: str, key: str) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules: Any = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def _database(name: str) -> None:
    glue = boto3.client("glue")
    try:
        glue.create_database(DatabaseInput={"Name": name})
    except glue.exceptions.AlreadyExistsException:
        pass  # it is there from an earlier start, as it should be


def _workgroup(name: str, key: str, results: str) -> None:
    athena = boto3.client("athena")
    encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": key}
    result: Any = {"OutputLocation": results, "EncryptionConfiguration": encryption}
    enforced: Any = {"EnforceWorkGroupConfiguration": True, "PublishCloudWatchMetricsEnabled": True}
    if name in [group["Name"] for group in athena.list_work_groups()["WorkGroups"]]:
        updates = enforced | {"ResultConfigurationUpdates": result}
        athena.update_work_group(WorkGroup=name, ConfigurationUpdates=updates)
    else:
        athena.create_work_group(Name=name, Configuration=enforced | {"ResultConfiguration": result})
