"""A model package says all of a model: how good it is, what serves it, what it was made of."""

import dataclasses
import hashlib
import json
from typing import Any

import boto3
import pytest
from sagemaker_requests import ROLE
from small_model import GROUP, PLATFORM, SILVER_RUNS, SOURCE, SPLITS, gate, plan

from flight_delay import spec
from silverline import lineage, model_packages, objects, registration


def test_a_promoted_model_waits_for_approval_as_a_version_of_its_pipelines_group(described: dict[str, Any]) -> None:
    assert described["ModelPackageGroupName"] == GROUP
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["MetadataProperties"]["CommitId"] == "a" * 40
    assert "beats the base rate" in described["ModelPackageDescription"]


def test_what_the_model_was_made_of_is_in_its_metadata(described: dict[str, Any], model: str) -> None:
    facts = described["CustomerMetadataProperties"]
    assert facts["data_version"] == "0123456789abcdef" and facts["data.test"] == f"{SPLITS}test/"
    assert facts["source"] == SOURCE and facts["sql_digest"] == "f" * 64
    assert facts["silver_runs"] == "20130201-abcd-1 20130401-abcd-2"
    assert (
        facts["threshold"] == "0.25"
        and facts["hyperparameter.seed"] == "2013"
        and facts["version.scikit-learn"] == "1.9.0"
    )
    assert facts["model_sha256"] == hashlib.sha256(objects.read(model)).hexdigest()
    assert len(facts) <= 50


def test_that_hyperparameters_were_tuned_is_in_metadata_lineage_and_card(model: str) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/t-1"
    tuned = {
        "hyperparameters": {"seed": "2013"},
        "tuning_job": {"name": "t-1", "arn": arn},
        "sentence": "seed 2013: tuned by t-1",
    }
    package = registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gate(model, evaluation="tuned"), tuned)
    described = boto3.client("sagemaker").describe_model_package(ModelPackageName=package)
    facts = described["CustomerMetadataProperties"]
    assert facts["tuning_job"] == arn and lineage.load(facts["lineage"])["tuning"] == tuned
    assert "<p>seed 2013: tuned by t-1.</p>" in objects.read(facts["model_card"]).decode()
    card = json.loads(described["ModelCard"]["ModelCardContent"])
    assert card["training_details"]["training_observations"] == "seed 2013: tuned by t-1"


def test_its_metrics_are_a_file_with_its_hash(described: dict[str, Any]) -> None:
    source = described["ModelMetrics"]["ModelQuality"]["Statistics"]
    content = objects.read(source["S3Uri"])
    assert json.loads(content)["binary_classification_metrics"]["auc"]["value"] == 0.758
    assert source["ContentDigest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_the_lineage_document_has_the_job_that_trains_it_again(described: dict[str, Any]) -> None:
    document = lineage.load(described["CustomerMetadataProperties"]["lineage"])
    request = document["training_job"]["request"]
    assert request["HyperParameters"]["seed"] == "2013" and request["EnableNetworkIsolation"]
    assert list(document["data"]["train"]["objects"]) == [f"{SPLITS}train/part"]
    assert document["silver_runs"] == SILVER_RUNS
    assert lineage.load(document["bronze"])["bucket"] == PLATFORM.bronze_bucket


def test_a_lineage_document_that_was_changed_is_not_believed(local_aws: Any, model: str) -> None:
    address = lineage.store(PLATFORM, "flight_delay", {"a": 1})
    bucket, key = address.removeprefix("s3://").split("/", 1)
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b'{"a": 2}')
    with pytest.raises(ValueError, match="has been changed"):
        lineage.load(address)


def test_the_card_is_one_page_with_the_plots_in_it(described: dict[str, Any]) -> None:
    page = objects.read(described["CustomerMetadataProperties"]["model_card"]).decode()
    assert "0.7580" in page and "0.7520 to 0.7640" in page and "data:image/png;base64," in page
    assert "log loss 0.47 &lt; 0.56" in page and "It warns from a probability of 0.25 (a case missed costs 3" in page
    assert "<link" not in page and "<script" not in page and 'src="http' not in page


def test_the_package_carries_the_card_in_sagemakers_schema(described: dict[str, Any]) -> None:
    card = json.loads(described["ModelCard"]["ModelCardContent"])
    (challenger, base_rate) = card["evaluation_details"]
    assert challenger["metric_groups"][0]["metric_data"][0] == {"name": "roc_auc", "type": "number", "value": 0.758}
    assert base_rate["name"] == "base rate"
    assert "It warns from a probability of 0.25" in card["intended_uses"]["purpose_of_model"]
    assert card["training_details"]["training_job_details"]["training_arn"].endswith("/small-1")


def test_registered_again_it_is_the_same_version(model: str, package: str) -> None:
    assert registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gate(model)) == package


def test_a_rejected_model_is_registered_as_rejected_and_cant_be_deployed(model: str) -> None:
    arn = registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gate(model, "reject", "evaluation-2"))
    assert model_packages.approval(arn)[0] == "Rejected"
    sagemaker = boto3.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="approval status Rejected"):
        sagemaker.create_model(ModelName="no", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arn})


def test_who_approved_is_written_beside_the_status_as_far_as_it_fits(package: str) -> None:
    model_packages.decide(package, "Approved", "by the gate: " + "good " * 400)
    status, description = model_packages.approval(package)
    assert status == "Approved" and description.startswith("by the gate: good") and len(description) == 1024


def test_facts_that_the_registry_can_not_carry_are_made_to_fit() -> None:
    facts = {"lineage": "s3://b/k.json", "reason": 'worse, "by" 3 % (of all)', "long": "x" * 300, "empty": ""}
    more = {f"hyperparameter.{number}": number for number in range(60)}
    made = model_packages.properties({**facts, **more})
    assert made["lineage"] == "s3://b/k.json" and made["reason"] == "worse by 3 of all"
    assert len(made["long"]) == 256 and "empty" not in made and len(made) == 50


def test_who_approves_is_the_gate_or_a_person() -> None:
    with pytest.raises(ValueError, match="approval 'nobody' is none of gate, person"):
        dataclasses.replace(spec, approval="nobody")


def test_a_reason_of_several_lines_is_written_into_the_registry_as_one(model: str) -> None:
    gated = gate(model, evaluation="lines") | {"reasons": ["It fails:\nTraceback\n\tValueError: \x1b[31mno\x1b[0m"]}
    package = registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gated)
    model_packages.decide(package, "Rejected", "endpoint is Failed:\r\nno module\u2028named x")
    described = boto3.client("sagemaker").describe_model_package(ModelPackageName=package)
    assert described["ModelPackageDescription"].endswith("It fails: Traceback ValueError: [31mno [0m")
    assert described["ApprovalDescription"] == "endpoint is Failed: no module named x"


def test_what_the_registry_is_told_has_neither_breaks_nor_control_characters() -> None:
    facts = model_packages.properties({"a": "one\ntwo\x00\tthree", "b": "\n"})
    assert facts == {"a": "one two three"}
