"""`make deploy` where Airflow is on MWAA: its folder in S3, and the packages it installs."""

import hashlib
import io
import shutil
import subprocess
import uuid
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from environments import Deploy, lay

from deploy import DAGS, dags, git, packages
from deploy.plan import Refused
from local_aws.server import Server

NAME = "silverline-mwaa"
PATHS = {"RequirementsS3Path": "requirements.txt", "PluginsS3Path": "plugins.zip"}


@pytest.fixture
def bucket(local_aws: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket of the environment `mwaa`, for which no wheels are downloaded."""
    name = f"deploy-mwaa-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    boto3.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setattr(packages, "plugins", lambda: b"wheels")
    lay("mwaa", mwaa={"environment": NAME, "bucket": name})
    return name


@pytest.fixture
def mwaa_api(local_aws: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """What MWAA, which moto has not, answers, in this order; a request that isn't the one expected is an error."""
    client, make = boto3.client("mwaa"), boto3.client
    monkeypatch.setattr(boto3, "client", lambda name: client if name == "mwaa" else make(name))
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer_question(api: Stubber, installed: dict[str, str], status: str = "AVAILABLE") -> None:
    api.add_response("get_environment", {"Environment": {"Status": status, **installed}}, {"Name": NAME})


def answer_update(api: Stubber, versions: dict[str, Any]) -> None:
    api.add_response("update_environment", {"Arn": "arn"}, {"Name": NAME, **PATHS, **versions})


def first_deploy(deploy: Deploy, api: Stubber) -> None:
    answer_question(api, {})
    answer_update(api, {"RequirementsS3ObjectVersion": ANY, "PluginsS3ObjectVersion": ANY})
    status, said = deploy("--env", "mwaa")
    assert status == 0, said


def newest(bucket: str) -> dict[str, str]:
    s3 = boto3.client("s3")
    return {
        "RequirementsS3ObjectVersion": s3.head_object(Bucket=bucket, Key="requirements.txt")["VersionId"],
        "PluginsS3ObjectVersion": s3.head_object(Bucket=bucket, Key="plugins.zip")["VersionId"],
    }


def keys(bucket: str) -> set[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def test_mwaa_gets_the_dags_with_their_sql_and_scripts_and_what_they_need_installed(
    deploy: Deploy, bucket: str, mwaa_api: Stubber
) -> None:
    first_deploy(deploy, mwaa_api)
    deployed = keys(bucket)
    assert {"requirements.txt", "plugins.zip", "dags/flight_delay.py", "dags/.airflowignore"} <= deployed
    assert "dags/silverline/sql.py" in deployed and "dags/sagemaker_scripts/flight_delay/train.py" in deployed
    assert "dags/glue_like_sql/flight_delay/silver/flights.sql" in deployed
    assert not [key for key in deployed if "__pycache__" in key]


def test_a_second_deploy_finds_nothing_to_do_for_mwaa_either(deploy: Deploy, bucket: str, mwaa_api: Stubber) -> None:
    first_deploy(deploy, mwaa_api)
    answer_question(mwaa_api, {**PATHS, **newest(bucket)})
    status, said = deploy("--env", "mwaa")
    assert status == 0 and "nothing to do" in said


def test_only_files_that_differ_are_uploaded_and_those_that_are_gone_are_deleted(
    deploy: Deploy, bucket: str, mwaa_api: Stubber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_deploy(deploy, mwaa_api)
    shutil.copytree(DAGS, tmp_path / "dags")
    (tmp_path / ".gitignore").write_text("__pycache__/\nscratch.py\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    monkeypatch.setattr(git, "REPOSITORY", tmp_path)
    monkeypatch.setattr(dags, "DAGS", tmp_path / "dags")
    (tmp_path / "dags" / "flight_delay.py").write_text("# another")
    (tmp_path / "dags" / "new.py").write_text("# new")
    (tmp_path / "dags" / "scratch.py").write_text("# of mine: git ignores it")
    (tmp_path / "dags" / "silverline" / "months.py").unlink()
    answer_question(mwaa_api, {**PATHS, **newest(bucket)})
    _, said = deploy("--env", "mwaa")
    plan = [line.strip() for line in said.splitlines() if "s3://" in line]
    assert plan == [
        f"~ s3://{bucket}/dags/flight_delay.py",
        f"+ s3://{bucket}/dags/new.py",
        f"- s3://{bucket}/dags/silverline/months.py",
    ]
    assert "dags/new.py" in keys(bucket) and "dags/silverline/months.py" not in keys(bucket)


def test_a_dag_file_is_uploaded_after_everything_that_it_imports() -> None:
    names = list(dags.files())
    last_import = max(names.index(name) for name in names if name.startswith("silverline/"))
    assert names.index("flight_delay.py") > last_import


def test_other_requirements_are_uploaded_and_mwaa_is_told_their_version(
    deploy: Deploy, bucket: str, mwaa_api: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_deploy(deploy, mwaa_api)
    before = newest(bucket)
    monkeypatch.setattr(packages, "requirements", lambda: "apache-airflow==3.2.1\n")
    answer_question(mwaa_api, {**PATHS, **before})
    answer_update(
        mwaa_api,
        {"RequirementsS3ObjectVersion": ANY, "PluginsS3ObjectVersion": before["PluginsS3ObjectVersion"]},
    )
    status, said = deploy("--env", "mwaa")
    assert status == 0 and f"~ s3://{bucket}/requirements.txt" in said and "plugins.zip" not in said
    assert newest(bucket)["RequirementsS3ObjectVersion"] != before["RequirementsS3ObjectVersion"]


def test_an_update_that_mwaa_did_not_take_is_made_up_for_by_the_next_deploy(
    deploy: Deploy, bucket: str, mwaa_api: Stubber
) -> None:
    answer_question(mwaa_api, {})
    mwaa_api.add_client_error("update_environment", "ValidationException", "not now")
    status, said = deploy("--env", "mwaa")
    assert status == 1 and "not now" in said
    answer_question(mwaa_api, {})
    answer_update(mwaa_api, dict(newest(bucket)))
    status, said = deploy("--env", "mwaa")
    assert status == 0 and "s3://" not in said and f"~ MWAA's environment {NAME}" in said


def test_packages_are_not_changed_while_mwaa_is_busy_with_others(
    deploy: Deploy, bucket: str, mwaa_api: Stubber
) -> None:
    answer_question(mwaa_api, {}, status="UPDATING")
    status, said = deploy("--env", "mwaa")
    assert status == 1 and f"MWAA's environment {NAME} is UPDATING" in said
    assert keys(bucket) == set()


def test_mwaa_installs_from_its_own_folder_and_looks_at_no_index() -> None:
    lines = packages.requirements().splitlines()
    assert lines[:2] == ["--no-index", "--find-links /usr/local/airflow/plugins"]
    assert lines[2] == "--constraint /usr/local/airflow/plugins/airflow-3.2.1-constraints.txt"
    assert "awswrangler==3.17.1" in lines and "apache-airflow==3.2.1" in lines


def test_only_what_mwaas_image_lacks_travels_with_the_dags() -> None:
    ours = {"awswrangler", "matplotlib", "numpy", "pandas", "pyarrow", "setuptools"}
    of_matplotlib = {"contourpy", "cycler", "fonttools", "kiwisolver", "pillow", "pyparsing"}
    mlflows = {"cloudpickle", "databricks-sdk", "gitpython", "mlflow-skinny", "sagemaker-mlflow"}
    of_mlflow = {"gitdb", "google-auth", "pyasn1", "pyasn1-modules", "smmap"}
    openlineage = {"apache-airflow-providers-openlineage"}
    openlineage |= {f"openlineage-{name}" for name in ("integration-common", "python", "sql")}
    assert packages.pins(packages.lacking()).keys() == ours | of_matplotlib | mlflows | of_mlflow | openlineage
    assert packages.lacking().count("--hash=sha256:") > 50


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment with pip that each archive has made for itself."""
    folder = tmp_path_factory.mktemp("pip") / "environment"
    venv.create(folder, with_pip=True)
    return folder


@pytest.fixture
def package(pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The hash of `lone==1`, all that a package index next door has, and that pip looks at."""
    wheel = tmp_path / "lone-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lone-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: lone\nVersion: 1\n")
        archive.writestr("lone-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("lone-1.dist-info/RECORD", "")
    monkeypatch.setattr(venv, "create", lambda folder, with_pip: folder.symlink_to(pip))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_plugins_zip_has_the_locked_wheels_the_constraints_and_the_plugins(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "lacking", lambda: f"lone==1 --hash=sha256:{package}\n")
    archive = zipfile.ZipFile(io.BytesIO(packages.plugins()))
    plugins = ["silverline_deadlines.py"]  # which dags/silverline/runs.py names
    assert archive.namelist() == ["lone-1-py3-none-any.whl", "airflow-3.2.1-constraints.txt", *plugins]


def test_a_wheel_that_is_not_the_locked_one_is_refused(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "lacking", lambda: f"lone==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Refused, match="(?s)can't be downloaded for MWAA.*THESE PACKAGES DO NOT MATCH THE HASHES"):
        packages.plugins()
