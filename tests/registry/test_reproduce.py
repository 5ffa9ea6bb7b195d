"""A model package is enough to make its model again, and says when it isn't."""

import io
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from rich.console import Console
from sagemaker_requests import archive
from small_model import PLATFORM, SILVER_RUNS, SOURCE, SPLITS, gate, plan, put, train

from flight_delay import spec
from laptop import reproduce as reproducing
from laptop.reproduce import reproduce
from laptop.services import ServiceError
from silverline import objects, registration
from silverline.platform import Platform


def again(package: str, place: Platform = PLATFORM) -> tuple[int, str]:
    """The exit code of `make reproduce MODEL=package`, and what it prints."""
    shown = io.StringIO()
    code = reproduce(place, spec.name, package, Console(file=shown, width=200))
    return code, shown.getvalue()


def registered(name: str, **hyperparameters: int) -> str:
    """The package of a model that is trained now."""
    return registration.register(
        PLATFORM, spec, plan(), SILVER_RUNS, gate(train(name, **hyperparameters), evaluation=name)
    )


def test_a_model_is_made_again_to_the_bit_from_its_package_or_its_version(package: str) -> None:
    code, shown = again(package.rpartition("/")[2])
    assert code == 0 and "the same model, to the bit" in shown and package in shown
    assert "splits: kept as they were" in shown and "bronze: 1 of 1 files are kept as they were" in shown
    lines = [line.split() for line in shown.splitlines() if ".tar.gz: " in line]
    assert [(line[1], line[-1]) for line in lines] == [
        ("model.joblib", "equal"),
        ("curves.json", "equal"),
        ("metadata.json", "equal"),
    ]


def test_a_training_that_depends_on_chance_is_told_by_the_file_that_differs(package: str) -> None:
    code, shown = again(registered("noisy", noise=1))
    lines = [line.split() for line in shown.splitlines() if ".tar.gz: " in line]
    assert code == 1 and "not the same model" in shown
    assert [(line[1], line[-1]) for line in lines] == [
        ("model.joblib", "different"),
        ("curves.json", "equal"),
        ("metadata.json", "equal"),
    ]


def test_a_raw_file_that_was_replaced_is_still_there_in_its_version(package: str) -> None:
    put(f"s3://{PLATFORM.bronze_bucket}/flights/year=2013/month=01/flights.csv", b"other flights")
    assert "bronze: 1 of 1 files are kept as they were" in again(package)[1]


def test_a_changed_source_archive_is_not_trained_with(package: str) -> None:
    kept = objects.read(SOURCE)
    put(SOURCE, archive({"train.py": "print('something else')"}))
    with pytest.raises(ServiceError, match="sourcedir.tar.gz isn't what the model was trained with"):
        again(package)
    put(SOURCE, kept)


def test_splits_that_are_gone_and_that_other_sql_has_made_are_named_with_what_to_do(package: str) -> None:
    kept = objects.read(f"{SPLITS}test/part")
    put(f"{SPLITS}test/part", b"other rows")
    with pytest.raises(ServiceError, match=r"the splits test are gone.*check out commit a{40}, and try again"):
        again(package)
    put(f"{SPLITS}test/part", kept)


def test_a_version_that_there_is_not_is_answered_with_those_that_there_are(package: str) -> None:
    with pytest.raises(ServiceError, match="has no model package of version 99; it has 1"):
        again("99")


def test_a_package_that_something_else_registered_is_refused(package: str) -> None:
    sagemaker = boto3.client("sagemaker")
    specification = sagemaker.describe_model_package(ModelPackageName=package)["InferenceSpecification"]
    group = PLATFORM.model_package_groups[spec.name]
    other = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=specification)
    with pytest.raises(ServiceError, match="doesn't say what it was made of"):
        again(other["ModelPackageArn"])


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        ({"sleep": Mock(side_effect=KeyboardInterrupt("Ctrl-C"))}, "Ctrl-C"),
        ({"sleep": Mock(side_effect=EndpointConnectionError(endpoint_url="aws"))}, "Could not connect"),
        ({"monotonic": Mock(side_effect=[0, 10_000])}, "has not ended in time"),
    ],
    ids=["interrupted", "an error of AWS's", "too long"],
)
def test_a_job_that_nobody_waits_for_any_more_is_stopped(
    package: str, monkeypatch: pytest.MonkeyPatch, clock: dict[str, Any], message: str
) -> None:
    time.sleep(1)  # the job is called by the second, and the case before may have been as quick as this one
    monkeypatch.setattr(reproducing, "time", SimpleNamespace(**{"sleep": time.sleep, "monotonic": lambda: 0} | clock))
    with pytest.raises(BaseException, match=message):
        again(package)
    listed = boto3.client("sagemaker").list_training_jobs(NameContains="-reproduce-", SortOrder="Descending")
    assert listed["TrainingJobSummaries"][0]["TrainingJobStatus"] in ("Stopping", "Stopped")
