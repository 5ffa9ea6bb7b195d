"""What is promised of every resource and policy: looked up in the plan that adds MWAA, and a receiver of logs and
metrics, to the platform.

The platform is there already, so that the plan has every policy in full; a first plan knows no ARN of a key."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terraform_cli import REPOSITORY, Platform, Root

CHECKOV = REPOSITORY / ".envs" / "checkov" / "bin" / "checkov"
TERRAFORM = REPOSITORY / "infra" / "terraform"
EVERYTHING = """module "silverline" {
  enable_mwaa = true
  telemetry_export = {
    kind    = "opentelemetry"
    logs    = { url = "https://example.com/logs", secret_arn = "SECRET" }
    metrics = { url = "https://example.com/metrics", secret_arn = "SECRET" }
  }
}
""".replace("SECRET", "arn:aws:secretsmanager:us-east-1:123456789012:secret:receiver-a1B2c3")
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


@pytest.fixture(scope="module")
def plan(platform_on_local_aws: Platform) -> Iterator[Path]:
    """The plan as JSON."""
    root = platform_on_local_aws.root
    override = root.folder / "everything_override.tf"
    override.write_text(EVERYTHING)
    yield root.plan()
    override.unlink()


@pytest.fixture(scope="module")
def resources(plan: Path) -> list[dict[str, Any]]:
    (module,) = json.loads(plan.read_text())["planned_values"]["root_module"]["child_modules"]
    found: list[dict[str, Any]] = module["resources"]
    return [resource for resource in found if resource["mode"] == "managed"]


def statements(resources: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy, trust policies included, and whose it is."""
    for resource in resources:
        for attribute in {"policy", "assume_role_policy", "access_policy"} & resource["values"].keys():
            for statement in json.loads(resource["values"][attribute])["Statement"]:
                yield resource["address"], statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_is_left_out_because_a_plan_does_not_know_it(resources: list[dict[str, Any]]) -> None:
    kinds = {"aws_iam_role_policy", "aws_iam_policy", "aws_s3_bucket_policy", "aws_sns_topic_policy", "aws_kms_key"}
    unknown = [each["address"] for each in resources if each["type"] in kinds and not each["values"].get("policy")]
    assert unknown == []


def test_everything_that_takes_tags_has_those_of_its_environment(resources: list[dict[str, Any]]) -> None:
    tags = {each["address"]: each["values"]["tags_all"] for each in resources if "tags_all" in each["values"]}
    expected = {"Project": "silverline", "Environment": "dev", "ManagedBy": "terraform"}
    assert len(tags) > 50
    assert {address: found for address, found in tags.items() if not expected.items() <= (found or {}).items()} == {}


def test_no_policy_allows_actions_by_a_wildcard(resources: list[dict[str, Any]]) -> None:
    wide = [
        (address, action)
        for address, statement in statements(resources)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        if "*" in action or "?" in action
    ]
    # In a key's own policy `kms:*` for the account's root leaves it to IAM: without it nobody could change the key.
    assert wide == [("module.silverline.aws_kms_key.this", "kms:*")]


def test_attached_policies_fit_into_what_iam_takes_of_one(resources: list[dict[str, Any]]) -> None:
    attached = {each["name"]: each["values"]["policy"] for each in resources if each["type"] == "aws_iam_policy"}
    assert {"airflow_mwaa", "airflow_watch", "airflow_alerts"} <= attached.keys()
    texts = {name: json.dumps(json.loads(policy), separators=(",", ":")) for name, policy in attached.items()}
    assert {name: len(text) for name, text in texts.items() if len(text) >= 6_144} == {}


def test_where_a_statement_is_about_everything_a_comment_says_why() -> None:
    unexplained = [
        f"{file.relative_to(TERRAFORM)}:{number}"
        for file in TERRAFORM.rglob("*.tf")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r'Resource\s*=.*"\*"', line) and not re.search(r'"\*".* # \w+', line)
    ]
    assert unexplained == []


def test_no_role_is_passed_but_to_a_service_that_is_named(resources: list[dict[str, Any]]) -> None:
    passing = [each for _, each in statements(resources) if "iam:PassRole" in listed(each["Action"])]
    services = [each["Condition"]["StringEquals"]["iam:PassedToService"] for each in passing]
    assert services == ["sagemaker.amazonaws.com"]


def test_every_bucket_is_closed_keyed_versioned_and_has_a_lifecycle(resources: list[dict[str, Any]]) -> None:
    def of_buckets(kind: str) -> dict[str, dict[str, Any]]:
        return {each["index"]: each["values"] for each in resources if each["type"] == kind}

    layers = of_buckets("aws_s3_bucket").keys()
    assert layers == {"bronze", "silver", "gold", "artifacts", "logs", "airflow"}
    blocks = of_buckets("aws_s3_bucket_public_access_block")
    assert [layer for layer in layers if not all(blocks[layer][block] for block in BLOCKS)] == []
    assert of_buckets("aws_s3_bucket_versioning").keys() == layers - {"logs"}
    assert of_buckets("aws_s3_bucket_lifecycle_configuration").keys() == layers
    algorithms = {
        layer: values["rule"][0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"]
        for layer, values in of_buckets("aws_s3_bucket_server_side_encryption_configuration").items()
    }
    assert algorithms == dict.fromkeys(layers, "aws:kms") | {"logs": "AES256"}


def test_mwaa_finds_the_platform_document_as_a_laptop_does(resources: list[dict[str, Any]]) -> None:
    (mwaa,) = (each["values"] for each in resources if each["type"] == "aws_mwaa_environment")
    options = mwaa["airflow_configuration_options"]
    assert options["secrets.backend"].endswith(".SystemsManagerParameterStoreBackend")
    assert json.loads(options["secrets.backend_kwargs"])["variables_prefix"] == "/silverline/dev"
    assert (mwaa["airflow_version"], mwaa["webserver_access_mode"]) == ("3.2.1", "PRIVATE_ONLY")


def test_checkov_finds_nothing_that_is_not_explained_where_it_stands(
    plan: Path, modules: Path, platform_on_local_aws: Platform
) -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed (make test installs it): known misconfigurations are not looked for")
    bootstrap = Root(modules / "bootstrap", platform_on_local_aws.root.environment | {"TF_VAR_environment": "dev"})
    (bootstrap.folder / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    bootstrap.init()
    files = [argument for file in (plan, bootstrap.plan()) for argument in ("--file", str(file))]
    command = [
        str(CHECKOV),
        *files,
        "--framework",
        "terraform_plan",
        "--skip-download",
        "--compact",
        "--output",
        "json",
    ]
    # The comments that explain are in the source: a plan has none.
    command += ["--repo-root-for-plan-enrichment", str(modules)]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=modules)
    results = json.loads(checked.stdout)["results"]
    failed = [f"{each['check_id']} {each['check_name']}: {each['resource']}" for each in results["failed_checks"]]
    assert failed == []
    assert len(results["passed_checks"]) > 300, checked.stderr
    assert all(each["check_result"]["suppress_comment"] for each in results["skipped_checks"])
