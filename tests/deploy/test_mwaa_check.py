"""`make mwaa-check`: what MWAA can't install, and what it can't import."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy import mwaa_check, packages

ROOT = Path(__file__).parents[2]
CONSTRAINT = next(line for line in packages.REQUIREMENTS.read_text().splitlines() if line.startswith("--constraint"))
pytestmark = pytest.mark.long(25)
BROKEN = {
    "at_parsing.py": "import moto\nfrom airflow.sdk import DAG\n",
    "in_a_task.py": """
from airflow.sdk import dag, task

@dag
def lazy():
    @task
    def late():
        import duckdb
        from pandas import DateFrame
    late()

lazy()
""",
    "ignored/library.py": """
from typing import TYPE_CHECKING

import laptop

if TYPE_CHECKING:
    import mypy_boto3_s3
""",
    ".airflowignore": "ignored/\n",
}


def test_mwaa_installs_our_requirements_and_imports_all_below_dags() -> None:
    command = [sys.executable, "-m", "deploy.mwaa_check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "flight_delay.py: 1 DAG, parsed in" in done.stdout


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the check says of DAG files that import what MWAA has not."""
    folder = tmp_path_factory.mktemp("mwaa") / "dags"
    for name, content in BROKEN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return mwaa_check.imports(folder)


@pytest.mark.parametrize(
    "says",
    [
        "at_parsing.py imports moto: ModuleNotFoundError: No module named 'moto'",
        "in_a_task.py imports duckdb: ModuleNotFoundError: No module named 'duckdb'",
        "in_a_task.py imports pandas.DateFrame: ModuleNotFoundError: No module named 'pandas.DateFrame'",
        "ignored/library.py imports laptop: ModuleNotFoundError: No module named 'laptop'",
    ],
)
def test_an_import_that_mwaa_can_not_make_is_named_with_its_file(
    broken: subprocess.CompletedProcess[str], says: str
) -> None:
    assert broken.returncode == 1 and says in broken.stderr.splitlines()


def test_a_dag_file_that_does_not_parse_fails_and_one_that_airflow_ignores_is_not_parsed(
    broken: subprocess.CompletedProcess[str],
) -> None:
    assert "in_a_task.py: 1 DAG, parsed in" in broken.stdout and "library.py" not in broken.stdout
    assert "at_parsing.py: Traceback" in broken.stderr
    assert "mypy_boto3_s3" not in broken.stderr  # only type checkers import it


@pytest.mark.parametrize(
    ("requirements", "says"),
    [
        ("pandas\n", "names no --constraint file of Airflow 3.2.1"),
        (f"{CONSTRAINT}\npandas==2.2.3\n", "does not fit MWAA's pins"),
        (f"{CONSTRAINT}\nflask==3.0.0\n", "does not fit MWAA's pins"),
        (f"{CONSTRAINT}\nboto3-stubs==1.42.1\n", "boto3-stubs 1.42.1 would replace MWAA's own 1.43.67"),
        (f"{CONSTRAINT}\nboto3\n", "requirements/mwaa.lock.txt is out of date ("),
    ],
)
def test_requirements_that_mwaa_would_not_install_are_named(requirements: str, says: str) -> None:
    findings = mwaa_check.packages_findings(requirements)
    assert any(says in finding for finding in findings), findings
