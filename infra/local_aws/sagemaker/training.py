"""One training job: its input from S3, AWS's own toolkit in the image's environment, its output to S3."""

import json
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker import data
from local_aws.sagemaker.container import Container
from local_aws.sagemaker.failures import LONGEST_REASON, LastWords, failure_reason
from local_aws.sagemaker.logs import LogStream, Metrics
from local_aws.sagemaker.role import RoleSession

logger = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 120.0  # AWS's own, between SIGTERM and SIGKILL
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
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
# As many jobs at once as this machine has processors; the others wait in Starting.
slots = threading.BoundedSemaphore(os.cpu_count() or 1)


class JobFailed(Exception):
    """Ends a job as Failed; the text becomes its FailureReason."""


class Interrupted(Exception):
    """Ends a job as Stopped; the text is the secondary status."""


class TrainingJob:
    """What one CreateTrainingJob request asked for, and what has become of it."""

    def __init__(
        self,
        request: Mapping[str, Any],
        arn: str,
        role: RoleSession,
        environment: Callable[[], Path],
        folder: Path,
    ) -> None:
        self.request = dict(request)
        self.arn = arn
        self.training_job_name: str = request["TrainingJobName"]
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.creation_time = self.last_modified_time = _now()
        self.training_start_time: datetime | None = None
        self.training_end_time: datetime | None = None
        self.training_job_status = "InProgress"
        self.secondary_status = ""
        self.transitions: list[dict[str, Any]] = []
        self.failure_reason: str | None = None
        self._role = role
        self._environment = environment
        self._opt_ml = folder / "ml"
        self._stop = threading.Event()
        self._killed = False
        self._lock = threading.RLock()
        self._metrics = Metrics(request["AlgorithmSpecification"].get("MetricDefinitions") or [])
        self._last_words = LastWords()
        self._enter("Starting")
        self._thread = threading.Thread(target=self._run, name=f"training {self.training_job_name}", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to stop: SIGTERM now, SIGKILL after AWS's two minutes."""
        with self._lock:
            if self.training_job_status == "InProgress":
                self.training_job_status = "Stopping"
                self._enter("Stopping")
        self._stop.set()

    def kill(self) -> None:
        """Stop the job without AWS's grace."""
        self._killed = True
        self.stop()

    def join(self, seconds: float) -> None:
        """Wait for the job's end."""
        self._thread.join(seconds)

    @property
    def model_artifacts(self) -> str:
        """Where model.tar.gz goes."""
        output_path = self.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return f"{output_path}/{self.training_job_name}/output/model.tar.gz"

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to DescribeTrainingJob."""
        with self._lock:
            seconds = None
            if self.training_start_time and self.training_end_time:
                seconds = max(1, round((self.training_end_time - self.training_start_time).total_seconds()))
            described = {
                **{key: value for key, value in self.request.items() if key not in ("Tags", "SessionChainingConfig")},
                "TrainingJobArn": self.arn,
                "ModelArtifacts": {"S3ModelArtifacts": self.model_artifacts},
                "TrainingJobStatus": self.training_job_status,
                "SecondaryStatus": self.secondary_status,
                "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
                "FailureReason": self.failure_reason,
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
                "TrainingStartTime": self.training_start_time,
                "TrainingEndTime": self.training_end_time,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
                "FinalMetricDataList": self._metrics.final() or None,
            }
        return {key: value for key, value in described.items() if value is not None}

    @property
    def summary(self) -> dict[str, Any]:
        """The job's line in ListTrainingJobs."""
        members = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime")
        described = self.response_object
        return {
            name: described[name] for name in (*members, "TrainingJobStatus", "SecondaryStatus") if name in described
        }

    def _enter(self, status: str, message: str | None = None) -> None:
        with self._lock:
            now = _now()
            if self.transitions:
                self.transitions[-1]["EndTime"] = now
            self.transitions.append({"Status": status, "StartTime": now, "StatusMessage": message or MESSAGES[status]})
            self.secondary_status = status
            self.last_modified_time = now

    def _finish(self, status: str, secondary: str, reason: str | None = None) -> None:
        with self._lock:
            self.failure_reason = reason[:LONGEST_REASON] if reason else None
            if self.training_start_time:
                self.training_end_time = _now()
            self._enter(secondary, reason[:LONGEST_REASON] if reason else None)
            self.transitions[-1]["EndTime"] = self.last_modified_time
            self.training_job_status = status

    def _run(self) -> None:
        try:
            self._wait_for_a_slot()
            try:
                self.training_start_time = _now()
                self._train()
            finally:
                shutil.rmtree(self._opt_ml.parent, ignore_errors=True)
                slots.release()
        except Interrupted as interrupted:
            self._finish("Stopped", str(interrupted))
        except JobFailed as failed:
            self._finish("Failed", "Failed", str(failed))
        except data.DataError as error:
            self._finish("Failed", "Failed", f"ClientError: {error}")
        except (ClientError, BotoCoreError) as error:
            self._finish("Failed", "Failed", f"ClientError: {error}")
        except Exception as error:  # this thread is the last to see it: the job has to say so
            logger.exception("training job %s", self.training_job_name)
            self._finish("Failed", "Failed", f"InternalServerError: local AWS failed with {error!r}; its log has more")
        else:
            self._finish("Completed", "Completed")

    def _wait_for_a_slot(self) -> None:
        while not slots.acquire(timeout=0.1):
            if self._stop.is_set():
                raise Interrupted("Stopped")

    def _train(self) -> None:
        environment = self._environment()
        shutil.rmtree(self._opt_ml.parent, ignore_errors=True)  # of an earlier server's job of this name
        s3 = self._role.client("s3")
        self._enter_unless_stopped("Downloading")
        self._write_input(s3)
        self._enter_unless_stopped("Training")
        log = LogStream(self._role.client("logs"), LOG_GROUP, f"{self.training_job_name}/algo-1-{int(time.time())}")
        interrupted: str | None = None
        try:
            container = Container(
                environment,
                ["python", "-m", "sagemaker_training.cli.train"],
                self._opt_ml,
                self._variables(),
                self._line_reader(log),
                network=not self.request.get("EnableNetworkIsolation"),
            )
            try:
                interrupted = self._supervise(container)
            finally:
                container.close()
        finally:
            log.close()
            self._metrics.publish(self._role.client("cloudwatch"), self.training_job_name)
        exit_code = container.exit_code or 0
        if exit_code and not interrupted:
            failure = self._opt_ml / "output" / "failure"
            text = failure.read_text(errors="replace") if failure.exists() else ""
            raise JobFailed(failure_reason(exit_code, text, str(self._last_words)))
        self._upload(s3, interrupted)
        if interrupted:
            raise Interrupted(interrupted)

    def _enter_unless_stopped(self, status: str) -> None:
        with self._lock:
            if self._stop.is_set():
                raise Interrupted("Stopped")
            self._enter(status)

    def _line_reader(self, log: LogStream) -> Callable[[str, str], None]:
        def read(stream: str, line: str) -> None:
            log.write(line)
            self._metrics.read(line)
            if stream == "stderr":
                self._last_words.read(line)

        return read

    def _supervise(self, container: Container) -> str | None:
        """Wait for the end of the container; the secondary status where it was ended by force, else None."""
        allowed = self.request["StoppingCondition"]["MaxRuntimeInSeconds"]
        started = time.monotonic()
        while not container.wait(0.05):
            if self._stop.is_set():
                interrupted = "Stopped"
            elif time.monotonic() - started > allowed:
                interrupted = "MaxRuntimeExceeded"
                with self._lock:
                    self.training_job_status = "Stopping"
                    self._enter("Stopping")
            else:
                continue
            container.signal(signal.SIGTERM)
            until = time.monotonic() + STOP_GRACE_SECONDS
            while container.running() and time.monotonic() < until and not self._killed:
                time.sleep(0.05)
            return interrupted
        return "Stopped" if self._stop.is_set() else None

    def _write_input(self, s3: Any) -> None:
        """Lay out /opt/ml as SageMaker does."""
        config = self._opt_ml / "input" / "config"
        for folder in (config, self._opt_ml / "model", self._opt_ml / "output" / "data"):
            folder.mkdir(parents=True)
        mode = self.request["AlgorithmSpecification"].get("TrainingInputMode", "File")
        channels: dict[str, dict[str, str]] = {}
        for channel in self.request.get("InputDataConfig") or []:
            folder = self._opt_ml / "input" / "data" / channel["ChannelName"]
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
        instance_type = self.request["ResourceConfig"]["InstanceType"]
        # The toolkit waits, without a word, until each host's name resolves: AWS's "algo-1" does not here.
        host = "localhost"
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [host]}
        documents = {
            "hyperparameters": {
                "sagemaker_region": self._role.region,
                **(self.request.get("HyperParameters") or {}),
            },
            "inputdataconfig": channels,
            "resourceconfig": {
                "current_host": host,
                "current_instance_type": instance_type,
                "current_group_name": "homogeneousCluster",
                "hosts": [host],
                "instance_groups": [group],
                "network_interface_name": "lo",
            },
        }
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))

    def _variables(self) -> dict[str, str]:
        return {
            **(self.request.get("Environment") or {}),
            **self._role.variables(),
            "TRAINING_JOB_NAME": self.training_job_name,
            "TRAINING_JOB_ARN": self.arn,
        }

    def _upload(self, s3: Any, interrupted: str | None) -> None:
        model, output = self._opt_ml / "model", self._opt_ml / "output" / "data"
        if not interrupted:
            self._enter("Uploading")
        if not interrupted or any(model.iterdir()):
            data.upload_archive(s3, model, self.model_artifacts)
        if any(output.iterdir()):
            data.upload_archive(s3, output, self.model_artifacts.replace("model.tar.gz", "output.tar.gz"))


def _now() -> datetime:
    return datetime.now(UTC)
