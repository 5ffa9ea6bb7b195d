"""With --enforce-iam, services do for somebody only what that one may do, and fail as on AWS: jobs and endpoints by
their role's policies, queries by their caller's, objects under a key by whoever asks for them."""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from own_server import serve
from roles import ACCOUNT, Somebody, Statements, allow, role, without
from sagemaker_requests import IMAGE, archive, channel, eventually, finished, settled

BUCKET, BRONZE = "on-behalf", "on-behalf-bronze"
ARN = f"arn:aws:s3:::{BUCKET}"
REPOSITORY = "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn"
GLUE = f"arn:aws:glue:us-east-1:{ACCOUNT}"
ECHO = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, content, content_type, accept):
        return content, accept
"""
NOT_ALLOWED = "because no identity-based policy allows the"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A local AWS that judges calls; this process's AWS clients are its account's root user."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        process, url = serve(tmp_path_factory.mktemp("on-behalf") / "server.log", "--enforce-iam")
        patch.setenv("AWS_ENDPOINT_URL", url)
        yield
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def key(server: None) -> str:
    """The ARN of the key that everything in the bucket is under."""
    s3, kms = boto3.client("s3"), boto3.client("kms")
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    for bucket in (BUCKET, BRONZE):
        s3.create_bucket(Bucket=bucket)
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    for name in ("data/train.csv", "flights/a.csv"):
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"UA,1\n")
    s3.put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=archive({"code/inference.py": ECHO}))
    s3.put_object(Bucket=BRONZE, Key="raw.csv", Body=b"raw")
    return arn


def by_s3(action: str, key: str) -> dict[str, Any]:
    """Leave to use the key for the bucket's objects, and for nothing else."""
    used = {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": ARN}
    return allow(f"kms:{action}", key, StringEquals=used)


@pytest.fixture(scope="module")
def of_a_job(key: str) -> Statements:
    """All that a job's role needs."""
    return {
        "find": allow("s3:ListBucket", ARN, StringLike={"s3:prefix": "data/*"}),
        "read": allow("s3:GetObject", f"{ARN}/data/*"),
        "write": allow("s3:PutObject", f"{ARN}/models/*"),
        "decrypt": by_s3("Decrypt", key),
        "encrypt": by_s3("GenerateDataKey", key),
        "log in to ECR": allow("ecr:GetAuthorizationToken", "*"),
        "pull": allow([f"ecr:{action}" for action in ("BatchCheckLayerAvailability", "BatchGetImage")], REPOSITORY),
        "layers": allow("ecr:GetDownloadUrlForLayer", REPOSITORY),
        "log": allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"),
        "measure": allow(
            "cloudwatch:PutMetricData", "*", StringEquals={"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
        ),
    }


def training(name: str, role_arn: str, script: str = "cat data/train/train.csv > model/copy") -> dict[str, Any]:
    """A CreateTrainingJob request that runs `script` in /opt/ml/input."""
    command = f"cd /opt/ml; ln -s input/data data; {script}; echo 'loss=1;'"
    return {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-ec"],
            "ContainerArguments": [command],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*);"}],
        },
        "InputDataConfig": [channel("train", f"s3://{BUCKET}/data/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def failed(role_name: str, action: str, resource: str) -> str:
    """What IAM says of a session that SageMaker has of the role."""
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_name}/SageMaker"
    named = f'"{resource}"' if action.startswith("s3:") else resource
    return f"User: {who} is not authorized to perform: {action} on resource: {named} {NOT_ALLOWED} {action} action"


JOBS = {
    "read": "ClientError: Data download failed:Unable to download object s3://on-behalf/data/train.csv (AccessDenied: "
    + failed("job-read", "s3:GetObject", f"{ARN}/data/train.csv"),
    "write": "ClientError: Artifact upload failed:Unable to upload object "
    "s3://on-behalf/models/job-write/output/model.tar.gz (AccessDenied: "
    + failed("job-write", "s3:PutObject", f"{ARN}/models/job-write/output/model.tar.gz"),
    "decrypt": "ClientError: Data download failed:Unable to download object s3://on-behalf/data/train.csv "
    f"(AccessDenied: User: arn:aws:sts::{ACCOUNT}:assumed-role/job-decrypt/SageMaker is not authorized to perform: "
    "kms:Decrypt on resource: ",
    "encrypt": "ClientError: Artifact upload failed:Unable to upload object "
    "s3://on-behalf/models/job-encrypt/output/model.tar.gz (AccessDenied: User: "
    f"arn:aws:sts::{ACCOUNT}:assumed-role/job-encrypt/SageMaker is not authorized to perform: kms:GenerateDataKey",
    "log in to ECR": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-log-in-to-ECR' does not have GetAuthorizationToken permission for the image: "
    f"'{IMAGE}'.",
    "pull": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-pull' does not have BatchCheckLayerAvailability permission for the image: "
    f"'{IMAGE}'.",
    "layers": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-layers' does not have GetDownloadUrlForLayer permission for the image: "
    f"'{IMAGE}'.",
}


@pytest.fixture(scope="module")
def started(of_a_job: Statements) -> None:
    """A job for each statement that its role has not."""
    for missing in (*JOBS, "log", "measure"):
        name = f"job-{missing.replace(' ', '-')}"
        boto3.client("sagemaker").create_training_job(**training(name, role(name, without(of_a_job, missing))))


@pytest.mark.parametrize("missing", JOBS)
def test_a_job_fails_without_a_permission_of_its_role(started: None, missing: str) -> None:
    job = finished(boto3.client("sagemaker"), f"job-{missing.replace(' ', '-')}")
    assert job["FailureReason"].startswith(JOBS[missing])


def test_a_job_goes_on_where_its_role_may_not_log(started: None) -> None:
    assert finished(boto3.client("sagemaker"), "job-log")["TrainingJobStatus"] == "Completed"
    streams = boto3.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    assert not any(name.startswith("job-log/") for name in names) and any("job-write/" in name for name in names)


def test_a_job_goes_on_where_its_role_may_not_measure(started: None) -> None:
    job = finished(boto3.client("sagemaker"), "job-measure")
    assert job["TrainingJobStatus"] == "Completed"
    found = boto3.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]
    jobs = {dimension["Value"] for metric in found for dimension in metric["Dimensions"]}
    assert "job-measure" not in jobs and "job-log" in jobs


def test_a_job_is_not_made_without_input_that_its_role_can_list(of_a_job: Statements) -> None:
    arn = role("cannot-list", without(of_a_job, "find"))
    with pytest.raises(ClientError) as refused:
        boto3.client("sagemaker").create_training_job(**training("cannot-list", arn))
    message = refused.value.response["Error"]["Message"]
    assert message.startswith(f'No S3 objects found under S3 URL "s3://{BUCKET}/data/" given in input data source.')
    assert message.endswith(
        f'the role "{arn}" has "s3:ListBucket" permissions on bucket "{BUCKET}". Error message from S3: '
        + failed("cannot-list", "s3:ListBucket", ARN)
    )


def test_a_role_has_to_trust_sagemaker(of_a_job: Statements) -> None:
    arn = role("trusts-glue", of_a_job, "glue.amazonaws.com")
    with pytest.raises(ClientError) as refused:
        boto3.client("sagemaker").create_training_job(**training("untrusted", arn))
    assert refused.value.response["Error"]["Message"] == (
        f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def test_a_jobs_own_calls_are_its_roles(of_a_job: Statements) -> None:
    script = f"python -c \"import boto3; boto3.client('s3').put_object(Bucket='{BRONZE}', Key='k', Body=b'')\""
    boto3.client("sagemaker").create_training_job(**training("own-calls", role("own-calls", of_a_job), script))
    reason = finished(boto3.client("sagemaker"), "own-calls")["FailureReason"]
    assert failed("own-calls", "s3:PutObject", f"arn:aws:s3:::{BRONZE}/k") in reason


def test_a_job_uses_a_volumes_key_by_leave_of_its_role_or_of_whoever_makes_it(of_a_job: Statements, key: str) -> None:
    grant = allow("kms:CreateGrant", key, Bool={"kms:GrantIsForAWSResource": "true"})
    pass_role = allow(["iam:PassRole", "sagemaker:CreateTrainingJob"], "*")
    without_it, with_it = role("no-grant", of_a_job), role("grants", {**of_a_job, "grant": grant})
    request = training("own-disk", without_it)
    request["ResourceConfig"]["VolumeKmsKeyId"] = key
    makers = [
        Somebody(role("maker", {"make": pass_role})),
        Somebody(role("granting-maker", {"make": pass_role, "grant": grant})),
    ]
    with pytest.raises(ClientError, match=r"maker/somebody is not authorized to perform: kms:CreateGrant on resource"):
        makers[0].client("sagemaker").create_training_job(**request)
    makers[1].client("sagemaker").create_training_job(**request)
    makers[0].client("sagemaker").create_training_job(**{**request, "TrainingJobName": "own", "RoleArn": with_it})
    for name in ("own-disk", "own"):
        job = finished(boto3.client("sagemaker"), name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_processing_reads_and_writes_as_its_role(of_a_job: Statements) -> None:
    sagemaker = boto3.client("sagemaker")
    given = {"S3Uri": f"s3://{BUCKET}/data/", "S3DataType": "S3Prefix", "LocalPath": "/opt/ml/processing/in"}
    made = {"S3Uri": f"s3://{BUCKET}/models/", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    command = ["/bin/bash", "-ec", "cp /opt/ml/processing/in/* /opt/ml/processing/out"]
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for missing in ("find", "write"):
        sagemaker.create_processing_job(
            ProcessingJobName=f"cannot-{missing}",
            RoleArn=role(f"cannot-{missing}", without(of_a_job, missing)),
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": command},
            ProcessingInputs=[{"InputName": "in", "S3Input": {**given, "S3InputMode": "File"}}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": made}]},
            ProcessingResources={"ClusterConfig": cluster},
        )
    reasons = [ended(sagemaker, f"cannot-{missing}")["FailureReason"] for missing in ("find", "write")]
    assert reasons[0].startswith(
        "ClientError: Data download failed:Failed to download data. ListObjectsV2 failed for s3://on-behalf/data/: "
        f"(AccessDenied: {failed('cannot-find', 's3:ListBucket', ARN)}"
    )
    assert reasons[1].startswith(
        "ClientError: Artifact upload failed:Unable to upload object s3://on-behalf/models/train.csv (AccessDenied: "
        + failed("cannot-write", "s3:PutObject", f"{ARN}/models/train.csv")
    )


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    """DescribeProcessingJob's answer once the job has ended."""
    return eventually(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )


# Models and endpoints


@pytest.fixture(scope="module")
def of_an_endpoint(of_a_job: Statements, key: str) -> Statements:
    """All that the role of a model behind an endpoint needs."""
    own = {"read": allow("s3:GetObject", f"{ARN}/models/*"), "decrypt": by_s3("Decrypt", key)}
    return {name: of_a_job[name] for name in ("log in to ECR", "pull", "layers", "log")} | own


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


def test_a_transform_job_writes_as_its_models_role(of_an_endpoint: Statements, of_a_job: Statements) -> None:
    sagemaker = boto3.client("sagemaker")
    create_model("reads", role("reads", {**of_an_endpoint, "data": of_a_job["read"], "find": of_a_job["find"]}))
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
        f"(AccessDenied: {failed('reads', 's3:PutObject', f'{ARN}/transformed/train.csv.out')}"
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


# Queries


@pytest.fixture(scope="module")
def of_an_analyst(key: str) -> Statements:
    """All that it takes to query the table flights, to change it, and to read the results."""
    lake = [f"{GLUE}:catalog", f"{GLUE}:database/lake"]
    return {
        "query": allow("athena:*", "*"),
        "default": allow("glue:GetDatabase", f"{GLUE}:catalog", f"{GLUE}:database/default"),
        "database": allow("glue:GetDatabase", *lake),
        "table": allow("glue:GetTable", *lake, f"{GLUE}:table/lake/flights"),
        "partitions": allow("glue:GetPartitions", *lake, f"{GLUE}:table/lake/flights"),
        "drop": allow("glue:DeletePartition", *lake, f"{GLUE}:table/lake/flights"),
        "find": allow("s3:ListBucket", ARN, StringLike={"s3:prefix": "flights/*"}),
        "read": allow("s3:GetObject", f"{ARN}/flights/*"),
        "results": allow("s3:GetObject", f"{ARN}/results/*"),
        "locate": allow("s3:GetBucketLocation", ARN),
        "write": allow("s3:PutObject", f"{ARN}/results/*"),
        "decrypt": by_s3("Decrypt", key),
        "encrypt": by_s3("GenerateDataKey", key),
    }


@pytest.fixture(scope="module")
def flights(key: str) -> None:
    """The table, with a partition of one row, which root has queried before anybody else."""
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}
    storage = {
        "Columns": [{"Name": "carrier", "Type": "string"}, {"Name": "delay", "Type": "string"}],
        "Location": f"s3://{BUCKET}/flights/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": serde,
    }
    table = {"Name": "flights", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "month", "Type": "string"}]}
    glue.create_table(DatabaseName="lake", TableInput=table)
    glue.create_partition(
        DatabaseName="lake", TableName="flights", PartitionInput={"Values": ["1"], "StorageDescriptor": storage}
    )
    assert query(boto3.client("athena"))["State"] == "SUCCEEDED"


def query(athena: Any, sql: str = "select carrier from flights") -> dict[str, Any]:
    """The Status of the query once it has ended, and its id."""
    started = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": "lake"},
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
    )
    query_id = started["QueryExecutionId"]
    ended: dict[str, Any] = eventually(
        lambda: boto3.client("athena").get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"],
        lambda status: status["State"] in ("SUCCEEDED", "FAILED"),
    )
    return {**ended, "Id": query_id}


def glue_says(name: str, action: str, resource: str) -> str:
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/somebody"
    return (
        f"User: {who} is not authorized to perform: glue:{action} on resource: {resource} {NOT_ALLOWED} glue:{action} "
        "action (Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException; Request ID: "
    )


INSUFFICIENT = "Insufficient permissions to execute the query. "
UNWRITTEN = "Access denied when writing output to url: s3://on-behalf/results/"
QUERIES = {
    "default": INSUFFICIENT + glue_says("asks-default", "GetDatabase", f"{GLUE}:database/default"),
    "database": INSUFFICIENT + glue_says("asks-database", "GetDatabase", f"{GLUE}:database/lake"),
    "table": INSUFFICIENT + glue_says("asks-table", "GetTable", f"{GLUE}:catalog"),
    "partitions": INSUFFICIENT + glue_says("asks-partitions", "GetPartitions", f"{GLUE}:catalog"),
    "find": "Permission denied on S3 path: s3://on-behalf/flights/",
    "read": "Permission denied on S3 path: s3://on-behalf/flights/a.csv",
    "decrypt": "Permission denied on S3 path: s3://on-behalf/flights/a.csv",
    "write": UNWRITTEN,
    "encrypt": UNWRITTEN,
}


@pytest.mark.parametrize("missing", QUERIES)
def test_a_query_fails_without_a_permission_of_its_caller(
    of_an_analyst: Statements, flights: None, missing: str
) -> None:
    analyst = Somebody(role(f"asks-{missing}", without(of_an_analyst, missing)))
    status = query(analyst.client("athena"))
    assert status["State"] == "FAILED" and status["StateChangeReason"].startswith(QUERIES[missing])


def test_a_query_needs_no_more_than_that(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("analyst", of_an_analyst)).client("athena")
    rows = athena.get_query_results(QueryExecutionId=query(athena)["Id"])["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["carrier", "UA"]


def test_results_are_read_with_the_permissions_of_whoever_asks(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("blind-analyst", without(of_an_analyst, "results"))).client("athena")
    with pytest.raises(ClientError, match="Access denied when reading results from s3://on-behalf/results/"):
        athena.get_query_results(QueryExecutionId=query(athena)["Id"])


def test_a_query_is_not_started_without_the_place_of_its_results_bucket(
    of_an_analyst: Statements, flights: None
) -> None:
    athena = Somebody(role("lost", without(of_an_analyst, "locate"))).client("athena")
    with pytest.raises(ClientError, match="Unable to verify/create output bucket on-behalf"):
        query(athena)


def test_ddl_fails_as_hives_does(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("dropper", without(of_an_analyst, "drop"))).client("athena")
    status = query(athena, "alter table flights drop partition (month = '1')")
    assert status["StateChangeReason"].startswith(
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. MetaException(message:"
        + glue_says("dropper", "DeletePartition", f"{GLUE}:catalog")
    )


def test_athenas_catalog_is_glues_with_glues_permissions(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("looker", without(of_an_analyst, "table"))).client("athena")
    asked = {"CatalogName": "AwsDataCatalog", "DatabaseName": "lake"}
    assert athena.get_database(**asked)["Database"]["Name"] == "lake"
    with pytest.raises(ClientError) as refused:
        athena.get_table_metadata(**asked, TableName="flights")
    assert refused.value.response["Error"]["Code"] == "MetadataException"
    assert refused.value.response["Error"]["Message"].startswith(glue_says("looker", "GetTable", f"{GLUE}:catalog"))


# Keys


def test_an_object_is_read_by_whoever_may_use_its_key(key: str) -> None:
    reads = {"read": allow(["s3:GetObject", "s3:PutObject"], f"{ARN}/*")}
    blind, reader = Somebody(role("keyless", reads)), Somebody(role("reader", {**reads, "key": by_s3("Decrypt", key)}))
    place = {"Bucket": BUCKET, "Key": "data/train.csv"}
    assert blind.client("s3").head_object(**place)["SSEKMSKeyId"] == key
    with pytest.raises(ClientError, match=r"\(AccessDenied\).*keyless/somebody is not authorized to perform: kms:Dec"):
        blind.client("s3").get_object(**place)
    assert reader.client("s3").get_object(**place)["Body"].read() == b"UA,1\n"
    with pytest.raises(ClientError, match=r"\(AccessDenied\).*reader/somebody is not authorized to perform: kms:Gen"):
        reader.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"")


def test_a_keys_own_policy_may_let_a_role_use_it_or_nobody(key: str) -> None:
    s3, kms = boto3.client("s3"), boto3.client("kms")
    arn = role("named", {"read": allow(["s3:GetObject", "s3:PutObject"], f"{ARN}/*"), "key": allow("kms:*", "*")})
    manage = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:Put*"}
    own = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**manage, "Resource": "*"}]}))
    own_arn = own["KeyMetadata"]["Arn"]
    s3.put_object(Bucket=BUCKET, Key="closed", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=own_arn)
    client = Somebody(arn).client("s3")
    with pytest.raises(ClientError, match="because no resource-based policy allows the kms:Decrypt action"):
        client.get_object(Bucket=BUCKET, Key="closed")
    use = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [{**manage, "Resource": "*"}, use]}
    kms.put_key_policy(KeyId=own_arn, PolicyName="default", Policy=json.dumps(policy))
    assert client.get_object(Bucket=BUCKET, Key="closed")["Body"].read() == b"x"


