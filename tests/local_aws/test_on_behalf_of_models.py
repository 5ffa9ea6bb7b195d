"""With --enforce-iam, models behind endpoints and in transform jobs do what their role may do, and fail as on AWS."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from roles import (
    ARN,
    BUCKET,
    Somebody,
    Statements,
    allow,
    by_s3,
    encrypted_bucket,
    not_allowed,
    of_any_container,
    role,
    without,
)
from sagemaker_requests import IMAGE, archive, eventually, settled

ECHO = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, content, content_type, accept):
        return content, accept
"""


@pytest.fixture(scope="module")
def key(enforced: object) -> str:
    """The ARN of the key that everything in the bucket is under."""
    model = archive({"code/inference.py": ECHO})
    return encrypted_bucket({"data/train.csv": b"UA,1\n", "models/model.tar.gz": model})


@pytest.fixture(scope="module")
def of_an_endpoint(key: str) -> Statements:
    """All that the role of a model behind an endpoint needs."""
    own = {"read": allow("s3:GetObject", f"{ARN}/models/*"), "decrypt": by_s3("Decrypt", key)}
    return {**of_any_container(), **own}


def create_model(name: str, role_arn: str) -> None:
    program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/model.tar.gz", "Environment": program}
    boto3.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=role_arn, PrimaryContainer=container)


def test_a_model_is_not_made_of_data_that_its_role_cannot_read(of_an_endpoint: Statements) -> None:
    arn = role("cannot-read-model", without(of_an_endpoint, "read"))
    with pytest.raises(ClientError) as refused:
        create_model("unreadable", arn)
    message = refused.value.response["Error"]["Message"]
    assert message.startswith(f"Could not access model data at s3://{BUCKET}/models/model.tar.gz. Please ensure that")
    assert f'the role "{arn}" exists' in message and 'the role has "s3:GetObject" permissions' in message


def test_a_models_role_has_to_trust_sagemaker(of_an_endpoint: Statements) -> None:
    arn = role("model-trusts-glue", of_an_endpoint, "glue.amazonaws.com")
    with pytest.raises(ClientError) as refused:
        create_model("untrusted", arn)
    assert refused.value.response["Error"]["Message"] == (
        f'The execution role ARN "{arn}" is invalid. Please ensure that the role exists and that its trust '
        'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com".'
    )


def test_an_endpoint_fails_without_a_permission_of_its_models_role(of_an_endpoint: Statements) -> None:
    sagemaker, iam = boto3.client("sagemaker"), boto3.client("iam")
    arns = {name: role(name, of_an_endpoint) for name in ("no-image", "no-data")}
    for name, missing in (("no-image", "pull"), ("no-data", "read")):
        create_model(name, arns[name])
        left = {"Version": "2012-10-17", "Statement": list(without(of_an_endpoint, missing).values())}
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(left))
        variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert settled(sagemaker, "no-image")["FailureReason"] == (
        f"The role '{arns['no-image']}' does not have BatchCheckLayerAvailability permission for the image: '{IMAGE}'."
    )
    assert settled(sagemaker, "no-data")["FailureReason"] == (
        f'Failed to download model data for container "container_1" from URL: "s3://{BUCKET}/models/model.tar.gz". '
        "Please ensure that there is an object located at the URL and that the role passed to CreateModel has "
        "permissions to download the object."
    )


def test_an_endpoint_needs_no_more_than_that_and_its_metrics_are_sagemakers_own(of_an_endpoint: Statements) -> None:
    sagemaker, cloudwatch = boto3.client("sagemaker"), boto3.client("cloudwatch")
    create_model("echo", role("echo", of_an_endpoint))
    variant = {"VariantName": "v", "ModelName": "echo", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    capture = {  # which the role has no leave to write
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    sagemaker.create_endpoint_config(EndpointConfigName="echo", ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint(EndpointName="echo", EndpointConfigName="echo")
    assert settled(sagemaker, "echo")["EndpointStatus"] == "InService"
    asks = Somebody(role("asks", {"ask": allow("sagemaker:InvokeEndpoint", "*")})).client("sagemaker-runtime")
    for _ in range(2):
        assert asks.invoke_endpoint(EndpointName="echo", Body=b"1", ContentType="text/csv")["Body"].read() == b"1"
    eventually(lambda: cloudwatch.list_metrics(Namespace="AWS/SageMaker", MetricName="Invocations")["Metrics"], bool)
    sagemaker.delete_endpoint(EndpointName="echo")


def test_a_transform_job_writes_as_its_models_role(of_an_endpoint: Statements) -> None:
    sagemaker = boto3.client("sagemaker")
    data = {"find": allow("s3:ListBucket", ARN), "data": allow("s3:GetObject", f"{ARN}/data/*")}
    create_model("reads", role("reads", {**of_an_endpoint, **data}))
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}}
    sagemaker.create_transform_job(
        TransformJobName="reads",
        ModelName="reads",
        TransformInput={"DataSource": source, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/transformed"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = eventually(
        lambda: sagemaker.describe_transform_job(TransformJobName="reads"),
        lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )
    assert job["FailureReason"].startswith(
        "ClientError: Artifact upload failed:Unable to upload object s3://on-behalf/transformed/train.csv.out "
        f"(AccessDenied: {not_allowed('reads/SageMaker', 's3:PutObject', f'{ARN}/transformed/train.csv.out')}"
    )


def test_an_endpoint_uses_a_volumes_key_by_leave_of_whoever_makes_it(of_an_endpoint: Statements, key: str) -> None:
    sagemaker = boto3.client("sagemaker")
    create_model("on-a-disk", role("on-a-disk", of_an_endpoint))
    variant = {"VariantName": "v", "ModelName": "on-a-disk", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="on-a-disk", ProductionVariants=[variant], KmsKeyId=key)
    maker = Somebody(role("endpoint-maker", {"make": allow("sagemaker:CreateEndpoint", "*")})).client("sagemaker")
    with pytest.raises(ClientError, match="endpoint-maker/somebody is not authorized to perform: kms:CreateGrant on"):
        maker.create_endpoint(EndpointName="on-a-disk", EndpointConfigName="on-a-disk")


def test_a_model_package_is_made_of_data_that_its_maker_can_read(of_an_endpoint: Statements) -> None:
    makes = {"make": allow("sagemaker:CreateModelPackage", "*")}
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/model.tar.gz"}
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    request = {"ModelPackageName": "package", "InferenceSpecification": {"Containers": [container], **types}}
    blind, reader = Somebody(role("blind", makes)), Somebody(role("registrar", {**makes, **of_an_endpoint}))
    with pytest.raises(ClientError, match="blind/somebody is not authorized to perform: s3:GetObject"):
        blind.client("sagemaker").create_model_package(**request)
    reader.client("sagemaker").create_model_package(**request)
