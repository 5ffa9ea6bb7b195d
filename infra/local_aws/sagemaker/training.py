"""One training job: its input from S3, AWS's own toolkit in the image's environment, its output to S3."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local_aws.sagemaker import container, data
from local_aws.sagemaker.failures import LONGEST_REASON, failure_reason
from local_aws.sagemaker.jobs import Interrupted, Job, JobFailed, Surroundings, now
from local_aws.sagemaker.logs import Metrics
from local_aws.sagemaker.mirror import Mirror

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingJob(Job):
    """What one CreateTrainingJob request asked for, and what has become of it."""

    kind = "TrainingJob"
    arn_type = "training-job"
    summary_members = ("TrainingEndTime", "SecondaryStatus")
    taken = (
        "Training job names must be unique within an AWS account and region, "
        "and a training job with this name already exists ({arn})"
    )
    unknown = "Requested resource not found."

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        super().__init__(request, arn)
        self.secondary_status = ""
        self.transitions: list[dict[str, Any]] = []
        self.metrics = Metrics(request["AlgorithmSpecification"].get("MetricDefinitions") or [])
        self._note("Starting")

    @property
    def model_artifacts(self) -> str:
        """Where the model goes: model.tar.gz, or the folder of its files where they are not to be compressed."""
        return f"{self._output}/{'model.tar.gz' if self._compressed else 'model/'}"

    @property
    def _output(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    @property
    def _compressed(self) -> bool:
        return bool(self.request["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP")

    def _described(self) -> dict[str, Any]:
        seconds = None
        if self.start_time and self.end_time:
            seconds = max(1, round((self.end_time - self.start_time).total_seconds()))
        switches = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining")
        return {
            **{switch: bool(self.request.get(switch)) for switch in switches},
            "SessionChainingConfig": None,  # of the request, and not described
            "ModelArtifacts": {"S3ModelArtifacts": self.model_artifacts},
            "SecondaryStatus": self.secondary_status,
            "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
            "TrainingStartTime": self.start_time,
            "TrainingEndTime": self.end_time,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
            "FinalMetricDataList": self.metrics.final() or None,
        }

    def _note(self, secondary: str, message: str | None = None) -> None:
        """Go on to another secondary status."""
        with self._lock:
            self.last_modified_time = now()
            if self.transitions:
                self.transitions[-1]["EndTime"] = self.last_modified_time
            self.transitions.append(
                {
                    "Status": secondary,
                    "StartTime": self.last_modified_time,
                    "StatusMessage": message or MESSAGES[secondary],
                }
            )
            self.secondary_status = secondary

    def _enter(self, status: str) -> None:
        super()._enter(status)
        self._note(status)

    def _finish(self, status: str, secondary: str, reason: str | None = None) -> None:
        with self._lock:
            self._note(secondary, reason[:LONGEST_REASON] if reason else None)
            super()._finish(status, secondary, reason)
            self.transitions[-1]["EndTime"] = self.last_modified_time

    def _tell(self, progress: str) -> None:
        with self._lock:
            self.transitions[-1]["StatusMessage"] = f"Downloading the training image: {progress}"

    def _note_unless_stopped(self, secondary: str) -> None:
        with self._lock:
            self._unless_stopped()
            self._note(secondary)

    def _work(self, surroundings: Surroundings) -> None:
        with self._slot():
            self._train(surroundings)

    def _train(self, surroundings: Surroundings) -> None:
        role, opt_ml = surroundings.role, surroundings.folder / "ml"
        s3 = role.client("s3")
        self._note_unless_stopped("Downloading")
        self._write_input(s3, opt_ml)
        self._restore_checkpoints(s3, opt_ml)
        surroundings.environment(self._tell)  # built before the job is said to be training
        self._note_unless_stopped("Training")
        specification = self.request["AlgorithmSpecification"]
        toolkit = ["python", "-m", "sagemaker_training.cli.train"]
        try:
            with ExitStack() as mirrors:
                for folder, uri in self._mirrored(opt_ml):
                    mirrors.enter_context(Mirror(s3, folder, uri, restored=True))
                ended = self._contain(
                    surroundings,
                    (specification.get("ContainerEntrypoint") or toolkit)
                    + (specification.get("ContainerArguments") or []),
                    opt_ml,
                    self.request["StoppingCondition"]["MaxRuntimeInSeconds"],
                    {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn},
                    network=not self.request.get("EnableNetworkIsolation"),
                    read=self.metrics.read,
                )
        finally:
            self.metrics.publish(role.client("cloudwatch"), self.name)
        if ended.exit_code and not ended.interrupted:
            failure = opt_ml / "output" / "failure"
            text = failure.read_text(errors="replace") if failure.exists() else ""
            raise JobFailed(failure_reason(ended.exit_code, text, ended.last_words))
        self._upload(s3, opt_ml, ended.interrupted)
        if ended.interrupted:
            raise Interrupted(ended.interrupted)

    def _write_input(self, s3: Any, opt_ml: Path) -> None:
        """Lay out /opt/ml as SageMaker does."""
        config = opt_ml / "input" / "config"
        for folder in (config, opt_ml / "model", opt_ml / "output" / "data"):
            folder.mkdir(parents=True)
        mode = self.request["AlgorithmSpecification"].get("TrainingInputMode", "File")
        channels: dict[str, dict[str, str]] = {}
        for channel in self.request.get("InputDataConfig") or []:
            folder = opt_ml / "input" / "data" / channel["ChannelName"]
            folder.mkdir(parents=True)
            data.download_channel(s3, channel["DataSource"]["S3DataSource"], folder)
            channels[channel["ChannelName"]] = {
                "TrainingInputMode": channel.get("InputMode") or mode,
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
                **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}),
            }
        resources = self.request["ResourceConfig"]
        group = (resources.get("InstanceGroups") or [{"InstanceGroupName": "homogeneousCluster", **resources}])[0]
        instance_type, group_name = group["InstanceType"], group["InstanceGroupName"]
        # The toolkit waits, without a word, until each host's name resolves, as AWS's does where there is an /opt/ml.
        host = container.HOST if container.has_opt_ml() else "localhost"
        documents: dict[str, Any] = {
            "hyperparameters": self._hyperparameters(opt_ml),
            "inputdataconfig": channels,
            "resourceconfig": {
                "current_host": host,
                "current_instance_type": instance_type,
                "current_group_name": group_name,
                "hosts": [host],
                "instance_groups": [
                    {"instance_group_name": group_name, "instance_type": instance_type, "hosts": [host]}
                ],
                "network_interface_name": "lo",
            },
        }
        if self.request.get("CheckpointConfig"):
            documents["checkpointconfig"] = self.request["CheckpointConfig"]
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))

    def _hyperparameters(self, opt_ml: Path) -> dict[str, str]:
        """As they were given; where there is no /opt/ml, the code that came by a channel is at its place outside."""
        given = dict(self.request.get("HyperParameters") or {})
        directory = given.get("sagemaker_submit_directory", "").strip('"')
        if directory.startswith("/opt/ml/") and not container.has_opt_ml():
            given["sagemaker_submit_directory"] = json.dumps(str(container.outside(opt_ml, directory)))
        return given

    def _mirrored(self, opt_ml: Path) -> Iterator[tuple[Path, str]]:
        """Each folder that is to be in S3 while the job runs, with its place there."""
        checkpoints, tensorboard = self.request.get("CheckpointConfig"), self.request.get("TensorBoardOutputConfig")
        if checkpoints:
            yield container.outside(opt_ml, checkpoints.get("LocalPath") or "/opt/ml/checkpoints"), checkpoints["S3Uri"]
        if tensorboard:
            uri = f"{tensorboard['S3OutputPath'].rstrip('/')}/{self.name}/tensorboard-output"
            yield container.outside(opt_ml, tensorboard.get("LocalPath") or "/opt/ml/output/tensorboard"), uri

    def _restore_checkpoints(self, s3: Any, opt_ml: Path) -> None:
        """Make the folders that S3 mirrors, with what an earlier job has left at the checkpoints' place."""
        for folder, uri in self._mirrored(opt_ml):
            folder.mkdir(parents=True, exist_ok=True)
            place = uri.rstrip("/") + "/"
            if data.listed(s3, place):
                data.download_channel(s3, {"S3DataType": "S3Prefix", "S3Uri": place}, folder)

    def _upload(self, s3: Any, opt_ml: Path, interrupted: str | None) -> None:
        model, output = opt_ml / "model", opt_ml / "output" / "data"
        key_id = self.request["OutputDataConfig"].get("KmsKeyId")
        if not interrupted:
            self._note("Uploading")
        if not interrupted or any(model.iterdir()):
            upload = data.upload_archive if self._compressed else data.upload_folder
            upload(s3, model, self.model_artifacts, key_id)
        if any(output.iterdir()):
            data.upload_archive(s3, output, f"{self._output}/output.tar.gz", key_id)
