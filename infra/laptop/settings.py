"""Where the laptop's services keep their state, and the environment they run in."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy import account

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL = "local"
# Which platform is meant: the one that `make run` lays itself, or one that Terraform has laid (ENV=dev).
ENVIRONMENT = os.environ.get("SILVERLINE_ENV") or LOCAL
ALL_STATE = Path(os.environ.get("SILVERLINE_STATE", REPOSITORY / ".state"))
STATE = ALL_STATE if ENVIRONMENT == LOCAL else ALL_STATE / ENVIRONMENT
REGION = "us-east-1"
AIRFLOW_USER = "admin"
# Of Airflow's settings in the user's shell, those that change nothing but whom Airflow tells (docs/telemetry.md, and of
# OpenLineage docs/watching.md).
TELEMETRY = ("AIRFLOW__METRICS__", "AIRFLOW__OPENLINEAGE__", "AIRFLOW__TRACES__")


@dataclass(frozen=True)
class Settings:
    """The ports of the two servers; both listen on 127.0.0.1 only."""

    aws_port: int
    airflow_port: int

    @property
    def aws_url(self) -> str:
        """Goes into AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def airflow_url(self) -> str:
        """Airflow's user interface and API."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def dashboard_url(self) -> str:
        """The environment's dashboard, for a browser."""
        return f"{self.aws_url}/_dashboard/silverline-{ENVIRONMENT}"

    def aws_environment(self) -> dict[str, str]:
        """What points any AWS client at local AWS, and keeps it from the user's own account."""
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }

    def enter(self) -> None:
        """Make `environment` this process's own: not even a service-specific endpoint of the user's shell stays."""
        environment = self.environment()
        os.environ.clear()
        os.environ.update(environment)

    def environment(self) -> dict[str, str]:
        """The environment of what runs on local AWS: the user's, without his AWS credentials."""
        no_credentials = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        polling = {"WR_ATHENA_QUERY_WAIT_POLLING_DELAY": "0.25"}
        return (
            _inherited(("AWS_", "AIRFLOW_"))
            | self.aws_environment()
            | no_credentials
            | self._airflow_environment()
            | polling
        )

    def role_environment(self, role_arn: str) -> dict[str, str]:
        """The environment of what runs on local AWS as the role, whose credentials botocore gets and renews itself."""
        root = self.environment()
        keys = {name: root.pop(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        profiles = ["[default]", f"role_arn = {role_arn}", "role_session_name = airflow", "source_profile = root"]
        profiles += ["[profile root]", *(f"{name.lower()} = {value}" for name, value in keys.items())]
        path = STATE / "airflow" / "aws-config"
        write_privately(path, "\n".join(profiles) + "\n")
        return root | {"AWS_CONFIG_FILE": str(path)}

    def user_environment(self) -> dict[str, str]:
        """The environment of what runs on the user's own AWS account: by his settings and credentials."""
        return _inherited(("AIRFLOW_",)) | account.region() | self._airflow_environment()

    def _airflow_environment(self) -> dict[str, str]:
        home = STATE / "airflow"
        keys = airflow_secrets()
        backend = "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend"
        return {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "infra" / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            # `make run` unpauses what it runs: the other pipelines would start by what it publishes.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
            "AIRFLOW__CORE__FERNET_KEY": "",
            # On a busy machine others write for longer than SQLite's five seconds: "database is locked".
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": keys["api"],
            "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
            "AIRFLOW__SECRETS__BACKEND": backend,
            # MWAA documents the same backend; connections stay Airflow's own.
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
                {"variables_prefix": f"/silverline/{ENVIRONMENT}", "connections_prefix": None, "config_prefix": None}
            ),
            # The scheduler's sleep is time between two tasks; shorter, it takes a third of a core while it waits.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            # For so long a task's supervisor may not notice that its process has ended; until then no other task gets
            # its slot, and a trigger that fires meanwhile makes the scheduler take the task for killed.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "15",
            # A new or edited DAG file is seen within seconds instead of minutes; the others need not be read again.
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }


def _inherited(without: tuple[str, ...]) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if name.startswith(TELEMETRY) or not name.startswith(without)
    }
    # Where it is set, each of the hundred processes of a run would compile its modules again.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return inherited


def airflow_secrets() -> dict[str, str]:
    """Random keys and the user's password, made once and kept as long as the state is."""
    path = STATE / "airflow" / "secrets.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {name: secrets.token_urlsafe(32) for name in ("api", "jwt")} | {"password": secrets.token_urlsafe(9)}
        write_privately(path.parent / "passwords.json", json.dumps({AIRFLOW_USER: values["password"]}))
        write_privately(path, json.dumps(values))
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def make(target: str) -> str:
    """The make command of that target for this environment."""
    return f"make {target}" if ENVIRONMENT == LOCAL else f"make {target} ENV={ENVIRONMENT}"


def write_privately(path: Path, text: str) -> None:
    """Write a file for the user alone, whole or not at all."""
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(text)
    half.replace(path)
