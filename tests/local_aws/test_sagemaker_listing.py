"""ListTrainingJobs' filters, order and pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from sagemaker_requests import bucket_client, finished, training_job

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def jobs(local_aws: Any) -> tuple[Any, list[str]]:
    s3, sagemaker = bucket_client(), boto3.client("sagemaker")
    names = []
    for name, script in (("listed-a", "print('fine')"), ("listed-b", "raise SystemExit(1)"), ("listed-c", "")):
        sagemaker.create_training_job(**training_job(s3, name, script))
        finished(sagemaker, name)
        names.append(name)
    return sagemaker, names


def listed(sagemaker: Any, **request: Any) -> list[str]:
    answer = sagemaker.list_training_jobs(NameContains="listed", **request)
    return [summary["TrainingJobName"] for summary in answer["TrainingJobSummaries"]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["listed-a", "listed-b", "listed-c"]),
        ({"SortOrder": "Descending"}, ["listed-c", "listed-b", "listed-a"]),
        ({"StatusEquals": "Failed"}, ["listed-b"]),
        ({"SortBy": "Name", "SortOrder": "Descending", "MaxResults": 1}, ["listed-c"]),
        ({"CreationTimeAfter": START}, ["listed-a", "listed-b", "listed-c"]),
        ({"CreationTimeBefore": START}, []),
        ({"LastModifiedTimeAfter": datetime.now(UTC) + timedelta(days=1)}, []),
    ],
)
def test_jobs_are_filtered_before_they_are_counted(
    jobs: tuple[Any, list[str]], request_: dict[str, Any], expected: list[str]
) -> None:
    assert listed(jobs[0], **request_) == expected


def test_pages_follow_each_other_without_a_gap(jobs: tuple[Any, list[str]]) -> None:
    pages = jobs[0].get_paginator("list_training_jobs").paginate(NameContains="listed", MaxResults=2)
    found = [[summary["TrainingJobName"] for summary in page["TrainingJobSummaries"]] for page in pages]
    assert found == [["listed-a", "listed-b"], ["listed-c"]]


def test_a_token_that_was_never_given_is_refused(jobs: tuple[Any, list[str]]) -> None:
    with pytest.raises(jobs[0].exceptions.ClientError, match="pagination token is invalid") as error:
        jobs[0].list_training_jobs(NextToken="nonsense")
    assert error.value.response["Error"]["Code"] == "ValidationException"
