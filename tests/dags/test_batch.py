"""What a batch decides and asks of SageMaker, and the steps that talk to AWS, on moto's mock."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from test_on_moto import PLATFORM

from flight_delay_batch import spec
from silverline import champion, model_packages, predictions, sagemaker_requests
from silverline.batch import batch

PUBLISHED = {"2013-01": "a", "2013-02": "b"}


@pytest.mark.parametrize(
    ("month", "prefix", "chosen"),
    [(None, None, "2013-02"), ("2013-01", None, "2013-01"), ("2013-03", "s3://b/march/", "2013-03")],
)
def test_the_month_is_the_newest_the_one_asked_for_or_the_prefixs(
    month: str | None, prefix: str | None, chosen: str
) -> None:
    assert predictions.choose_months(month, prefix, PUBLISHED, {}) == [chosen]


@pytest.mark.parametrize(
    ("scored", "chosen"),
    [
        ({"2013-03": "c", "2013-04": "d"}, ["2013-04"]),
        ({"2013-01": "old", "2013-03": "old", "2013-04": "d"}, ["2013-01", "2013-03", "2013-04"]),
        ({"2013-02": "b"}, ["2013-03", "2013-04"]),
        ({"2013-04": "d", "2014-01": ""}, ["2013-04"]),
    ],
    ids=["all are known", "made anew", "newer than all that were scored", "files of somebody's own"],
)
def test_a_run_makes_good_whatever_silver_has_published_since(scored: dict[str, str], chosen: list[str]) -> None:
    published = {**PUBLISHED, "2013-03": "c", "2013-04": "d"}
    assert predictions.choose_months(None, None, published, scored) == chosen


@pytest.mark.parametrize(
    ("month", "prefix", "published", "message"),
    [
        (None, None, {}, "silver has no month to score: run the pipeline first"),
        ("2013-03", None, PUBLISHED, "silver has no 2013-03; it has 2013-01 to 2013-02"),
        (None, "s3://b/p/", PUBLISHED, "say by `month` as which month of predictions s3://b/p/ is to be published"),
        ("2013-02", "s3://b/p/", PUBLISHED, "silver has 2013-02: score that month without `prefix`"),
    ],
)
def test_what_can_not_be_scored_is_refused_with_what_to_do(
    month: str | None, prefix: str | None, published: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        predictions.choose_months(month, prefix, published, {})


def transform_job(**changes: Any) -> dict[str, Any]:
    arguments = {"name": "job", "model_name": "model", "requests": "s3://gold/r/", "compression": "Gzip", **changes}
    return sagemaker_requests.transform_job(spec, **arguments)


def test_the_model_gets_the_features_and_the_key_comes_back_beside_its_answer() -> None:
    request = transform_job()
    assert request["DataProcessing"] == {
        "InputFilter": "$.features",
        "JoinSource": "Input",
        "OutputFilter": "$['record_key','SageMakerOutput']",
    }
    # A join needs the same format on both sides, a record a line.
    assert request["TransformInput"]["ContentType"] == request["TransformOutput"]["Accept"] == "application/jsonlines"
    assert (request["TransformInput"]["SplitType"], request["TransformOutput"]["AssembleWith"]) == ("Line", "Line")
    assert max(len(text) for text in request["DataProcessing"].values()) <= 63  # SageMaker takes no longer one


def test_answers_lie_under_the_jobs_own_name_encrypted_by_the_platforms_key() -> None:
    output = transform_job(name="flight-delay-batch-1")["TransformOutput"]
    assert output["S3OutputPath"].endswith("/flight_delay/batch/answers/flight-delay-batch-1")
    assert output["KmsKeyId"] == "{{ platform().kms_key_arn }}"


def test_a_batch_scores_in_the_role_of_the_jobs_without_a_network_and_is_tagged() -> None:
    model = sagemaker_requests.batch_model(spec, "model", {"ModelPackageName": "arn"})
    assert model["ExecutionRoleArn"] == "{{ platform().sagemaker_jobs_role_arn }}"
    assert model["EnableNetworkIsolation"] is True
    for request in (model, transform_job()):
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        assert tags["Pipeline"] == "flight_delay" and {"Environment", "AirflowDag", "AirflowRun"} <= tags.keys()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="gold")
        yield


BY_VERSION = {"ModelPackageName": "arn:package/1"}
BY_ARCHIVE = {"Image": "another", "ModelDataUrl": "s3://b/m.tar.gz", "Environment": {"OMP_NUM_THREADS": "1"}}


@pytest.mark.parametrize(
    ("found", "model"),
    [
        (None, None),
        (
            {"package": "arn:package/1", "model_artifacts": "s3://b/m.tar.gz", "container": BY_VERSION},
            {"container": BY_VERSION, "name": "arn:package/1", "model_artifacts": "s3://b/m.tar.gz"},
        ),
        (
            {"package": None, "model_artifacts": "s3://b/m.tar.gz", "container": BY_ARCHIVE},
            {"container": BY_ARCHIVE, "name": "s3://b/m.tar.gz", "model_artifacts": "s3://b/m.tar.gz"},
        ),
    ],
)
def test_the_champion_scores_by_its_version_or_where_it_has_none_by_its_archive(
    monkeypatch: pytest.MonkeyPatch, found: Any, model: Any
) -> None:
    monkeypatch.setattr(champion, "find", lambda platform, spec: found)
    monkeypatch.setattr(model_packages, "approval", lambda arn: ("Approved", ""))
    assert predictions.current_model(PLATFORM, spec) == model


def test_a_model_that_was_rejected_while_it_is_served_scores_nothing_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = {"package": "arn:package/1", "model_artifacts": "s3://b/m.tar.gz"}
    monkeypatch.setattr(champion, "find", lambda platform, spec: served)
    monkeypatch.setattr(model_packages, "approval", lambda arn: ("Rejected", "seen in Studio"))
    with pytest.raises(ValueError, match=r"serves arn:package/1, which is Rejected \(seen in Studio\): put another"):
        predictions.current_model(PLATFORM, spec)


def test_the_models_of_every_try_of_a_run_go_and_once_gone_are_no_failure(aws: None) -> None:
    sagemaker: Any = boto3.client("sagemaker")
    for name in ("shop-batch-20130101-000000-abcd-1", "shop-batch-20130101-000000-abcd-2", "shop-batch-another-2"):
        container = {"Image": PLATFORM.sagemaker_image}
        sagemaker.create_model(
            ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer=container
        )
    delete: Any = batch(spec, "").get_task("score.delete_model")
    for _ in range(2):
        delete.python_callable({"Model": {"ModelName": "shop-batch-20130101-000000-abcd-2"}})
    assert [model["ModelName"] for model in sagemaker.list_models()["Models"]] == ["shop-batch-another-2"]


@pytest.mark.parametrize(
    ("names", "found"), [(["a.gz", "b.gz"], "Gzip"), (["a.jsonl", "b"], "None"), (["a.jsonl"], "None")]
)
def test_requests_are_compressed_as_their_names_say(aws: None, names: list[str], found: str) -> None:
    for name in names:
        boto3.client("s3").put_object(Bucket="gold", Key=f"requests/{name}", Body=b"")
    assert predictions.compression("s3://gold/requests/") == found


def test_requests_that_are_not_there_or_not_alike_are_refused(aws: None) -> None:
    with pytest.raises(ValueError, match="there is no file under s3://gold/requests/"):
        predictions.compression("s3://gold/requests/")
    for name in ("a.gz", "b.jsonl"):
        boto3.client("s3").put_object(Bucket="gold", Key=f"requests/{name}", Body=b"")
    with pytest.raises(ValueError, match=r"some of the files under s3://gold/requests/ end with \.gz and some don't"):
        predictions.compression("s3://gold/requests/")
