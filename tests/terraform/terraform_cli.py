"""Terraform as a user runs it: in a root module, by its command line."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from own_server import serve

REPOSITORY = Path(__file__).parents[2]
REGION = "us-east-1"


class LocalAws:
    """A local AWS of its own, which goes on with the state in `folder`; it enforces IAM, and writes down every call."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls.jsonl"
        self._folder = folder
        self._process, self.url = self._start("--port=0")
        self.credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        self.environment = inherited | self.credentials | no_files | {"AWS_ENDPOINT_URL": self.url}

    def client(self, service: str) -> Any:
        """A boto3 client that talks to it, whatever this process's environment says."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def copy_state(self, folder: Path) -> Path:
        """`folder` with its state, for another local AWS; for the copy it is down for some seconds."""
        self.stop()
        shutil.copytree(self._folder / "state", folder / "state")
        self._process, _ = self._start(f"--port={self.url.rpartition(':')[2]}")
        return folder

    def _start(self, port: str) -> tuple[subprocess.Popen[str], str]:
        options = ["--enforce-iam", f"--record-calls={self.calls}", f"--state-dir={self._folder / 'state'}"]
        return serve(self._folder / "server.log", port, *options)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(120)  # its last snapshot takes a while where all processors are busy


class Root:
    """A root module with a state of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A Terraform command that runs by itself; what it prints is in `log`."""
        command = ["terraform", arguments[0], "-no-color", *arguments[1:]]
        # A file, because a pipe that nobody reads meanwhile is full before a plan is printed.
        with self.log(arguments[0]).open("wb") as log:
            return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def log(self, command: str) -> Path:
        """Where the last such command has printed."""
        return self.folder / f"{command}.log"

    def try_(self, *arguments: str) -> tuple[int, str]:
        """The exit code and all that a command printed."""
        code = self.start(*arguments).wait(timeout=280)
        return code, self.log(arguments[0]).read_text()

    def run(self, *arguments: str) -> str:
        """What a command that has to succeed printed."""
        code, output = self.try_(*arguments)
        assert code == 0, f"terraform {' '.join(arguments)} in {self.folder}:\n{output}"
        return output

    def init(self, *arguments: str) -> None:
        """Make it ready; skips, saying why, where Terraform can't get its AWS provider."""
        code, output = self.try_("init", "-input=false", *arguments)
        if code and "Failed to query available provider packages" in output:
            pytest.skip(f"terraform can't get its AWS provider here: {output.strip()[:300]}")
        assert code == 0, output

    def plan(self) -> Path:
        """A file with the plan as JSON, and in it what every resource will be."""
        self.run("plan", "-input=false", "-out=plan")
        shown = self.folder / "plan.json"
        shown.write_text(self.run("show", "-json", "plan"))
        return shown


@dataclass(frozen=True)
class Platform:
    """What examples/local has laid on a local AWS of its own, and what was there before."""

    aws: LocalAws
    root: Root
    environment: str
    before: dict[str, list[str]]

    @property
    def document(self) -> dict[str, Any]:
        """The platform document, as the pipelines read it."""
        parameter = self.aws.client("ssm").get_parameter(Name=f"/silverline/{self.environment}/platform")
        document: dict[str, Any] = json.loads(parameter["Parameter"]["Value"])
        return document

    def client_of(self, role: str, service: str) -> Any:
        """A boto3 client of one of the roles that people and Airflow take."""
        arn = f"{self.document['airflow_role_arn'].removesuffix('-airflow')}-{role}"
        keys = self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
        return session.client(service, endpoint_url=self.aws.url)
