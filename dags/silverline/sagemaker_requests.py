"""SageMaker requests of a pipeline, as the operators take them: plain dicts whose {{ templates }} Airflow fills in."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from silverline.platform import Platform
from silverline.source import ARCHIVE_NAME
from silverline.spec import BatchSpec, PipelineSpec, Spec

CHANNELS = ("train", "validation", "test")
CODE_CHANNEL = "code"
VARIANT = "AllTraffic"  # of an endpoint the one
JSON_LINES = "application/jsonlines"
MODEL_CODE = "/opt/ml/model/code"
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": MODEL_CODE}
PROCESSING = "/opt/ml/processing"
# Without a network nothing can be fetched: the scripts come as an input, packed as they are for training.
UNPACK_AND_RUN = (
    f'cd "$(mktemp -d)" && tar -xzf {PROCESSING}/input/{CODE_CHANNEL}/{ARCHIVE_NAME} && exec python3 evaluate.py "$@"'
)
KMS_KEY = "{{ platform().kms_key_arn }}"
# Instance types with disks of their own: these are encrypted by the hardware, and SageMaker refuses a key for them.
# infra/terraform/sagemaker.tf lets Airflow leave the key out for these only.
LOCAL_DISKS = (
    *("ml.*d.*", "ml.*d?.*", "ml.dl1.*", "ml.trn*"),
    *("ml.g5*", "ml.g6*", "ml.g7*", "ml.gr6*", "ml.p5*", "ml.p6*"),
)
# Of UpdateEndpoint: how many instances serve is kept, and nothing else of the configuration before.
SAME_INSTANCES: dict[str, Any] = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}

# Filled in when the task runs; single quotes only, because some of these strings travel inside JSON.
RUN = "{{ run_slug(dag_run) }}"
ATTEMPT = RUN + "-{{ ti.try_number }}"
SHORT_ATTEMPT = "{{ run_digest(dag_run) }}-{{ ti.try_number }}"  # a tuning job's name has 32 letters at most


# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
def training_job(
    spec: PipelineSpec, name: str, splits: str, source: str, data_version: str, tuned: Mapping[str, str] = {}
) -> dict[str, Any]:
    """CreateTrainingJob for `spec`: AWS's scikit-learn image in script mode on the Parquet splits under `splits`.

    Without a network the container can't fetch its code, so the archive `source` comes as a channel. `tuned` are
    hyperparameters as a training job takes them, instead of the spec's.
    """
    output = f"s3://{{{{ platform().artifacts_bucket }}}}/{spec.name}/training"
    hyperparameters = {
        **spec.hyperparameters,
        **_label(spec),  # of its costs the model's threshold is made, which is then part of its archive
        "data_version": data_version,
        "data_location": splits,
        "git_commit": "{{ var.value.git_commit }}",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CODE_CHANNEL}/{ARCHIVE_NAME}",
    }
    return {
        "TrainingJobName": name,
        "RoleArn": "{{ platform().sagemaker_jobs_role_arn }}",
        "AlgorithmSpecification": {
            "TrainingImage": "{{ platform().sagemaker_image }}",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": f"{channel}:{metric}", "Regex": rf"{channel}:{metric}=([-+0-9.eE]+);"}
                for channel in CHANNELS
                for metric in spec.metrics
            ],
        },
        # The training toolkit reads every value as JSON: without the quotes the commit 12345678 would be a number.
        "HyperParameters": {**{key: json.dumps(value) for key, value in hyperparameters.items()}, **tuned},
        "InputDataConfig": [
            *(_channel(channel, f"{splits}{channel}/", "application/x-parquet") for channel in CHANNELS),
            _channel(CODE_CHANNEL, source, "application/gzip"),
        ],
        "OutputDataConfig": {"S3OutputPath": output, "KmsKeyId": KMS_KEY},
        # <output>/<job>/tensorboard-output/ gets what is written into /opt/ml/output/tensorboard.
        "TensorBoardOutputConfig": {"S3OutputPath": output},
        "ResourceConfig": {
            "InstanceType": spec.training_instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            **_volume_key("VolumeKmsKeyId", spec.training_instance_type),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": int(spec.training_timeout.total_seconds())},
        "EnableNetworkIsolation": True,
        "Tags": _tags(spec),
    }


# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
def evaluation_job(spec: PipelineSpec, name: str, inputs: Any) -> dict[str, Any]:
    """CreateProcessingJob for `spec`: evaluate.py, in the image that trains; `inputs` are those of `evaluation_inputs`.

    What it writes lies under a prefix that is named like the job.
    """
    arguments = {**_label(spec), "slices": ",".join(spec.slices), "clusters": ",".join(spec.clusters)}
    output = {
        "S3Uri": f"s3://{{{{ platform().artifacts_bucket }}}}/{spec.name}/evaluation/{name}/",
        "LocalPath": f"{PROCESSING}/output",
        "S3UploadMode": "EndOfJob",
    }
    return {
        "ProcessingJobName": name,
        "RoleArn": "{{ platform().sagemaker_jobs_role_arn }}",
        "AppSpecification": {
            "ImageUri": "{{ platform().sagemaker_image }}",
            "ContainerEntrypoint": ["/bin/sh", "-c", UNPACK_AND_RUN, "evaluate"],
            "ContainerArguments": [word for key, value in arguments.items() for word in (f"--{key}", str(value))],
        },
        "Environment": dict(spec.endpoint_environment),  # models answer here as they would there
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "evaluation", "S3Output": output}],
            "KmsKeyId": KMS_KEY,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": spec.evaluation_instance_type,
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
                **_volume_key("VolumeKmsKeyId", spec.evaluation_instance_type),
            }
        },
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "StoppingCondition": {"MaxRuntimeInSeconds": int(spec.evaluation_timeout.total_seconds())},
        "Tags": _tags(spec),
    }


def evaluation_inputs(source: str, model_data: str, splits: str, champion: str | None) -> list[dict[str, Any]]:
    """ProcessingInputs of plain addresses: a champion's only where there is one."""
    places = {
        CODE_CHANNEL: source,
        "challenger": f"{model_data.rpartition('/')[0]}/",  # with output.tar.gz, beside the model
        "test": f"{splits}test/",
        **({"champion": champion} if champion else {}),
    }
    return [
        {
            "InputName": name,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": f"{PROCESSING}/input/{name}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        for name, uri in places.items()
    ]


def model(spec: PipelineSpec, name: str, package: str) -> dict[str, Any]:
    """CreateModel for an approved model package of `spec`, which says what is served, in which image, and how."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": "{{ platform().sagemaker_endpoint_role_arn }}",
        "PrimaryContainer": {"ModelPackageName": package},
        "EnableNetworkIsolation": True,
        "Tags": _tags(spec),
    }


def endpoint_config(spec: PipelineSpec, name: str, model_name: str) -> dict[str, Any]:
    """CreateEndpointConfig for `spec`: all traffic to one model; what it is asked and answers is kept in gold, a line
    of JSON each."""
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model_name,
                "InitialInstanceCount": spec.endpoint_instance_count,
                "InstanceType": spec.endpoint_instance_type,
                "InitialVariantWeight": 1.0,
            }
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": spec.captured_percent,
            "DestinationS3Uri": f"s3://{{{{ platform().gold_bucket }}}}/{spec.name}/captured",
            "KmsKeyId": KMS_KEY,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},  # others come as base64
        },
        **_volume_key("KmsKeyId", spec.endpoint_instance_type),
        "Tags": _tags(spec),
    }


def endpoint(spec: PipelineSpec, config: str) -> dict[str, Any]:
    """CreateEndpoint for `spec`: one endpoint a pipeline, named like it."""
    return {"EndpointName": spec.aws_name, "EndpointConfigName": config, "Tags": _tags(spec)}


# https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
def endpoint_update(spec: PipelineSpec, place: Platform, config: str, instances: int) -> dict[str, Any]:
    """UpdateEndpoint for `spec`, which serves by so many `instances` now: half of the requests first, and the rest once
    the alarms have had time to go off; SageMaker goes back where one does."""
    alarms = [{"AlarmName": name} for name in place.endpoint_alarms[spec.name]]
    return {
        "EndpointName": spec.aws_name,
        "EndpointConfigName": config,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},  # AWS takes no more; of 2 it is 1
                    "WaitIntervalInSeconds": place.canary_seconds,
                },
                # It waits after either step, and starts instances before.
                "MaximumExecutionTimeoutInSeconds": 2 * place.canary_seconds + 1800,
            },
            "AutoRollbackConfiguration": {"Alarms": alarms},
        },
        # More instances than the spec's, by scaling or by hand, stay.
        **(SAME_INSTANCES if instances >= spec.endpoint_instance_count else {}),
    }


def batch_model(spec: BatchSpec, name: str, container: Any) -> dict[str, Any]:
    """CreateModel for a batch: what the endpoint serves, in the role of the jobs, which may read and write batches."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": "{{ platform().sagemaker_jobs_role_arn }}",
        "PrimaryContainer": container,
        "EnableNetworkIsolation": True,
        "Tags": _tags(spec),
    }


