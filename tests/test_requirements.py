"""requirements.txt is what MWAA installs: it has to fit MWAA's pins."""

import subprocess
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "requirements" / "airflow-3.2.1-constraints.txt"
PACKAGES = {
    "apache-airflow": "requirements.txt",
    "apache-airflow-providers-amazon": "requirements.txt",
    "awswrangler": "requirements.txt",
    "boto3": "requirements.txt",
    "pandas": "requirements.txt",
    "mlflow-skinny": "requirements.txt",
    "sagemaker-mlflow": "requirements.txt",
    "moto": "requirements/laptop.in",
    "scikit-learn": "infra/local_aws/sagemaker/images/sagemaker-scikit-learn-1.9-0-cpu-py3.in",
    "sagemaker": "requirements/sagemaker-sdk.in",
}


def resolve(requirements: str) -> subprocess.CompletedProcess[str]:
    command = [uv.find_uv_bin(), "pip", "compile", "-", "-c", str(CONSTRAINTS), "--python-version", "3.12", "--quiet"]
    return subprocess.run(command, input=requirements, capture_output=True, text=True, cwd=ROOT)


def mwaa_requirements() -> str:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--constraint"))


def test_mwaas_pins_and_our_requirements_resolve_together() -> None:
    done = resolve(mwaa_requirements())
    assert done.returncode == 0, done.stderr
    assert "apache-airflow==3.2.1" in done.stdout and "awswrangler==3.17.1" in done.stdout


def test_a_requirement_that_mwaa_pins_otherwise_is_a_conflict() -> None:
    done = resolve(mwaa_requirements() + "\npandas==2.2.3\n")
    assert done.returncode != 0 and "pandas" in done.stderr


@pytest.mark.parametrize(("package", "file"), PACKAGES.items())
def test_each_package_is_in_the_environment_where_it_can_live_and_requirements_txt_says_so(
    package: str, file: str
) -> None:
    names = [line.split("=")[0].split("[")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    assert package in names
    assert package in (ROOT / "requirements.txt").read_text()
