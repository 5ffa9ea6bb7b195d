"""What AWS would do and one machine, or this version of local AWS, does not: refused by name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from local_aws.sagemaker.container import has_opt_ml
from local_aws.sagemaker.exceptions import NotImplementedHere, ValidationError

OPT_ML = PurePosixPath("/opt/ml")
IN_PROCESSING = OPT_ML / "processing"

# Accepted and described back, since nothing of them can be seen in what one process on one machine does:
# EnableManagedSpotTraining and RetryStrategy (an instance that is never taken away, and never fails by itself),
# VpcConfig, EnableInterContainerTrafficEncryption, S3DataDistributionType ShardedByS3Key (one instance gets every
# shard), ShuffleConfig (of Pipe mode's order), volume sizes and keys, warm pools, InfraCheckConfig, and DebugHookConfig
# (read by the smdebug library alone, which no image of images.toml holds).
REFUSED_TRAINING = {
    "ServerlessJobConfig": "use AlgorithmSpecification and ResourceConfig",
    "MlflowConfig": "print the metrics, and use MetricDefinitions",
    "ModelPackageConfig": "use CreateModelPackage when the job is Completed",
    "DebugRuleConfigurations": "raise an error in the script",
    "ProfilerRuleConfigurations": "set ProfilerConfig.DisableProfiler",
}


def check_training_job(request: Mapping[str, Any]) -> None:
    """NotImplementedException where a CreateTrainingJob request asks for what can't be had here."""
    refused = [f"{name} ({instead})" for name, instead in REFUSED_TRAINING.items() if request.get(name)]
    specification, resources = request.get("AlgorithmSpecification") or {}, request.get("ResourceConfig") or {}
    if request.get("ProfilerConfig") and not request["ProfilerConfig"].get("DisableProfiler"):
        refused.append("ProfilerConfig (without DisableProfiler)")
    if (request.get("RemoteDebugConfig") or {}).get("EnableRemoteDebug"):
        refused.append("RemoteDebugConfig (the job is a process on this machine)")
    groups = resources.get("InstanceGroups") or [resources]
    if len(groups) > 1 or groups[0].get("InstanceCount", 1) != 1:
        refused.append("more than one instance")
    for channel in request.get("InputDataConfig") or []:
        refused += [f"channel {channel['ChannelName']}: {reason}" for reason in _refused_of_channel(channel)]
    if specification.get("TrainingInputMode") == "Pipe":
        refused.append("TrainingInputMode Pipe (use File or FastFile)")
    mirrored = [name for name in ("CheckpointConfig", "TensorBoardOutputConfig") if request.get(name)]
    if mirrored and not has_opt_ml():
        refused += [f"{name} on an OS without mount namespaces" for name in mirrored]
    refused += experiment(request)
    if refused:
        raise NotImplementedHere(f"CreateTrainingJob with {', '.join(refused)}")
    if not specification.get("TrainingImage"):
        raise ValidationError("AlgorithmSpecification.TrainingImage is missing: local AWS has no other algorithms.")
    stopping = request.get("StoppingCondition") or {}
    if not groups[0].get("InstanceType") or not stopping.get("MaxRuntimeInSeconds"):
        raise ValidationError("ResourceConfig.InstanceType and StoppingCondition.MaxRuntimeInSeconds are needed.")
    if request.get("EnableManagedSpotTraining"):
        if stopping.get("MaxWaitTimeInSeconds", 0) < stopping["MaxRuntimeInSeconds"]:
            raise ValidationError(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    for channel in request.get("InputDataConfig") or []:
        mode = channel.get("InputMode") or specification.get("TrainingInputMode", "File")
        if channel.get("CompressionType", "None") != "None":
            raise ValidationError(
                f"Invalid compression type for channel {channel['ChannelName']}: "
                f"{mode} mode only supports NONE, got {channel['CompressionType']} instead"
            )
    for name in mirrored:
        path = PurePosixPath(request[name].get("LocalPath") or OPT_ML)
        if not path.is_relative_to(OPT_ML) or ".." in path.parts:
            raise NotImplementedHere(f"CreateTrainingJob with {name}.LocalPath outside {OPT_ML}, got '{path}',")
    for metric in specification.get("MetricDefinitions") or []:
        try:
            re.compile(metric["Regex"])
        except re.error as error:
            raise ValidationError(
                f"Invalid regular expression '{metric['Regex']}' for metric '{metric['Name']}': {error}"
            ) from error


def _refused_of_channel(channel: Mapping[str, Any]) -> Iterator[str]:
    source = channel["DataSource"].get("S3DataSource")
    if not source:
        yield "a data source other than S3"
        return
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        yield f"S3DataType {source['S3DataType']} (use S3Prefix or ManifestFile)"
    yield from (name for name in ("ModelAccessConfig", "HubAccessConfig") if source.get(name))
    if channel.get("InputMode") == "Pipe":
        yield "InputMode Pipe (use File or FastFile)"
    if channel.get("RecordWrapperType", "None") != "None":
        yield f"RecordWrapperType {channel['RecordWrapperType']}"


def check_processing_job(request: Mapping[str, Any]) -> None:
    """NotImplementedException where a CreateProcessingJob request asks for what can't be had here."""
    inputs = request.get("ProcessingInputs") or []
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    refused = []
    if not has_opt_ml():
        refused.append("paths below /opt/ml on an OS without mount namespaces (use Linux with user namespaces)")
    if request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] != 1:
        refused.append("more than one instance")
    for entry in inputs:
        if entry.get("DatasetDefinition"):
            refused.append(f"input {entry['InputName']}: DatasetDefinition (query first, and give an S3Input)")
        if (entry.get("S3Input") or {}).get("S3InputMode") == "Pipe":
            refused.append(f"input {entry['InputName']}: S3InputMode Pipe (use File)")
    for entry in outputs:
        if entry.get("FeatureStoreOutput"):
            refused.append(f"output {entry['OutputName']}: FeatureStoreOutput (use S3Output)")
    refused += experiment(request)
    if refused:
        raise NotImplementedHere(f"CreateProcessingJob with {', '.join(refused)}")
    taken = set()
    for member, entry in [*(("S3Input", entry) for entry in inputs), *(("S3Output", entry) for entry in outputs)]:
        name = entry.get("InputName") or entry.get("OutputName")
        place = entry.get(member)
        if not place:
            raise ValidationError(f"{name} needs {member}.")
        if place.get("S3CompressionType") == "Gzip":
            raise ValidationError(
                f"Invalid compression type for {name}: File mode only supports NONE, got Gzip instead"
            )
        if entry.get("AppManaged"):
            continue
        path = PurePosixPath(place.get("LocalPath", ""))
        if not path.is_relative_to(IN_PROCESSING) or ".." in path.parts:
            raise ValidationError(f"LocalPath of {name} has to be a path below {IN_PROCESSING}, got '{path}'.")
        if path in taken:
            raise ValidationError(
                f"LocalPath of {name} has to be another than other inputs' and outputs', got '{path}'."
            )
        taken.add(path)
    specification = request["AppSpecification"]
    if not (specification.get("ContainerEntrypoint") or specification.get("ContainerArguments")):
        raise ValidationError(
            f"AppSpecification.ContainerEntrypoint is missing, and {specification['ImageUri']} has no entrypoint."
        )


