"""The train group of a pipeline with tuning, run by Airflow on local AWS with a model of a number."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from sagemaker_requests import BUCKET, archive, bucket_client

import airflow_runs
from laptop import platform
from silverline import source, splits

pytestmark = [pytest.mark.timeout(300), pytest.mark.long(40)]
# Its loss is least where alpha is 3, on validation; on the test split it is least anywhere else.
TRAIN = """
    import argparse, os
    from pathlib import Path

    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    alpha = parser.parse_known_args()[0].alpha
    print(f"validation:loss={abs(alpha - 3)};")
    print(f"test:loss={-abs(alpha - 3)};")
    Path(os.environ["SM_MODEL_DIR"], "alpha").write_text(str(alpha))
"""
Run = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def train(local_aws: Any) -> Iterator[Run]:
    """Runs the DAG of tunings.py with a script; returns the states of its tasks."""
    s3 = bucket_client()
    for split in ("train", "validation", "test"):
        s3.put_object(Bucket=BUCKET, Key=f"tuned/{split}/part", Body=b"rows")
    document = platform.apply()
    with pytest.MonkeyPatch.context() as patch:
        airflow_runs.prepare(Path(__file__).parent / "tunings.py", patch)
        from tunings import dag

        patch.setenv("AIRFLOW_VAR_PLATFORM", json.dumps(document))
        patch.setenv("AIRFLOW_VAR_GIT_COMMIT", "a" * 40)
        unloaded = {"prefix": f"s3://{BUCKET}/tuned/", "data_version": "0123456789abcdef"}
        patch.setattr(splits, "unload", lambda *arguments: unloaded)

        def run(script: str, tune: bool = True) -> dict[str, str]:
            s3.put_object(Bucket=BUCKET, Key="tuned/source/sourcedir.tar.gz", Body=archive({"train.py": script}))
            patch.setattr(source, "find", lambda *arguments: f"s3://{BUCKET}/tuned/source/sourcedir.tar.gz")
            states = airflow_runs.run(dag, tune=tune)
            return {task_id.removeprefix("train."): state for task_id, state in states.items()}

        yield run


def newest(kind: str) -> dict[str, Any]:
    """The description of the newest training or tuning job of the DAG's."""
    sagemaker: Any = boto3.client("sagemaker")
    member = {"training_job": "TrainingJob", "hyper_parameter_tuning_job": "HyperParameterTuningJob"}[kind]
    listed = getattr(sagemaker, f"list_{kind}s")(
        NameContains="tuned-shop", SortBy="CreationTime", SortOrder="Descending"
    )
    name = listed[f"{member}Summaries"][0][f"{member}Name"]
    return dict(getattr(sagemaker, f"describe_{kind}")(**{f"{member}Name": name}))


def test_the_best_hyperparameters_on_validation_are_what_is_trained_with(train: Run) -> None:
    states = train(TRAIN)
    assert set(states.values()) == {"success"}, newest("hyper_parameter_tuning_job").get("FailureReason")
    tuned, trained = newest("hyper_parameter_tuning_job"), newest("training_job")
    assert tuned["BestTrainingJob"]["TunedHyperParameters"] == {"alpha": "3.0"}
    assert trained["HyperParameters"]["alpha"] == "3.0" and "TuningJobArn" not in trained
    assert trained["HyperParameters"]["data_version"] == '"0123456789abcdef"'


def test_jobs_of_a_search_have_no_network_the_platforms_key_and_the_runs_tags(train: Run) -> None:
    sagemaker = boto3.client("sagemaker")
    best = newest("hyper_parameter_tuning_job")["BestTrainingJob"]["TrainingJobName"]
    one, trained = sagemaker.describe_training_job(TrainingJobName=best), newest("training_job")
    for member in ("EnableNetworkIsolation", "OutputDataConfig", "ResourceConfig", "RoleArn", "InputDataConfig"):
        assert one[member] == trained[member]
    tags = [sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] for job in (one, trained)]
    assert tags[0] == tags[1] and {"Key": "AirflowDag", "Value": "tuned_shop"} in tags[0]


def test_a_run_that_is_not_to_tune_trains_with_the_specs_hyperparameters(train: Run) -> None:
    states = train(TRAIN, tune=False)
    assert states.pop("tune.search") == "skipped"
    assert set(states.values()) == {"success"}
    assert newest("training_job")["HyperParameters"]["alpha"] == "1.0"


def test_a_search_in_which_every_training_job_fails_fails_the_run_and_nothing_is_trained(train: Run) -> None:
    before = newest("hyper_parameter_tuning_job")["HyperParameterTuningJobName"]
    states = train("raise SystemExit('no number at all')")
    found = newest("hyper_parameter_tuning_job")
    assert found["HyperParameterTuningJobName"] != before
    assert (found["HyperParameterTuningJobStatus"], states["tune.search"]) == ("Failed", "failed")
    assert "no number at all" in found["FailureReason"]
    assert states["tune.choose"] == states["train"] == "upstream_failed"
