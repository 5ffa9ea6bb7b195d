"""Airflow's metrics arrive where OpenTelemetry's variables lead, from a scheduler started as `make run` starts it."""

import gzip
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from airflow_services import state_in
from laptop import airflow, services
from laptop.settings import REPOSITORY, Settings
from ports import free_ports

PAGE = REPOSITORY / "docs" / "telemetry.md"


class Receiver(BaseHTTPRequestHandler):
    """OTLP by HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request"""

    received: Queue[tuple[str, float]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/metrics"
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in [*metric.sum.data_points, *metric.gauge.data_points]:
                    self.received.put((metric.name, point.as_int or point.as_double))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what arrives is looked at."""


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    Receiver.received = Queue()
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def environment(
    receiver: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """That of Airflow where the user has set what the page's first command sets, for this receiver."""
    (command,) = re.findall(r"^ {4}(\S.*) make run$", PAGE.read_text(), re.MULTILINE)[:1]
    address = f"http://127.0.0.1:{receiver.server_port}"
    variables = dict(each.split("=") for each in command.replace("http://127.0.0.1:4318", address).split())
    assert address in variables.values()
    monkeypatch.setattr(os, "environ", os.environ | variables)
    with state_in(tmp_path):
        yield Settings(*free_ports(2)).environment() | {"OTEL_METRIC_EXPORT_INTERVAL": "500"}


def test_the_schedulers_heartbeats_arrive(environment: dict[str, str]) -> None:
    subprocess.run([*airflow.AIRFLOW, "db", "migrate"], env=environment, check=True, capture_output=True)
    services.start("airflow-scheduler", airflow.SERVICES["airflow-scheduler"], environment)
    try:
        found: dict[str, float] = {}
        while "airflow.scheduler_heartbeat" not in found:
            name, value = Receiver.received.get(timeout=200)
            found[name] = value
        assert found["airflow.scheduler_heartbeat"] >= 1
    except Empty:
        pytest.fail(f"no metric has come for a minute: {services.log('airflow-scheduler').read_text()}")
    finally:
        services.stop_all()