def experiment(request: Mapping[str, Any]) -> list[str]:
    """What to refuse of ExperimentConfig: no experiment or trial can be here, so the job could belong to none. The
    names for display and run alone change nothing, and are described back."""
    config = request.get("ExperimentConfig") or {}
    return [f"ExperimentConfig.{name}" for name in ("ExperimentName", "TrialName") if config.get(name)]


def check_model(containers: Sequence[Mapping[str, Any]]) -> None:
    """NotImplementedException where a CreateModel request asks for what can't be had here."""
    refused = ["several Containers (an inference pipeline)"] if len(containers) > 1 else []
    for setting in ("MultiModelConfig", "ModelDataSource", "AdditionalModelDataSources", "AdditionalS3DataSource"):
        if any(container.get(setting) for container in containers):
            refused.append(setting)
    if refused:
        raise NotImplementedHere(f"CreateModel with {', '.join(refused)}")


# Accepted and described back, since nothing of them can be seen in one process on one machine: KmsKeyId and
# VolumeSizeInGB (of the instances' volumes), RoutingConfig (between a variant's instances), InferenceAmiVersion,
# ModelDataDownloadTimeoutInSeconds.
REFUSED_ENDPOINT_CONFIG = {
    "AsyncInferenceConfig": "use InvokeEndpoint",
    "ShadowProductionVariants": "use a production variant and TargetVariant",
    "ExplainerConfig": "compute explanations in the model's predict_fn",
    "ExecutionRoleArn": "it is for inference components; a model brings its own role",
    "VpcConfig": "it is for inference components; CreateModel takes one",
    "EnableNetworkIsolation": "it is for inference components; CreateModel takes it",
    "MetricsConfig": "read the metrics of AWS/SageMaker",
}
REFUSED_VARIANT = {
    "ServerlessConfig": "use InstanceType and InitialInstanceCount",
    "ManagedInstanceScaling": "use UpdateEndpointWeightsAndCapacities",
    "AcceleratorType": "leave it out",
    "CoreDumpConfig": "read the endpoint's log",
    "EnableSSMAccess": "the model server is a process on this machine",
    "CapacityReservationConfig": "leave it out",
}


def check_endpoint_config(request: Mapping[str, Any]) -> None:
    """NotImplementedException where a CreateEndpointConfig request asks for what can't be had here."""
    variants = request["ProductionVariants"]
    refused = [f"{name} ({instead})" for name, instead in REFUSED_ENDPOINT_CONFIG.items() if request.get(name)]
    for name, instead in REFUSED_VARIANT.items():
        refused += [f"{name} ({instead})" for variant in variants if variant.get(name)]
    if refused:
        raise NotImplementedHere(f"CreateEndpointConfig with {', '.join(refused)}")
    names = [variant["VariantName"] for variant in variants]
    for variant in variants:
        name = variant["VariantName"]
        if names.count(name) > 1:
            raise ValidationError(f"Variant names must be unique within an endpoint configuration: {name} is not.")
        if not (variant.get("InstanceType") and variant.get("InitialInstanceCount") and variant.get("ModelName")):
            raise ValidationError(f"Variant {name} needs ModelName, InstanceType and InitialInstanceCount.")


def check_deployment(operation: str, request: Mapping[str, Any]) -> None:
    """NotImplementedException where CreateEndpoint or UpdateEndpoint is to roll out in a way that isn't done here."""
    rolling = (request.get("DeploymentConfig") or {}).get("RollingUpdatePolicy") or {}
    if rolling.get("RollbackMaximumBatchSize"):
        raise NotImplementedHere(
            f"{operation} with RollbackMaximumBatchSize (leave it out: all of the old fleet takes over again at once)"
        )
