"""What the tests of infra/terraform share: a copy of its modules, and one platform that is really applied.

Every apply waits for 55 seconds: after writing a lifecycle configuration, Terraform's provider waits ten seconds and
reads it ten times, five seconds apart, before it believes S3. The apply is started by the first test here, therefore,
and goes on beside those that don't need it. Tests of other parts that want a platform laid by Terraform go into this
folder, too: it is applied once."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from inventory import inventory
from terraform_cli import REPOSITORY, LocalAws, Platform, Root

ENVIRONMENT = "dev"


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of infra/terraform, beside what it reads, where tests may write."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed: infra/terraform is not tested")
    copy = tmp_path_factory.mktemp("terraform")
    shutil.copytree(REPOSITORY / "glue_like_sql", copy / "glue_like_sql")
    generated = shutil.ignore_patterns(".terraform*", "*.tfstate*", "backend.hcl", "*_override.tf")
    shutil.copytree(REPOSITORY / "infra" / "terraform", copy / "infra" / "terraform", ignore=generated)
    return copy / "infra" / "terraform"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The local AWS on which the platform is laid."""
    running = LocalAws(tmp_path_factory.mktemp("aws"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def applying(modules: Path, aws: LocalAws) -> Iterator[tuple[Platform, subprocess.Popen[bytes]]]:
    """The platform, and the apply of it, which may still run."""
    root = Root(modules / "examples" / "local", aws.environment | {"TF_VAR_environment": ENVIRONMENT})
    # As after a first run of the pipelines: their endpoints scale.
    (root.folder / "live_override.tf").write_text('module "silverline" {\n  live_endpoints = ["flight_delay"]\n}\n')
    root.init()
    platform = Platform(aws, root, ENVIRONMENT, inventory(aws))
    running = root.start("apply", "-input=false", "-auto-approve")
    yield platform, running
    if running.poll() is None:
        running.terminate()  # not kill: Terraform ends its provider, too
        running.wait(90)


@pytest.fixture(scope="session")
def as_applied(applying: tuple[Platform, subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the state of that local AWS when nobody but Terraform had touched it."""
    platform, running = applying
    assert running.wait(timeout=280) == 0, platform.root.log("apply").read_text()
    return platform.aws.copy_state(tmp_path_factory.mktemp("as_applied"))


@pytest.fixture(scope="session")
def platform_on_local_aws(applying: tuple[Platform, subprocess.Popen[bytes]], as_applied: Path) -> Platform:
    """The platform that Terraform has laid on a local AWS of its own."""
    return applying[0]


@pytest.fixture(scope="session", autouse=True)
def start_early(request: pytest.FixtureRequest) -> None:
    """Let the apply run beside the tests that come before those which need it."""
    if any("applying" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("applying")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what needs no platform, last what takes it down; the tests of other folders stay where they are."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("takes_the_platform_down"):
            return 2
        return int("applying" in getattr(item, "fixturenames", ()))

    for place, item in zip(places, sorted((items[place] for place in places), key=rank), strict=True):
        items[place] = item
