"""One batch transform job: S3 objects sent to a model's container, and what it answers put into S3."""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from local_aws.sagemaker import data
from local_aws.sagemaker.failures import LONGEST_REASON
from local_aws.sagemaker.jobs import Job, JobFailed, Surroundings
from local_aws.sagemaker.logs import LogStream
from local_aws.sagemaker.serving import ModelServer, NotHealthy, ServedModel
from local_aws.sagemaker.transformation import INVOCATION_SECONDS, Transformation
from local_aws.sagemaker.usage import Usage

LOG_GROUP = "/aws/sagemaker/TransformJobs"


class TransformJob(Job):
    """What one CreateTransformJob request asked for, and what has become of it."""

    kind = "TransformJob"
    arn_type = "transform-job"
    summary_members = ("TransformEndTime", "FailureReason")

    def __init__(self, request: Mapping[str, Any], arn: str, model: ServedModel) -> None:
        super().__init__(request, arn)
        self.request["TransformInput"] = {"CompressionType": "None", "SplitType": "None", **request["TransformInput"]}
        self.request["TransformOutput"] = {"AssembleWith": "None", **request["TransformOutput"]}
        self._model = replace(
            model,
            variables={**model.variables, **(request.get("Environment") or {}), **batch_variables(request)},
            invocation_seconds=(request.get("ModelClientConfig") or {}).get(
                "InvocationsTimeoutInSeconds", INVOCATION_SECONDS
            ),
        )

    def _described(self) -> dict[str, Any]:
        return {"TransformStartTime": self.start_time, "TransformEndTime": self.end_time}

    def _work(self, surroundings: Surroundings) -> None:
        with self._slot():
            client = surroundings.role.client("logs")
            host = f"{self.name}/i-{uuid.uuid4().hex[:17]}"
            stream = f"{host}-{int(time.time())}"
            usage = Usage(surroundings.role.client("cloudwatch"), LOG_GROUP, host)
            with closing(LogStream(client, LOG_GROUP, stream)) as log:
                with closing(LogStream(client, LOG_GROUP, f"{stream}/data-log")) as data_log:
                    self._transform(surroundings, log, data_log, usage)

    def _transform(self, surroundings: Surroundings, log: LogStream, data_log: LogStream, usage: Usage) -> None:
        s3 = surroundings.role.client("s3")
        objects = data.named_objects(s3, self.request["TransformInput"]["DataSource"]["S3DataSource"])
        server = ModelServer(self._model, replace(surroundings, folder=surroundings.folder / "server"), log)
        try:
            with self._watched(server, usage):
                server.start()
                failed = Transformation(
                    self.request, server, s3, surroundings.folder / "data", data_log, self._unless_stopped
                ).run(objects)
        except NotHealthy as error:
            self._unless_stopped()
            message = "The container did not pass the ping health check."
            raise JobFailed(_reason("AlgorithmError", message, str(error))) from error
        except Exception:
            self._unless_stopped()  # whatever went wrong then, it was the server's end
            raise
        finally:
            server.stop(drain=False)
        self._unless_stopped()
        if failed:
            raise JobFailed(
                _reason(failed.fault, str(failed), server.last_words if failed.fault == "AlgorithmError" else "")
            )

    @contextmanager
    def _watched(self, server: ModelServer, usage: Usage) -> Iterator[None]:
        """Take note of what the server uses; where the job is to stop, end it: all that waits for it goes on."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.05):
                if server.pid:
                    usage.sample(server.pid)
                if self._stop.is_set():
                    server.stop(drain=False)
                    return

        watcher = threading.Thread(target=watch, name=f"watch {self.arn_type} {self.name}", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            usage.publish()


def batch_variables(request: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables by which a container knows that it is in a batch transform job, and in which."""
    strategies = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
    settings = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategies.get(request.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    return {"SAGEMAKER_BATCH": "true"} | {name: str(value) for name, value in settings.items() if value is not None}


def _reason(fault: str, message: str, last_words: str) -> str:
    """FailureReason: AWS's words, what failed, and as much of the container's last lines as there is room for."""
    reason = f"{fault}: See job logs for more information. {message}"
    if not last_words:
        return reason
    reason = f"{reason[: LONGEST_REASON // 2]} The container's last lines on stderr: "
    return reason + last_words[len(reason) - LONGEST_REASON :]
