"""What AWS refuses is refused in AWS's words; what local AWS can't do is refused by name, and never pretended."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, IMAGE, ROLE, channel, training_job

from local_aws.instead import instead


def refusal(operation: Any, **request: Any) -> tuple[str, str]:
    """The code and message of AWS's refusal."""
    with pytest.raises(ClientError) as refused:
        operation(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def training(s3: Any, **changes: Any) -> dict[str, Any]:
    return training_job(s3, "refused", "print(1)", **changes)


def test_an_instance_type_that_does_not_exist(s3: Any, sagemaker: Any) -> None:
    resources = {"InstanceType": "ml.banana", "InstanceCount": 1, "VolumeSizeInGB": 1}
    code, message = refusal(sagemaker.create_training_job, **training(s3, ResourceConfig=resources))
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'ml.banana' at 'resourceConfig.instanceType' failed to satisfy "
        "constraint: Member must satisfy enum value set: ["
    )


def test_a_role_that_is_no_arn(s3: Any, sagemaker: Any) -> None:
    code, message = refusal(sagemaker.create_training_job, **training(s3, RoleArn="sagemaker-execution-role"))
    assert code == "ValidationException"
    assert "Value 'sagemaker-execution-role' at 'roleArn' failed to satisfy constraint" in message


def test_a_job_name_that_aws_does_not_take(s3: Any, sagemaker: Any) -> None:
    code, message = refusal(sagemaker.create_training_job, **training(s3, TrainingJobName="under_score"))
    assert code == "ValidationException"
    assert "Member must satisfy regular expression pattern" in message


def test_a_role_of_another_account(s3: Any, sagemaker: Any) -> None:
    role = "arn:aws:iam::999999999999:role/sagemaker"
    code, message = refusal(sagemaker.create_training_job, **training(s3, RoleArn=role))
    assert (code, message) == ("ValidationException", f"RoleArn: Cross-account pass role is not allowed ({role}).")


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing/here/", "s3://no-such-bucket-anywhere/data/"])
def test_input_that_is_not_in_s3(s3: Any, sagemaker: Any, uri: str) -> None:
    request = training(s3, InputDataConfig=[channel("train", uri)])
    code, message = refusal(sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data source.')


def test_an_image_that_is_not_available_here(s3: Any, sagemaker: Any) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    specification = {"TrainingImage": image, "TrainingInputMode": "File"}
    code, message = refusal(sagemaker.create_training_job, **training(s3, AlgorithmSpecification=specification))
    assert code == "ValidationException"
    assert image in message and "sagemaker-scikit-learn:1.9-0-cpu-py3" in message and "images.toml" in message


def test_more_instances_than_there_are(s3: Any, sagemaker: Any) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    code, message = refusal(sagemaker.create_training_job, **training(s3, ResourceConfig=resources))
    assert code == "NotImplementedException"
    assert "CreateTrainingJob with more than one instance" in message


CROSS_REGION = IMAGE.replace("us-east-1", "eu-central-1")


def test_an_image_of_another_region_does_not_train(s3: Any, sagemaker: Any) -> None:
    specification = {"TrainingImage": CROSS_REGION, "TrainingInputMode": "File"}
    request = training(s3, AlgorithmSpecification=specification)
    assert refusal(sagemaker.create_training_job, **request) == (
        "ValidationException",
        "Invalid DNS suffix 'amazonaws.com' for region 'eu-central-1' in training image. "
        "Please provide the valid <region>.<dns-suffix>: 'us-east-1.amazonaws.com'",
    )


def test_an_image_of_another_region_does_not_serve(sagemaker: Any) -> None:
    request = {"ModelName": "far", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": CROSS_REGION}}
    assert refusal(sagemaker.create_model, **request) == (
        "ValidationException",
        f'Region of "{CROSS_REGION}" does not match expected region of us-east-1. '
        "Cross region ECR image pulls are not allowed.",
    )


def test_an_output_bucket_that_does_not_exist(s3: Any, sagemaker: Any) -> None:
    request = training(s3, OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-anywhere/models"})
    assert refusal(sagemaker.create_training_job, **request) == (
        "ValidationException",
        'Invalid S3OutputPath "s3://no-such-bucket-anywhere/models": the S3 bucket does not exist.',
    )


def test_a_metric_whose_regular_expression_is_none(s3: Any, sagemaker: Any) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=([0-9"}]
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": metrics}
    code, message = refusal(sagemaker.create_training_job, **training(s3, AlgorithmSpecification=specification))
    assert code == "ValidationException"
    assert message.startswith("Invalid regular expression 'loss=([0-9' for metric 'loss': ")


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ("ProfilerConfig", {"ProfilerConfig": {"S3OutputPath": f"s3://{BUCKET}/profile"}}),
        (
            "DebugRuleConfigurations",
            {"DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": IMAGE}]},
        ),
        ("ExperimentConfig.ExperimentName", {"ExperimentConfig": {"ExperimentName": "e"}}),
        ("TrainingInputMode Pipe", {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}),
        (
            "CheckpointConfig.LocalPath outside /opt/ml",
            {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c", "LocalPath": "/checkpoints"}},
        ),
        (
            "channel c: RecordWrapperType RecordIO",
            {"InputDataConfig": [{**channel("c", f"s3://{BUCKET}/c"), "RecordWrapperType": "RecordIO"}]},
        ),
        (
            "channel c: S3DataType AugmentedManifestFile (use S3Prefix or ManifestFile)",
            {"InputDataConfig": [channel("c", f"s3://{BUCKET}/c", "AugmentedManifestFile")]},
        ),
    ],
)
def test_what_a_job_would_silently_lack_is_refused_by_name(
    s3: Any, sagemaker: Any, named: str, changes: dict[str, Any]
) -> None:
    request = training(s3)
    request["AlgorithmSpecification"] |= changes.get("AlgorithmSpecification", {})
    request |= {name: value for name, value in changes.items() if name != "AlgorithmSpecification"}
    code, message = refusal(sagemaker.create_training_job, **request)
    assert code == "NotImplementedException"
    assert message.startswith(f"CreateTrainingJob with {named}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"InputDataConfig": [{**channel("c", f"s3://{BUCKET}/c"), "CompressionType": "Gzip"}]},
            "Invalid compression type for channel c: File mode only supports NONE, got Gzip instead",
        ),
        (
            {"EnableManagedSpotTraining": True},
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other(s3: Any, sagemaker: Any, changes: dict[str, Any], expected: str) -> None:
    assert refusal(sagemaker.create_training_job, **training(s3, **changes)) == ("ValidationException", expected)


def test_a_running_job_is_not_changed(sagemaker: Any) -> None:
    code, message = refusal(sagemaker.update_training_job, TrainingJobName="refused")
    assert code == "NotImplementedException" and message.startswith("UpdateTrainingJob is not implemented")


def test_a_refused_job_does_not_exist(s3: Any, sagemaker: Any) -> None:
    assert refusal(sagemaker.describe_training_job, TrainingJobName="refused") == (
        "ValidationException",
        "Requested resource not found.",
    )


def test_a_job_that_does_not_exist_cannot_be_stopped(sagemaker: Any) -> None:
    assert refusal(sagemaker.stop_training_job, TrainingJobName="nowhere")[0] == "ValidationException"


def test_a_model_without_its_data(s3: Any, sagemaker: Any) -> None:
    url = f"s3://{BUCKET}/nowhere/model.tar.gz"
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": url}}
    assert refusal(sagemaker.create_model, **request) == (
        "ValidationException",
        f"Could not find model data at {url}.",
    )


def test_a_taken_model_name(s3: Any, sagemaker: Any) -> None:
    request = {"ModelName": "taken", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    sagemaker.create_model(**request)
    code, message = refusal(sagemaker.create_model, **request)
    assert (code, message.startswith("Cannot create already existing model")) == ("ValidationException", True)


def variant(**changes: Any) -> dict[str, Any]:
    return {
        "VariantName": "v",
        "ModelName": "no-such-model",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **changes,
    }


def test_an_endpoint_configuration_without_its_model(sagemaker: Any) -> None:
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant()]}
    code, message = refusal(sagemaker.create_endpoint_config, **request)
    assert (code, message) == (
        "ValidationException",
        'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/no-such-model".',
    )


def test_a_variant_on_an_impossible_instance_type(sagemaker: Any) -> None:
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant(InstanceType="ml.banana")]}
    code, message = refusal(sagemaker.create_endpoint_config, **request)
    assert code == "ValidationException"
    assert "Value 'ml.banana' at 'productionVariants.1.member.instanceType'" in message