# Services for themselves


def test_an_alarm_publishes_as_the_topics_policy_and_that_of_its_key_let_it(key: str) -> None:
    sns, cloudwatch = boto3.client("sns"), boto3.client("cloudwatch")
    lets = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    outcomes = []
    for name, statement, attributes in (
        ("open", lets, {}),
        ("closed", {**lets, "Principal": {"Service": "events.amazonaws.com"}}, {}),
        ("locked", lets, {"KmsMasterKeyId": key}),
    ):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        topic = sns.create_topic(Name=name, Attributes={**attributes, "Policy": policy})["TopicArn"]
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmActions=[topic],
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
        history = eventually(lambda name=name: actions(cloudwatch, name), bool)
        outcomes.append(history[0]["HistorySummary"].replace(topic, "T"))
    denied = 'Failed to execute action T. Received error: "CloudWatch Alarms is not authorized to perform:'
    assert outcomes[0] == "Successfully executed action T"
    assert outcomes[1].startswith(f"{denied} sns:Publish on resource: T because no resource-based policy allows")
    assert outcomes[2].startswith(f"{denied} kms:GenerateDataKey on resource: {key} because no resource-based policy")


def actions(cloudwatch: Any, alarm: str) -> list[dict[str, Any]]:
    """What the alarm has done."""
    found: list[dict[str, Any]] = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    return found


def test_a_log_group_is_under_a_key_that_lets_cloudwatch_logs_use_it(key: str) -> None:
    kms, logs = boto3.client("kms"), boto3.client("logs")
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:secret"
    with pytest.raises(ClientError) as refused:
        logs.create_log_group(logGroupName="secret", kmsKeyId=key)
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
    }
    use = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:*"}},
    }
    letting = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [use]}))["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="secret", kmsKeyId=letting)
    assert logs.describe_log_groups(logGroupNamePrefix="secret")["logGroups"][0]["kmsKeyId"] == letting
