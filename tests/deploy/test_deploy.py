"""`make deploy`: the plan, what it changes, what it refuses."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from environments import COMMIT, Deploy, document, lay, put_document

from deploy import git, platform
from deploy.plan import Refused
from local_aws.server import Server
from silverline import source

ROOT = Path(__file__).parents[2]


def recorded_commit(environment: str) -> str:
    return boto3.client("ssm").get_parameter(Name=f"/silverline/{environment}/git_commit")["Parameter"]["Value"]


def test_a_deploy_uploads_the_archives_that_runs_look_for_and_records_the_commit(deploy: Deploy) -> None:
    bucket, key = lay("fresh")["artifacts_bucket"], source.key("flight_delay")
    status, said = deploy("--env", "fresh")
    assert status == 0 and f"+ s3://{bucket}/{key}" in said
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == source.archive("flight_delay")
    assert recorded_commit("fresh") == COMMIT


def test_a_second_deploy_finds_nothing_to_do(deploy: Deploy) -> None:
    lay("twice")
    assert deploy("--env", "twice")[0] == 0
    status, said = deploy("--env", "twice")
    assert status == 0 and "nothing to do" in said


def test_a_dry_run_shows_the_plan_and_changes_nothing(deploy: Deploy) -> None:
    bucket = lay("dry")["artifacts_bucket"]
    status, said = deploy("--env", "dry", "--dry-run")
    assert status == 0 and f"+ s3://{bucket}/{source.key('flight_delay')}" in said
    assert f"~ /silverline/dry/git_commit: nothing -> {COMMIT}" in said
    assert boto3.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(boto3.client("ssm").exceptions.ParameterNotFound):
        recorded_commit("dry")


def test_another_commit_with_the_same_files_changes_the_record_alone(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay("again")
    deploy("--env", "again")
    monkeypatch.setattr(git, "commit", lambda: f"{COMMIT}-dirty")
    status, said = deploy("--env", "again")
    assert status == 0 and f"{COMMIT} -> {COMMIT}-dirty" in said and "changes made: 1" in said


def test_without_mwaa_it_says_how_airflow_is_run(deploy: Deploy) -> None:
    lay("hybrid")
    assert "`make airflow ENV=hybrid` runs it on this machine" in deploy("--env", "hybrid")[1]


@pytest.mark.parametrize(
    ("environment", "text", "says"),
    [
        ("nowhere", None, "no /silverline/nowhere/platform.*examples/local apply -var environment=nowhere`"),
        ("broken", "{", "/silverline/broken/platform is not as infra/platform.schema.json says"),
        ("old", json.dumps({"environment": "old"}), "'bronze_bucket' is a required property.*environment=old`"),
        ("void", json.dumps(document("void")), "NoSuchBucket.*done twice"),
    ],
)
def test_an_environment_that_is_not_there_is_refused_with_what_to_do(
    deploy: Deploy, environment: str, text: str | None, says: str
) -> None:
    if text is not None:
        put_document(environment, text)
    status, said = deploy("--env", environment)
    assert status == 1 and re.search(says, said, re.DOTALL), said


def test_on_aws_itself_an_environment_is_made_by_its_own_root_module(
    local_aws: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_is_aws", lambda client: True)
    with pytest.raises(Refused, match="`terraform -chdir=infra/terraform/examples/elsewhere apply`"):
        platform.read("elsewhere")


def test_prod_is_not_deployed_from_files_that_no_commit_has(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    lay("prod")
    monkeypatch.setattr(git, "changed_files", lambda: [" M dags/flight_delay.py", "?? dags/new.py"])
    status, said = deploy("--env", "prod")
    assert status == 1 and " M dags/flight_delay.py\n?? dags/new.py" in said
    monkeypatch.setattr(git, "changed_files", list)
    assert deploy("--env", "prod")[0] == 0


def test_git_names_the_commit_and_every_file_that_differs_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "REPOSITORY", tmp_path)
    assert (git.commit(), git.changed_files()) == ("unknown", ["this folder is no git checkout"])
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for arguments in (["init", "-q"], ["add", "kept.py"], [*who, "commit", "-qm", "first"]):
        (tmp_path / "kept.py").write_text("1")
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    assert re.fullmatch("[0-9a-f]{40}", git.commit()) and git.changed_files() == []
    (tmp_path / "new.py").write_text("")
    assert git.commit().endswith("-dirty") and git.changed_files() == ["?? new.py"]
    (tmp_path / "kept.py").write_text("2")
    assert git.commit().endswith("-dirty") and git.changed_files() == [" M kept.py", "?? new.py"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true"}, "there are no AWS credentials: log in as"),
        ({"AWS_DEFAULT_REGION": ""}, "no AWS region is chosen: set AWS_REGION"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "Could not connect to the endpoint URL"),
    ],
)
def test_a_user_who_leads_nowhere_is_told_so_without_a_traceback(
    local_aws: Server, settings: dict[str, str], says: str
) -> None:
    environment = {name: value for name, value in {**os.environ, **settings}.items() if value}
    command = [sys.executable, "-m", "deploy", "--env", "dev"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