def test_an_endpoint_without_its_configuration(sagemaker: Any) -> None:
    code, message = refusal(sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="nowhere")
    assert (code, message.startswith("Could not find endpoint configuration")) == ("ValidationException", True)


@pytest.mark.parametrize("operation", ["describe_endpoint", "delete_endpoint"])
def test_an_endpoint_that_does_not_exist(sagemaker: Any, operation: str) -> None:
    code, message = refusal(getattr(sagemaker, operation), EndpointName="nowhere")
    assert (code, message.startswith("Could not find endpoint ")) == ("ValidationException", True)


PRETENDED_BY_MOTO: dict[str, dict[str, Any]] = {
    "CreateAutoMLJobV2": {
        "AutoMLJobName": "a",
        "AutoMLJobInputDataConfig": [{"ChannelType": "training"}],
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "y"}},
        "RoleArn": ROLE,
    },
    "StartPipelineExecution": {"PipelineName": "p", "ClientRequestToken": "x" * 32},
    "CreateNotebookInstance": {
        "NotebookInstanceName": "n",
        "InstanceType": "ml.t3.medium",
        "RoleArn": ROLE,
    },
    "CreateFeatureGroup": {
        "FeatureGroupName": "f",
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}],
    },
    "CreateExperiment": {"ExperimentName": "e"},
    "DescribeExperiment": {"ExperimentName": "e"},
    "CreateTrial": {"TrialName": "t", "ExperimentName": "nowhere"},
    "DisassociateTrialComponent": {"TrialComponentName": "c", "TrialName": "t"},
    "CreateModelCard": {"ModelCardName": "c", "Content": "{}", "ModelCardStatus": "Draft"},
    "CreateMonitoringSchedule": {
        "MonitoringScheduleName": "s",
        "MonitoringScheduleConfig": {"MonitoringJobDefinitionName": "d", "MonitoringType": "DataQuality"},
    },
}


@pytest.mark.parametrize("operation", sorted(PRETENDED_BY_MOTO))
def test_what_is_not_carried_out_is_refused_by_name(sagemaker: Any, operation: str) -> None:
    method = {name: method for method, name in sagemaker.meta.method_to_api_mapping.items()}[operation]
    code, message = refusal(getattr(sagemaker, method), **PRETENDED_BY_MOTO[operation])
    assert (code, message) == (
        "NotImplementedException",
        f"{operation} is not implemented by local AWS; nothing has been done. {instead('sagemaker', operation)}",
    )


def test_a_refusal_says_what_to_use_instead(sagemaker: Any) -> None:
    assert refusal(sagemaker.list_pipeline_executions, PipelineName="p")[1] == (
        "ListPipelineExecutions is not implemented by local AWS; nothing has been done. "
        "Order the steps by Airflow: its SageMaker operators start each job here."
    )
