"""Endpoints: which model servers stand behind a name, and how one set takes over from another."""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.data import DataError
from local_aws.sagemaker.images import ImageUnavailable
from local_aws.sagemaker.serving import Answer, ModelServer, NotHealthy, Variant

logger = logging.getLogger(__name__)


class UnknownVariant(Exception):
    """A request's TargetVariant is none of the endpoint's."""


class Endpoint:
    """A name, its status, and the model servers that answer for it."""

    def __init__(self, name: str, arn: str, config_name: str, tags: list[dict[str, str]], data_capture: Any) -> None:
        self.endpoint_name = name
        self.arn = arn
        self.endpoint_config_name = config_name
        self.tags = tags
        self.data_capture_config = data_capture
        self.endpoint_status = "Creating"
        self.failure_reason: str | None = None
        self.creation_time = self.last_modified_time = datetime.now(UTC)
        self._servers: list[ModelServer] = []
        self._starting: list[ModelServer] = []
        self._weights: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def response_create(self) -> dict[str, str]:
        return {"EndpointArn": self.arn}

    def summary(self) -> dict[str, Any]:
        """The endpoint's line in ListEndpoints."""
        return {
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.arn,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "EndpointStatus": self.endpoint_status,
        }

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to DescribeEndpoint."""
        with self._lock:
            described = {
                **self.summary(),
                "EndpointConfigName": self.endpoint_config_name,
                "FailureReason": self.failure_reason,
                "DataCaptureConfig": self.data_capture_config,
                "ProductionVariants": [self._described(server.variant) for server in self._servers] or None,
            }
        return {key: value for key, value in described.items() if value is not None}

    def _described(self, variant: Variant) -> dict[str, Any]:
        weight, count = self._weights[variant.name], self._counts[variant.name]
        image = {"SpecifiedImage": variant.image, "ResolvedImage": variant.image, "ResolutionTime": self.creation_time}
        return {
            "VariantName": variant.name,
            "DeployedImages": [image],
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": count,
            "DesiredInstanceCount": count,
        }

    def deploy(self, config_name: str, variants: Callable[[], Sequence[Variant]], folder: Path) -> None:
        """Start `variants` in a thread; once all answer they replace the present ones, and if one fails none does."""
        arguments = (config_name, variants, folder)
        threading.Thread(target=self._deploy, args=arguments, daemon=True).start()

    def _deploy(self, config_name: str, variants: Callable[[], Sequence[Variant]], folder: Path) -> None:
        servers: list[ModelServer] = []
        reason = None
        try:
            for variant in variants():
                servers.append(ModelServer(variant, self.endpoint_name, folder / variant.name))
                self._starting = servers
                servers[-1].start()
        except (NotHealthy, DataError, ImageUnavailable) as error:
            reason = str(error)
        except (ClientError, BotoCoreError) as error:
            reason = f"AWS refused the endpoint's role: {error}"
        except Exception as error:  # this thread is the last to see it: the endpoint has to say so
            logger.exception("endpoint %s", self.endpoint_name)
            reason = f"local AWS failed with {error!r}; its log has more"
        with self._lock:
            superseded = servers
            if not reason and not self._closed:
                superseded, self._servers = self._servers, servers
                self._weights = {server.variant.name: server.variant.weight for server in servers}
                self._counts = {server.variant.name: server.variant.instance_count for server in servers}
                self.endpoint_config_name = config_name
            self._starting = []
            self.failure_reason = reason
            self.endpoint_status = "InService" if self._servers else "Failed"
            self.last_modified_time = datetime.now(UTC)
        for server in superseded:
            server.stop()

    def serves(self) -> bool:
        """Whether there is a model server to answer a request."""
        return bool(self._servers)

    def in_progress(self) -> bool:
        """Whether the endpoint is being created or changed, so that AWS refuses to change it."""
        return self.endpoint_status in ("Creating", "Updating")

    def begin_update(self) -> bool:
        """Enter Updating; False where the endpoint isn't InService."""
        with self._lock:
            if self.endpoint_status != "InService":
                return False
            self.endpoint_status = "Updating"
            return True

    def set_capacities(self, desired: Sequence[Mapping[str, Any]]) -> None:
        """Change variants' weights and instance counts; UnknownVariant, and no change, where a name is unknown."""
        with self._lock:
            for change in desired:
                if change["VariantName"] not in self._weights:
                    raise UnknownVariant(change["VariantName"])
            for change in desired:
                name = change["VariantName"]
                self._weights[name] = change.get("DesiredWeight", self._weights[name])
                self._counts[name] = change.get("DesiredInstanceCount", self._counts[name])
            self.last_modified_time = datetime.now(UTC)

    def invoke(self, body: bytes, headers: Mapping[str, str], target: str | None) -> tuple[str, Answer]:
        """The variant that answered (chosen by weight, or `target`), and its answer."""
        with self._chosen(target) as server:
            return server.variant.name, server.invoke(body, headers)

    @contextmanager
    def _chosen(self, target: str | None) -> Iterator[ModelServer]:
        with self._lock:
            if target is not None:
                candidates = [server for server in self._servers if server.variant.name == target]
                if not candidates:
                    raise UnknownVariant(target)
                server = candidates[0]
            elif len(self._servers) == 1:
                server = self._servers[0]
            else:
                weights = [self._weights[server.variant.name] for server in self._servers]
                server = random.choices(self._servers, weights)[0]
            server.enter()
        try:
            yield server
        finally:
            server.leave()

    def close(self, drain: bool = True) -> None:
        """End every model server."""
        with self._lock:
            self._closed = True
            servers, self._servers = self._servers + self._starting, []
        for server in servers:
            server.stop(drain)
