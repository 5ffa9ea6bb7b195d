"""`make bootstrap`: the bucket that keeps Terraform's state, its own among it, on a local AWS of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from terraform_cli import REPOSITORY, LocalAws, Root

# Local AWS has no buckets in DNS; before first_override.tf in the alphabet, which takes its place while there is none.
PATH_STYLE = """
terraform {
  backend "s3" {
    use_path_style = true
  }
}

provider "aws" {
  s3_use_path_style = true
}
"""
BUCKET = "silverline-dev-terraform-123456789012"


@pytest.fixture(scope="module")
def empty_aws(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    (modules / "bootstrap" / "aws_override.tf").write_text(PATH_STYLE)
    running = LocalAws(tmp_path_factory.mktemp("bootstrap"))
    yield running
    running.stop()
    (modules / "bootstrap" / "aws_override.tf").unlink()


def run(modules: Path, aws: LocalAws) -> subprocess.CompletedProcess[str]:
    path = f"{REPOSITORY / '.envs' / 'aws-cli' / 'bin'}:{os.environ['PATH']}"
    command = [str(modules / "bootstrap" / "apply.sh"), "dev"]
    return subprocess.run(command, env=aws.environment | {"PATH": path}, capture_output=True, text=True, timeout=280)


def bootstrap(modules: Path, aws: LocalAws) -> str:
    done = run(modules, aws)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_bucket_keeps_its_own_state_and_a_second_run_changes_nothing(modules: Path, empty_aws: LocalAws) -> None:
    assert "6 added" in bootstrap(modules, empty_aws)
    s3 = empty_aws.client("s3")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["bootstrap.tfstate"]
    assert list((modules / "bootstrap").glob("*.tfstate*")) == []
    assert "No changes" in bootstrap(modules, empty_aws)


def test_a_state_that_cannot_be_looked_at_is_not_begun_anew(modules: Path, empty_aws: LocalAws) -> None:
    s3 = empty_aws.client("s3")
    own = s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    resource = f"arn:aws:s3:::{BUCKET}/*"
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    done = run(modules, empty_aws)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=own)
    assert done.returncode == 1 and f"whether s3://{BUCKET}/bootstrap.tfstate is there" in done.stderr
    assert "No changes" in bootstrap(modules, empty_aws)


def test_the_bucket_is_versioned_closed_and_encrypted_and_takes_requests_by_tls_only(empty_aws: LocalAws) -> None:
    s3 = empty_aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=BUCKET)["Policy"]


def test_an_example_keeps_its_state_there_and_waits_for_whoever_has_locked_it(
    modules: Path, empty_aws: LocalAws
) -> None:
    dev = Root(modules / "examples" / "dev", empty_aws.environment)
    dev.init("-backend-config=backend.hcl", "-backend-config=use_path_style=true")
    lock = {"ID": "1", "Operation": "OperationTypeApply", "Who": "a colleague", "Created": "2026-01-01T00:00:00Z"}
    s3 = empty_aws.client("s3")
    s3.put_object(Bucket=BUCKET, Key="platform.tfstate.tflock", Body=json.dumps(lock).encode())
    code, output = dev.try_("plan", "-input=false")
    assert code == 1 and "Error acquiring the state lock" in output and "a colleague" in output
