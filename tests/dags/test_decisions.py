"""The comparison of the smoke test, the requests: pure functions."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from flight_delay import spec
from flight_delay_batch import spec as batch_spec
from silverline import jobs, model_packages, sagemaker_requests, sql
from silverline.pipeline import GATED, pipeline
from silverline.platform import Platform
from silverline.smoke_test import differences
from silverline.spec import Costs

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts" / spec.name
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/test-flight-delay/1"


@pytest.mark.parametrize(("tested", "shown"), [(PACKAGE, True), (PACKAGE.replace("/1", "/0"), False)])
def test_a_report_has_the_smoke_test_of_its_own_model_and_none_of_before_tasks_were_cleared(
    monkeypatch: pytest.MonkeyPatch, tested: str, shown: bool
) -> None:
    monkeypatch.setattr(model_packages, "approval", lambda arn: ("Approved", ""))
    task: Any = pipeline(spec, "").get_task("report")
    plan = {"as_of": "2013-03", "splits": {}, "compute": []}
    smoke = {"answers": 1, "package": tested}
    report = task.python_callable(plan, [], dict.fromkeys(GATED), PACKAGE, smoke, None, [None])
    assert report["smoke_test"] == (smoke if shown else None)


def test_a_model_that_is_held_says_how_it_is_deployed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_packages, "approval", lambda arn: ("PendingManualApproval", ""))
    decide: Any = pipeline(spec, "").get_task("approve.decide")
    with pytest.raises(
        AirflowSkipException, match="the gate says hold; to deploy it .* approve it in the registry and"
    ):
        decide.python_callable({"decision": "hold", "reasons": []}, PACKAGE)


def test_the_metric_that_the_gate_judges_by_is_one_that_the_evaluation_gives_of_slices() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", "import measures; print(*measures.ROW_METRICS)"],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert spec.gate.metric in printed.stdout.split()


@pytest.mark.parametrize(
    ("expected", "answered", "count"),
    [
        ({"p": [0.25, 0.5]}, {"p": [0.2500000001, 0.5]}, 0),
        ({"p": [0.25, 0.5]}, {"p": [0.26, 0.5]}, 1),
        ({"p": [0.25]}, {"p": [0.25, 0.5]}, 1),
        ({"p": 0.25}, {"q": 0.25}, 1),
        ({"late": True}, {"late": False}, 1),
        ([0.0, 1.0], [0, 1], 0),
        ("a", None, 1),
    ],
)
def test_answers_are_compared_value_by_value(expected: Any, answered: Any, count: int) -> None:
    assert len(differences(expected, answered)) == count


def test_a_pipeline_name_that_aws_could_not_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="use 2 to 31 of"):
        dataclasses.replace(spec, name="Flight Delay")


def test_a_platform_document_without_a_bucket_says_which_and_what_to_do() -> None:
    with pytest.raises(KeyError, match="lacks silver_bucket, .*apply infra/terraform or run `make run`"):
        Platform.from_document({"environment": "dev", "bronze_bucket": "b"})


def test_hyperparameters_travel_as_json_so_that_a_commit_of_digits_stays_text() -> None:
    request = sagemaker_requests.training_job(spec, "job", "s3://b/splits/", "s3://b/source.tar.gz", "v1")
    assert request["HyperParameters"]["git_commit"] == '"{{ var.value.git_commit }}"'
    assert request["HyperParameters"]["sagemaker_program"] == '"train.py"'
    assert request["HyperParameters"]["seed"] == "2013"


def test_each_split_is_a_channel_and_each_metric_of_each_split_is_matched() -> None:
    request = sagemaker_requests.training_job(spec, "job", "s3://b/splits/", "s3://b/source.tar.gz", "v1")
    uris = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in request["InputDataConfig"]]
    assert uris[:3] == ["s3://b/splits/train/", "s3://b/splits/validation/", "s3://b/splits/test/"]
    definitions = {item["Name"] for item in request["AlgorithmSpecification"]["MetricDefinitions"]}
    assert {"train:roc_auc", "validation:log_loss", "test:brier"} <= definitions


def test_training_and_serving_have_no_network_and_the_code_comes_as_a_channel() -> None:
    training = sagemaker_requests.training_job(spec, "job", "s3://b/splits/", "s3://b/s/sourcedir.tar.gz", "v1")
    assert training["EnableNetworkIsolation"]
    assert sagemaker_requests.model(spec, "model", PACKAGE)["EnableNetworkIsolation"]
    code = training["InputDataConfig"][-1]
    assert code["ChannelName"] == "code"
    assert code["DataSource"]["S3DataSource"]["S3Uri"] == "s3://b/s/sourcedir.tar.gz"
    assert training["HyperParameters"]["sagemaker_submit_directory"] == '"/opt/ml/input/data/code/sourcedir.tar.gz"'


def test_training_is_told_the_costs_that_the_evaluation_measures_by() -> None:
    priced = dataclasses.replace(spec, costs=Costs(missed=4, false_alarm=0.5))
    request = sagemaker_requests.training_job(priced, "job", "s3://b/splits/", "s3://b/source.tar.gz", "v1")
    assert (request["HyperParameters"]["cost_missed"], request["HyperParameters"]["cost_false_alarm"]) == ("4", "0.5")


def evaluation_job(**changes: Any) -> dict[str, Any]:
    inputs = sagemaker_requests.evaluation_inputs(
        source="s3://b/s/sourcedir.tar.gz",
        model_data="s3://b/job/output/model.tar.gz",
        splits="s3://b/splits/",
        champion="s3://b/old/output/model.tar.gz",
    )
    return sagemaker_requests.evaluation_job(dataclasses.replace(spec, **changes), "job", inputs)


def test_an_evaluation_gets_the_scripts_the_test_split_and_both_models_where_its_script_looks_for_them() -> None:
    inputs = {item["InputName"]: item["S3Input"] for item in evaluation_job()["ProcessingInputs"]}
    assert {name: place["S3Uri"] for name, place in inputs.items()} == {
        "code": "s3://b/s/sourcedir.tar.gz",
        "challenger": "s3://b/job/output/",
        "test": "s3://b/splits/test/",
        "champion": "s3://b/old/output/model.tar.gz",
    }
    assert {place["LocalPath"] for place in inputs.values()} == {f"/opt/ml/processing/input/{name}" for name in inputs}


def test_without_a_champion_an_evaluation_has_no_such_input() -> None:
    inputs = sagemaker_requests.evaluation_inputs("s3://b/s.tar.gz", "s3://b/o/model.tar.gz", "s3://b/splits/", None)
    assert "champion" not in {item["InputName"] for item in inputs}


def test_an_evaluation_has_no_network_and_measures_by_the_specs_costs_and_slices() -> None:
    request = evaluation_job(
        slices=("carrier", "origin"), clusters=("month", "day"), costs=Costs(missed=4, false_alarm=0.5)
    )
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    words = request["AppSpecification"]["ContainerArguments"]
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "--label": "is_late",
        "--slices": "carrier,origin",
        "--clusters": "month,day",
        "--cost_missed": "4",
        "--cost_false_alarm": "0.5",
    }
    assert all(
        len(word) <= 256 for word in [*words, *request["AppSpecification"]["ContainerEntrypoint"]]
    )  # AWS's limit


@pytest.mark.parametrize(("evaluated", "same"), [("flight-delay-run-2", True), ("flight-delay-run-1", False)])
def test_a_retry_recognises_its_evaluation_by_the_model_whose_training_job_may_have_its_name(
    evaluated: str, same: bool
) -> None:
    def request(name: str, trained: str) -> dict[str, Any]:
        inputs = sagemaker_requests.evaluation_inputs(
            "s3://b/s.tar.gz", f"s3://b/{trained}/output/m", "s3://b/t/", None
        )
        return sagemaker_requests.evaluation_job(spec, name, inputs)

    started = request("flight-delay-run-1", evaluated)
    retried = request("flight-delay-run-2", "flight-delay-run-2")
    assert jobs.is_asked_for(started, retried, jobs.PROCESSING) is same


def test_a_retry_recognises_its_batch_whatever_try_made_the_model() -> None:
    def request(number: int) -> dict[str, Any]:
        name = f"flight-delay-batch-run-{number}"
        return sagemaker_requests.transform_job(batch_spec, name, "flight-delay-batch-run-2", "s3://b/r/", "Gzip")

    assert jobs.is_asked_for(request(1), request(2), jobs.TRANSFORM)


def test_jobs_and_endpoints_have_roles_of_their_own() -> None:
    training = sagemaker_requests.training_job(spec, "job", "s3://b/", "s3://b/s.tar.gz", "v1")
    assert training["RoleArn"] == "{{ platform().sagemaker_jobs_role_arn }}"
    model = sagemaker_requests.model(spec, "model", PACKAGE)
    assert model["ExecutionRoleArn"] == "{{ platform().sagemaker_endpoint_role_arn }}"


@pytest.mark.parametrize(
    ("instance_type", "takes_key"),
    [
        *[(name, True) for name in ("ml.m5.xlarge", "ml.t2.medium", "ml.c6i.large", "ml.p3.2xlarge", "ml.inf2.xlarge")],
        *[(name, False) for name in ("ml.m5d.xlarge", "ml.c6gd.large", "ml.g4dn.xlarge", "ml.p4d.24xlarge")],
        *[(name, False) for name in ("ml.g5.xlarge", "ml.g6e.xlarge", "ml.p5.48xlarge", "ml.trn1.2xlarge")],
        *[(name, False) for name in ("ml.dl1.24xlarge", "ml.p6-b200.48xlarge", "ml.g7e.2xlarge", "ml.p4de.24xlarge")],
    ],
)
def test_volumes_are_encrypted_with_the_platforms_key_where_the_instance_type_takes_one(
    instance_type: str, takes_key: bool
) -> None:
    sized = dataclasses.replace(spec, training_instance_type=instance_type, endpoint_instance_type=instance_type)
    training = sagemaker_requests.training_job(sized, "job", "s3://b/", "s3://b/s.tar.gz", "v1")
    assert ("VolumeKmsKeyId" in training["ResourceConfig"]) is takes_key
    assert ("KmsKeyId" in sagemaker_requests.endpoint_config(sized, "config", "model")) is takes_key
    assert training["OutputDataConfig"]["KmsKeyId"] == "{{ platform().kms_key_arn }}"
    evaluation = evaluation_job(evaluation_instance_type=instance_type)
    cluster = evaluation["ProcessingResources"]["ClusterConfig"]
    assert ("VolumeKmsKeyId" in cluster) is takes_key
    assert evaluation["ProcessingOutputConfig"]["KmsKeyId"] == "{{ platform().kms_key_arn }}"


def test_everything_made_in_sagemaker_is_tagged_with_its_pipeline_and_run() -> None:
    for request in (
        sagemaker_requests.training_job(spec, "job", "s3://b/", "s3://b/s.tar.gz", "v1"),
        evaluation_job(),
        sagemaker_requests.model(spec, "model", PACKAGE),
        sagemaker_requests.endpoint_config(spec, "config", "model"),
        sagemaker_requests.endpoint(spec, "config"),
    ):
        tags = {tag["Key"] for tag in request["Tags"]}
        assert tags == {"Project", "Environment", "Pipeline", "AirflowDag", "AirflowRun"}


@pytest.mark.parametrize(
    ("changed", "is_silver"),
    [
        ("bronze/flights.json", True),
        ("staging/checked_flights.sql", True),
        ("silver/flights.sql", True),
        ("audit/features.sql", True),
        ("splits/split.sql", True),
        ("gold/requests.sql", False),
        ("audit/gold/predictions.sql", False),
    ],
)
def test_a_changed_statement_or_bronze_table_means_that_silver_is_computed_anew_but_for_golds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, is_silver: bool
) -> None:
    shutil.copytree(sql.SQL_FOLDER, tmp_path, dirs_exist_ok=True)
    before = sql.digest("flight_delay")
    monkeypatch.setattr(sql, "SQL_FOLDER", tmp_path)
    assert sql.digest("flight_delay") == before
    with (tmp_path / "flight_delay" / changed).open("a") as file:
        file.write("\n")
    assert (sql.digest("flight_delay") != before) is is_silver
