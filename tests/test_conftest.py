"""The tests talk to their own local AWS, whatever AWS settings the shell has that runs them."""

import os
import subprocess
import sys
from pathlib import Path

ELSEWHERE = "http://127.0.0.1:9"


def test_no_aws_setting_of_the_users_shell_reaches_the_tests(tmp_path: Path) -> None:
    settings = tmp_path / "config"
    settings.write_text(f"[default]\nregion = eu-west-1\nendpoint_url = {ELSEWHERE}\nservices = elsewhere\n")
    shell = {
        **os.environ,
        "AWS_PROFILE": "nowhere",
        "AWS_CONFIG_FILE": str(settings),
        "AWS_ENDPOINT_URL_S3": ELSEWHERE,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_SESSION_TOKEN": "the user's",
    }
    test = "tests/local_aws/test_sagemaker_refusals.py::test_an_output_bucket_that_does_not_exist"
    command = [sys.executable, "-m", "pytest", "-q", test]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
