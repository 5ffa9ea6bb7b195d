"""The registry's versions as a history: who was held against whom, month by month."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from small_model import PLATFORM

from flight_delay import spec
from laptop import history

GROUP = PLATFORM.model_package_groups["flight_delay"]
Registry = Any


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Registers a model of a month, evaluated with these ROC-AUCs; returns the package's ARN."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
        s3.create_bucket(Bucket="history")
        s3.put_object(Bucket="history", Key="model.tar.gz", Body=b"model")
        container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": "s3://history/model.tar.gz"}
        answers = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

        def register(facts: dict[str, str], status: str = "Approved") -> str:
            arn: str = sagemaker.create_model_package(
                ModelPackageGroupName=GROUP,
                ModelApprovalStatus=status,
                CustomerMetadataProperties=facts,
                InferenceSpecification={"Containers": [container], **answers},
            )["ModelPackageArn"]
            return arn

        def evaluated(month: str, decision: str, status: str, held_against: str = "", **values: float) -> str:
            models = {name: {"roc_auc": interval(value)} for name, value in values.items()}
            worse_by = {name: {"log_loss": interval(-0.002)} for name in values if name != "challenger"}
            key = f"evaluation/{month}-{len(s3.list_objects_v2(Bucket='history').get('Contents', []))}/"
            comparison = json.dumps({"models": models, "worse_by": worse_by})
            s3.put_object(Bucket="history", Key=f"{key}comparison.json", Body=comparison)
            facts = {"as_of": month, "decision": decision, "evaluation": f"s3://history/{key}"}
            return register(facts | ({"champion": held_against} if held_against else {}), status)

        evaluated.anything = register  # type: ignore[attr-defined]
        yield evaluated


def test_versions_come_by_month_with_the_version_that_each_was_held_against(registry: Registry) -> None:
    march = registry("2013-03", "promote", "Approved", challenger=0.74, logistic_regression=0.66)
    registry("2013-05", "hold", "PendingManualApproval", march, challenger=0.72, champion=0.73)
    registry("2013-04", "promote", "Approved", march, challenger=0.75, champion=0.74)
    registry.anything({"made_by": "somebody else"})
    found = history.read(PLATFORM, spec)
    assert [(one.month, one.number, one.decision, one.champion) for one in found] == [
        ("2013-03", 1, "promote", None),
        ("2013-04", 3, "promote", 1),
        ("2013-05", 2, "hold", 1),
    ]
    assert found[0].worse_by is None and found[1].worse_by == interval(-0.002)
    assert found[1].metrics["champion"]["roc_auc"] == interval(0.74)


def test_the_table_has_every_version_with_its_interval_and_the_champions(registry: Registry) -> None:
    march = registry("2013-03", "promote", "Approved", challenger=0.74, logistic_regression=0.66)
    registry("2013-04", "hold", "PendingManualApproval", march, challenger=0.75, champion=0.74)
    _, _, first, second = history.table(history.read(PLATFORM, spec), spec).splitlines()
    assert first == (
        "| 2013-03 | 1 | promote | Approved | 0.7400 (0.7300 to 0.7500) |  | 0.6600 (0.6500 to 0.6700) |  |"
    )
    assert second.startswith(
        "| 2013-04 | 2 | hold | PendingManualApproval | 0.7500 (0.7400 to 0.7600) | 0.7400 (0.7300 "
    )
    assert second.endswith("of version 1 |  | -0.0020 (-0.0120 to +0.0080) |")


def test_the_picture_is_drawn_of_any_decisions_also_of_a_first_version_alone(registry: Registry) -> None:
    march = registry("2013-03", "promote", "Approved", challenger=0.74, logistic_regression=0.66)
    first = history.draw(history.read(PLATFORM, spec), spec, "first")
    registry("2013-04", "reject", "Rejected", march, challenger=0.5, champion=0.74, logistic_regression=0.66)
    registry("2013-04", "hold", "PendingManualApproval", march, challenger=0.73, champion=0.74)
    again = history.draw(history.read(PLATFORM, spec), spec, "again")
    assert first.startswith(b"\x89PNG") and again.startswith(b"\x89PNG") and first != again
