"""Which model a new one is held against, on moto's mock."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends
from test_on_moto import PLATFORM

from flight_delay import spec
from silverline import champion, months

GROUP = PLATFORM.model_package_groups["flight_delay"]


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3, client = boto3.client("s3"), boto3.client("sagemaker")
        s3.create_bucket(Bucket="artifacts")
        for name in ("old", "new", "unseen"):
            s3.put_object(Bucket="artifacts", Key=f"{name}/model.tar.gz", Body=b"model")
        client.create_model_package_group(ModelPackageGroupName=GROUP)
        yield client


def register(sagemaker: Any, name: str, status: str, **facts: str) -> str:
    container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": f"s3://artifacts/{name}/model.tar.gz"}
    package: str = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        **({"CustomerMetadataProperties": facts} if facts else {}),
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return package


def serve(sagemaker: Any, container: dict[str, Any]) -> None:
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=PLATFORM.sagemaker_endpoint_role_arn, PrimaryContainer=container
    )
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=spec.aws_name, EndpointConfigName="c")


def test_what_the_endpoint_serves_is_the_champion_whatever_was_approved_since(sagemaker: Any) -> None:
    served = register(sagemaker, "old", "Approved", lineage="s3://artifacts/old.json")
    register(sagemaker, "new", "Approved")
    serve(sagemaker, {"ModelPackageName": served})
    assert champion.find(PLATFORM, spec) == {
        "package": served,
        "model_artifacts": "s3://artifacts/old/model.tar.gz",
        "lineage": "s3://artifacts/old.json",
        "container": {"ModelPackageName": served},
    }


def test_a_model_that_was_never_registered_is_the_champion_while_it_serves(sagemaker: Any) -> None:
    register(sagemaker, "new", "Approved")
    archive = "s3://artifacts/unseen/model.tar.gz"
    container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": archive, "Environment": {"OMP_NUM_THREADS": "1"}}
    serve(sagemaker, container)
    found = {"package": None, "model_artifacts": archive, "lineage": None, "container": container}
    assert champion.find(PLATFORM, spec) == found


def test_without_an_endpoint_the_newest_approved_package_is_the_champion(sagemaker: Any) -> None:
    register(sagemaker, "old", "Approved")
    newest = register(sagemaker, "new", "Approved", lineage="s3://artifacts/new.json")
    register(sagemaker, "unseen", "PendingManualApproval")
    found = champion.find(PLATFORM, spec)
    assert found and (found["package"], found["lineage"]) == (newest, "s3://artifacts/new.json")


def test_without_an_endpoint_a_model_that_a_backfill_made_later_for_an_old_month_is_not_the_champion(
    sagemaker: Any,
) -> None:
    december = [register(sagemaker, name, "Approved", as_of="2013-12") for name in ("old", "new")]
    register(sagemaker, "unseen", "Approved", as_of="2013-04")
    found = champion.find(PLATFORM, spec)
    assert found and found["package"] == december[1]


def test_an_endpoint_whose_creation_failed_serves_nothing(sagemaker: Any) -> None:
    approved = register(sagemaker, "old", "Approved")
    serve(sagemaker, {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": "s3://artifacts/unseen/model.tar.gz"})
    sagemaker_backends["123456789012"]["us-east-1"].endpoints[spec.aws_name].endpoint_status = "Failed"
    found = champion.find(PLATFORM, spec)
    assert found and found["package"] == approved


def test_the_first_model_has_no_champion(sagemaker: Any) -> None:
    register(sagemaker, "new", "Rejected")
    assert champion.find(PLATFORM, spec) is None


def test_in_a_backfill_the_champion_is_the_newest_approved_of_the_last_month_before(sagemaker: Any) -> None:
    april = [register(sagemaker, name, "Approved", as_of="2013-04") for name in ("old", "new")]
    march = register(sagemaker, "old", "Approved", as_of="2013-03")
    register(sagemaker, "new", "Approved")  # of nobody knows when
    register(sagemaker, "new", "PendingManualApproval", as_of="2013-05")
    december = register(sagemaker, "unseen", "Approved", as_of="2013-12")
    serve(sagemaker, {"ModelPackageName": december})
    found = {month: champion.find_before(PLATFORM, spec, month) for month in ("2013-03", "2013-04", "2013-06")}
    assert {month: model and model["package"] for month, model in found.items()} == {
        "2013-03": None,
        "2013-04": march,
        "2013-06": april[1],
    }


@pytest.mark.parametrize(("as_of", "is_later"), [("2013-04", False), ("2013-05", False), ("2013-06", True)])
def test_a_model_of_a_later_month_stays_in_service(sagemaker: Any, as_of: str, is_later: bool) -> None:
    assert champion.later_in_service(spec, "2013-05") is None
    served = register(sagemaker, "old", "Approved", as_of=as_of)
    serve(sagemaker, {"ModelPackageName": served})
    assert champion.later_in_service(spec, "2013-05") == (served if is_later else None)


def test_a_model_that_does_not_say_its_month_stays_in_service(sagemaker: Any) -> None:
    archive = "s3://artifacts/unseen/model.tar.gz"
    serve(sagemaker, {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": archive})
    assert champion.later_in_service(spec, "2013-05") == archive


def run_of(as_of: str, test_months: int = 1) -> dict[str, Any]:
    return {"splits": months.splits("2013-01", as_of, test_months)}


@pytest.mark.parametrize(
    ("champion_of", "challenger_of", "seen"),
    [
        pytest.param(run_of("2013-11"), run_of("2013-12"), [], id="the month after the champion's"),
        pytest.param(run_of("2013-12"), run_of("2013-12"), [], id="the same month again"),
        pytest.param(run_of("2013-12"), run_of("2013-03"), ["2013-03"], id="a month it was trained on"),
        pytest.param(run_of("2013-12"), run_of("2013-12", 2), ["2013-11"], id="the month that chose its trees"),
    ],
)
def test_a_champion_has_seen_the_months_it_was_trained_on_and_chosen_by(
    champion_of: dict[str, Any], challenger_of: dict[str, Any], seen: list[str]
) -> None:
    assert champion.seen(champion_of, challenger_of["splits"]) == seen
