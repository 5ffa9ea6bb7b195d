"""A laptop of its own for the pipeline tests: other ports and another state folder than `make run` uses."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from laptop.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Laptop:
    """`python -m laptop` with its own state; `settings` knows the addresses."""

    settings: Settings
    state: Path

    def command(self, *arguments: str, timeout: int = 600) -> subprocess.CompletedProcess[str]:
        """Run a command as the make targets do; both outputs are captured."""
        environment = {**os.environ, "SILVERLINE_STATE": str(self.state), "PYTHONPATH": ""}
        return subprocess.run(
            [sys.executable, "-m", "laptop", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=ROOT,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`make run` on these ports, up to March: a month to train, one to validate, one to test."""
        ports = [f"--aws-port={self.settings.aws_port}", f"--airflow-port={self.settings.airflow_port}"]
        return self.command("run", "--as-of", "2013-03", *ports, *arguments)
