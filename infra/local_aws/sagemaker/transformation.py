"""The way of S3 objects through a model server: cut into requests, answered, and put together again."""

import gzip
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from local_aws.sagemaker import data
from local_aws.sagemaker.logs import LogStream
from local_aws.sagemaker.records import DataProcessing, RecordError, assembled, batches, lines
from local_aws.sagemaker.serving import Answer, ModelServer, NoAnswer

DEFAULT_PAYLOAD_MB = 6
# The defaults of InvocationsTimeoutInSeconds and InvocationsMaxRetries.
INVOCATION_SECONDS = 600
RETRIES = 3


class ObjectFailed(Exception):
    """An object has no output; `fault` is whose fault that is: "ClientError" or "AlgorithmError"."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class Transformation:
    """What a CreateTransformJob request, and where it says nothing the container, wants done with its objects;
    `unless_stopped` raises where it is to end."""

    def __init__(
        self,
        request: Mapping[str, Any],
        server: ModelServer,
        s3: Any,
        folder: Path,
        log: LogStream,
        unless_stopped: Callable[[], None],
    ) -> None:
        self._source, self._output = request["TransformInput"], request["TransformOutput"]
        self._processing = DataProcessing(request.get("DataProcessing") or {})
        said = server.execution_parameters()
        self._single = (request.get("BatchStrategy") or said.get("BatchStrategy")) in ("SingleRecord", "SINGLE_RECORD")
        self._megabytes = int(request.get("MaxPayloadInMB", said.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)))
        self._concurrent = int(request.get("MaxConcurrentTransforms") or said.get("MaxConcurrentTransforms") or 1)
        retries: int = (request.get("ModelClientConfig") or {}).get("InvocationsMaxRetries", RETRIES)
        self._attempts = 1 + retries
        self._server = server
        self._s3 = s3
        self._folder = folder
        self._log = log
        self._unless_stopped = unless_stopped

    def run(self, objects: Sequence[tuple[str, str, str]]) -> ObjectFailed | None:
        """Put the output of each (bucket, key, name) into S3, once all have been sent; the first failure among them."""
        strategy = "SINGLE_RECORD" if self._single else "MULTI_RECORD"
        self._write(
            f"MaxConcurrentTransforms={self._concurrent}, MaxPayloadInMB={self._megabytes}, BatchStrategy={strategy}"
        )
        first: ObjectFailed | None = None
        # Threads for objects, which wait for answers, and others for requests: as many as may be under way at once.
        with ThreadPoolExecutor(self._concurrent) as workers, ThreadPoolExecutor(self._concurrent) as requests:
            futures = [
                workers.submit(self._transform, requests, self._folder / str(number), bucket, key)
                for number, (bucket, key, _) in enumerate(objects)
            ]
            outputs: dict[str, Path] = {}
            for (_, _, name), future in zip(objects, futures, strict=True):
                try:
                    outputs[name] = future.result()
                except ObjectFailed as failed:
                    first = first or failed
        for name, output in outputs.items():
            self._unless_stopped()
            self._upload(output, name)
        return first

    def _transform(self, requests: ThreadPoolExecutor, folder: Path, bucket: str, key: str) -> Path:
        """One object's output, whole; ObjectFailed where it can't be made."""
        self._unless_stopped()
        folder.mkdir(parents=True)
        given, made = folder / "in", folder / "out"
        try:
            data.download(self._s3, f"s3://{bucket}/{key}", given)
            compressed = self._source["CompressionType"] == "Gzip"
            opened: Any = gzip.open(given) if compressed else given.open("rb")
            with opened as source, made.open("wb") as target:
                for answer in in_order(requests, self._answer, self._bodies(source), 2 * self._concurrent):
                    target.write(assembled(answer, self._output["AssembleWith"] == "Line"))
        except (ObjectFailed, RecordError, data.DataError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            failed = error if isinstance(error, ObjectFailed) else ObjectFailed("ClientError", str(error))
            for line in str(failed).splitlines():
                self._write(f"{bucket}/{key}: {line}")
            raise ObjectFailed(failed.fault, f"{bucket}/{key}: {failed}") from error
        given.unlink()
        return made

    def _bodies(self, source: IO[bytes]) -> Iterator[bytes]:
        most = self._megabytes * 2**20 or sys.maxsize
        if self._source["SplitType"] == "Line":
            yield from batches(lines(source), most, self._single)
        else:
            yield from batches([source.read()], most, single=True)

    def _answer(self, body: bytes) -> bytes:
        """What the container makes of a request's body, as it goes into the output."""
        content_type = self._source.get("ContentType", "")
        answer = self._invoke(self._processing.filtered(body, content_type))
        return self._processing.associated(
            body, content_type, answer.body, self._output.get("Accept") or answer.content_type
        )

    def _invoke(self, body: bytes) -> Answer:
        headers = {"Content-Type": self._source.get("ContentType"), "Accept": self._output.get("Accept")}
        sent = {name: value for name, value in headers.items() if value}
        for _ in range(self._attempts):
            self._unless_stopped()
            try:
                answer = self._server.invoke(body, sent)
            except NoAnswer:
                failed = ObjectFailed("AlgorithmError", "Unable to get response from algorithm: it took too long")
                continue
            if 200 <= answer.status < 300:
                return answer
            text = answer.body.decode(errors="replace").strip()
            if answer.status < 500:
                raise ObjectFailed("ClientError", f"ClientError: {answer.status}\n\nMessage:\n{text}")
            failed = ObjectFailed(
                "AlgorithmError", f"Bad HTTP status received from algorithm: {answer.status}\n\nMessage:\n{text}"
            )
        raise failed

    def _upload(self, made: Path, name: str) -> None:
        uri = f"{self._output['S3OutputPath'].rstrip('/')}/{name}.out"
        data.upload(self._s3, made, uri, self._output.get("KmsKeyId"))

    def _write(self, line: str) -> None:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        self._log.write(f"{time}:[sagemaker logs]: {line}")


def in_order[T, R](pool: ThreadPoolExecutor, call: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """What `call` makes of each item, in their order, while `ahead` of them at most are under way or wait."""
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