# https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
def transform_job(spec: BatchSpec, name: str, model_name: str, requests: str, compression: str) -> dict[str, Any]:
    """CreateTransformJob for `spec`: of each line under `requests` the model gets `features`, and `record_key` comes
    back beside its answer."""
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": requests}},
            "ContentType": JSON_LINES,
            "CompressionType": compression,
            "SplitType": "Line",
        },
        "DataProcessing": {
            "InputFilter": "$.features",
            "JoinSource": "Input",
            "OutputFilter": "$['record_key','SageMakerOutput']",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{{{{ platform().gold_bucket }}}}/{spec.name}/batch/answers/{name}",
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
            "KmsKeyId": KMS_KEY,
        },
        "TransformResources": {
            "InstanceType": spec.instance_type,
            "InstanceCount": 1,
            **_volume_key("VolumeKmsKeyId", spec.instance_type),
        },
        "Tags": _tags(spec),
    }


def _label(spec: PipelineSpec) -> dict[str, Any]:
    """What the scripts are told of the label and of what wrong answers cost; nothing where there is none."""
    if spec.label is None:
        return {}
    return {"label": spec.label, "cost_missed": spec.costs.missed, "cost_false_alarm": spec.costs.false_alarm}


def _channel(name: str, uri: str, content_type: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": content_type, "DataSource": {"S3DataSource": source}}


def _volume_key(member: str, instance_type: str) -> dict[str, str]:
    local = any(fnmatchcase(instance_type, pattern) for pattern in LOCAL_DISKS)
    return {} if local else {member: KMS_KEY}


def _tags(spec: Spec) -> list[dict[str, str]]:
    return [
        {"Key": "Project", "Value": "silverline"},
        {"Key": "Environment", "Value": "{{ platform().environment }}"},
        {"Key": "Pipeline", "Value": spec.name},
        {"Key": "AirflowDag", "Value": "{{ dag.dag_id }}"},
        {"Key": "AirflowRun", "Value": RUN},
    ]
