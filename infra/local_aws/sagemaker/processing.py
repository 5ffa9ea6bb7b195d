"""One processing job: its inputs from S3, any program in the image's environment, its outputs to S3."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local_aws.sagemaker import data
from local_aws.sagemaker.container import HOST, outside
from local_aws.sagemaker.failures import LONGEST_REASON, failure_reason
from local_aws.sagemaker.jobs import Interrupted, Job, JobFailed, Surroundings
from local_aws.sagemaker.mirror import Mirror

ONE_DAY = 86400  # AWS's MaxRuntimeInSeconds where a request has none


class ProcessingJob(Job):
    """What one CreateProcessingJob request asked for, and what has become of it."""

    kind = "ProcessingJob"
    arn_type = "processing-job"
    summary_members = ("ProcessingEndTime", "FailureReason", "ExitMessage")

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        super().__init__(request, arn)
        self.request.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": ONE_DAY})
        self.exit_message: str | None = None

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Each S3Input that SageMaker downloads: with AppManaged, the program itself does."""
        given = self.request.get("ProcessingInputs") or []
        return [entry["S3Input"] for entry in given if not entry.get("AppManaged")]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """Each S3Output that SageMaker uploads."""
        given = (self.request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
        return [entry["S3Output"] for entry in given if not entry.get("AppManaged")]

    def _described(self) -> dict[str, Any]:
        return {
            "ProcessingStartTime": self.start_time,
            "ProcessingEndTime": self.end_time,
            "ExitMessage": self.exit_message,
        }

    def _finish(self, status: str, secondary: str, reason: str | None = None) -> None:
        if secondary == "MaxRuntimeExceeded":  # which other kinds of jobs say by their secondary status
            reason = "Processing job runtime exceeded MaxRuntimeInSeconds provided"
        super()._finish(status, secondary, reason)

    def _work(self, surroundings: Surroundings) -> None:
        with self._slot():
            self._process(surroundings)

    def _process(self, surroundings: Surroundings) -> None:
        opt_ml = surroundings.folder / "ml"
        s3 = surroundings.role.client("s3")
        self._write_config(opt_ml / "config")
        (opt_ml / "output").mkdir()
        for place in (*self.inputs, *self.outputs):
            outside(opt_ml, place["LocalPath"]).mkdir(parents=True, exist_ok=True)
        for source in self.inputs:
            data.download_channel(s3, source, outside(opt_ml, source["LocalPath"]))
            self._unless_stopped()
        specification = self.request["AppSpecification"]
        command = (specification.get("ContainerEntrypoint") or []) + (specification.get("ContainerArguments") or [])
        key_id = (self.request.get("ProcessingOutputConfig") or {}).get("KmsKeyId")
        continuous = [output for output in self.outputs if output["S3UploadMode"] == "Continuous"]
        with ExitStack() as mirrors:
            for output in continuous:
                mirrors.enter_context(Mirror(s3, outside(opt_ml, output["LocalPath"]), output["S3Uri"], key_id))
            ended = self._contain(
                surroundings,
                command,
                opt_ml,
                self.request["StoppingCondition"]["MaxRuntimeInSeconds"],
                network=not (self.request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"),
            )
        message = opt_ml / "output" / "message"
        if message.exists():
            self.exit_message = message.read_text(errors="replace")[:LONGEST_REASON]
        if ended.interrupted:
            raise Interrupted(ended.interrupted)
        if ended.exit_code:
            raise JobFailed(failure_reason(ended.exit_code, "", ended.last_words))
        for output in self.outputs:
            if output not in continuous:
                data.upload_folder(s3, outside(opt_ml, output["LocalPath"]), output["S3Uri"], key_id)

    def _write_config(self, folder: Path) -> None:
        """Say in /opt/ml/config what the job is, as SageMaker does: with its defaults, and null for what is not set."""
        specification, resources = self.request["AppSpecification"], self.request["ProcessingResources"]
        network = self.request.get("NetworkConfig") or {}
        defaults = {
            "S3DataDistributionType": "FullyReplicated",
            "S3InputMode": "File",
            "S3CompressionType": "None",
            "S3DownloadMode": "StartOfJob",
        }
        output_config = self.request.get("ProcessingOutputConfig") or {}
        job = {
            "ProcessingJobArn": self.arn,
            "ProcessingJobName": self.name,
            "AppSpecification": {"ContainerEntrypoint": None, "ContainerArguments": None, **specification},
            "Environment": self.request.get("Environment") or {},
            "ProcessingInputs": [
                {**entry, "S3Input": {**defaults, **entry["S3Input"]}}
                for entry in self.request.get("ProcessingInputs") or []
            ],
            "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": None, **output_config},
            "ProcessingResources": {"ClusterConfig": {"VolumeKmsKeyId": None, **resources["ClusterConfig"]}},
            "NetworkConfig": {
                "VpcConfig": None,
                "EnableNetworkIsolation": False,
                "EnableInterContainerTrafficEncryption": False,
                **network,
            },
            "RoleArn": self.request["RoleArn"],
            "StoppingCondition": self.request["StoppingCondition"],
        }
        cluster = {
            "current_host": HOST,
            "current_instance_type": resources["ClusterConfig"]["InstanceType"],
            "hosts": [HOST],
            "network_interface_name": "lo",
        }
        folder.mkdir(parents=True)
        (folder / "processingjobconfig.json").write_text(json.dumps(job))
        (folder / "resourceconfig.json").write_text(json.dumps(cluster))
