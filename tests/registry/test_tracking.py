"""What MLflow is told of a registered model: by MLflow's own server, read back by its own client."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from small_model import PLATFORM, SILVER_RUNS, SOURCE, gate, plan

from flight_delay import spec
from ports import free_ports
from silverline import model_packages, objects, registration, tracking

pytestmark = [pytest.mark.timeout(300), pytest.mark.long(90)]
EXPERIMENT = "flight_delay-test"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/ours"
Track = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server that keeps its runs in a database and its artifacts in a folder."""
    folder, (port,) = tmp_path_factory.mktemp("mlflow"), free_ports(1)
    options = {
        "host": "127.0.0.1",
        "port": str(port),
        "workers": "1",
        "backend-store-uri": f"sqlite:///{folder}/mlflow.db",
        "artifacts-destination": f"{folder}/artifacts",
    }
    command = [sys.executable, "-m", "mlflow", "server"]
    command += [word for name, value in options.items() for word in (f"--{name}", value)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | quiet, stdout=log, stderr=log, cwd=folder)
        while not is_up(url):
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.5)
        yield url
        process.terminate()
        process.wait(20)


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is yet to be, and MLflow's database then: to make one takes seconds."""
    return tmp_path_factory.mktemp("database") / "mlflow.db"


@pytest.fixture
def track(model: str, package: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Track]:
    """Tells the MLflow at an address of the model; what that makes of this process is undone."""
    for name in tracking.CLIENT:
        monkeypatch.setenv(name, tracking.CLIENT[name])

    def run(uri: str, decision: str = "promote", package: str = package) -> dict[str, str]:
        return tracking.track(PLATFORM, spec, uri, gate(model, decision), package, "manual__2013-04-01")

    yield run
    mlflow.set_tracking_uri(None)


@pytest.fixture
def tracked(track: Track, server: str) -> tuple[MlflowClient, str]:
    """A client, and the id of the run that was told of."""
    return MlflowClient(server), track(server)["run_id"]


def test_parameters_are_the_hyperparameters(tracked: tuple[MlflowClient, str]) -> None:
    client, run_id = tracked
    run = client.get_run(run_id)
    assert run.data.params == {"seed": "2013", "max_iter": "300"}
    assert run.info.status == "FINISHED" and run.info.run_name == "small-1"
    assert client.get_experiment(run.info.experiment_id).name == EXPERIMENT


def test_metrics_are_the_jobs_and_the_evaluations_with_their_intervals(tracked: tuple[MlflowClient, str]) -> None:
    client, run_id = tracked
    metrics = client.get_run(run_id).data.metrics
    assert metrics["test/roc_auc"] == 0.75
    assert metrics["evaluation/challenger/roc_auc"] == 0.758
    assert metrics["evaluation/challenger/roc_auc_low"] == 0.752
    assert metrics["evaluation/challenger/roc_auc_high"] == 0.764
    assert metrics["evaluation/base_rate/roc_auc"] == 0.5 and "evaluation/base_rate/roc_auc_low" not in metrics


def test_curves_are_metrics_by_step(tracked: tuple[MlflowClient, str]) -> None:
    client, run_id = tracked
    history = client.get_metric_history(run_id, "curves/log_loss/validation")
    assert [(point.step, point.value) for point in history] == [(0, 0.7), (1, 0.6), (2, 0.5)]


def test_tags_say_what_the_model_was_made_of_and_what_was_decided(
    tracked: tuple[MlflowClient, str], package: str
) -> None:
    client, run_id = tracked
    tags = client.get_run(run_id).data.tags
    assert tags["training_job"] == "small-1" and tags["dag_run"] == "manual__2013-04-01"
    assert tags["git_commit"] == "a" * 40 and tags["data_version"] == "0123456789abcdef"
    assert tags["source"] == SOURCE and tags["image"] == PLATFORM.sagemaker_image
    assert tags["model_package"] == package and tags["decision"] == "promote"


def test_artifacts_are_the_evaluation_its_plots_the_card_and_the_lineage(
    tracked: tuple[MlflowClient, str], package: str, tmp_path: Path
) -> None:
    client, run_id = tracked
    names = {file.path for folder in ("", "plots") for file in client.list_artifacts(run_id, folder)}
    assert names >= {"comparison.json", "evaluation.json", "lineage.json", "model_card.html", "plots/roc.png"}
    facts = model_packages.facts(model_packages.describe(package))
    for name, address in {"lineage.json": facts["lineage"], "model_card.html": facts["model_card"]}.items():
        assert Path(client.download_artifacts(run_id, name, str(tmp_path))).read_bytes() == objects.read(address)


def test_told_again_it_is_the_same_run_and_nothing_doubles(track: Track, server: str) -> None:
    first, again = track(server), track(server)
    assert again == first
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id], "tags.training_job = 'small-1'")) == 1
    for metric in ("curves/log_loss/train", "test/roc_auc", "evaluation/challenger/roc_auc"):
        assert len(client.get_metric_history(first["run_id"], metric)) == (3 if "curves" in metric else 1)


def test_a_try_that_was_cut_short_is_not_finished_and_the_next_one_ends_it(
    track: Track, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{database}"
    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(tracking, "_fetch", crash)
        track(uri)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    (cut,) = client.search_runs([experiment.experiment_id])
    assert cut.info.status == "RUNNING"
    assert track(uri)["run_id"] == cut.info.run_id
    assert client.get_run(cut.info.run_id).info.status == "FINISHED"


def crash(*arguments: Any) -> None:
    raise ConnectionError


def test_artifacts_of_a_database_file_lie_beside_it(track: Track, database: Path) -> None:
    run_id = track(f"sqlite:///{database}")["run_id"]
    assert (database.with_suffix(".artifacts") / run_id / "artifacts" / "evaluation.json").exists()


def test_a_model_that_the_gate_rejects_is_told_of_too(track: Track, server: str, model: str) -> None:
    rejected = registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gate(model, "reject", "evaluation-tracked"))
    run_id = track(server, "reject", rejected)["run_id"]
    assert MlflowClient(server).get_run(run_id).data.tags["decision"] == "reject"


def test_sagemakers_managed_mlflow_is_asked_by_its_arn_with_signed_requests(
    track: Track, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", server)  # what would be AWS's own
    sent: list[Any] = []
    send = requests.Session.send

    def listen(session: Any, request: Any, **arguments: Any) -> Any:
        sent.append(request)
        return send(session, request, **arguments)

    monkeypatch.setattr(requests.Session, "send", listen)
    run_id = track(ARN)["run_id"]
    assert MlflowClient(server).get_run(run_id).data.tags["training_job"] == "small-1"
    asked = [request for request in sent if "/mlflow/" in request.url]
    assert asked and all(request.headers["x-mlflow-sm-tracking-server-arn"] == ARN for request in asked[:5])
    assert all("/us-east-1/sagemaker-mlflow/aws4_request" in request.headers["Authorization"] for request in asked[:5])


def test_a_server_that_is_down_is_an_error_that_names_it_within_a_minute(track: Track) -> None:
    (port,) = free_ports(1)
    began = time.monotonic()
    with pytest.raises(MlflowException, match=f"127.0.0.1.*{port}"):
        track(f"http://127.0.0.1:{port}")
    assert time.monotonic() - began < 60


def test_a_folder_is_refused_by_mlflow_itself_which_says_what_to_take_instead(track: Track, tmp_path: Path) -> None:
    with pytest.raises(MlflowException, match="sqlite:///mlflow.db"):
        track(tmp_path.as_uri())


def test_the_environment_goes_before_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.address(PLATFORM) is None
    configured = type(PLATFORM).from_document({**vars(PLATFORM), "mlflow_tracking_uri": "http://of-the-platform"})
    assert tracking.address(configured) == "http://of-the-platform"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://of-the-environment")
    assert tracking.address(configured) == "http://of-the-environment"


def test_more_metrics_than_a_request_takes_are_told_in_several(
    track: Track, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"auc": {"train": [1 / (step + 1) for step in range(2500)]}}
    monkeypatch.setattr(tracking.evaluation, "read_outputs", lambda address: {"curves": long})
    run_id = track(server)["run_id"]
    history = MlflowClient(server).get_metric_history(run_id, "curves/auc/train")
    assert [point.value for point in history] == long["auc"]["train"]
