"""What infra/docker and .devcontainer say of images, ports and volumes holds together, without a Docker engine."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import parse

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "infra" / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DEVCONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing_in_a_dockerfile(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, dockerfile], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_runs_as_nobody_who_may_do_all(dockerfile: Path) -> None:
    users = [instruction.value for instruction in parse(dockerfile.read_text()) if instruction.name == "USER"]
    assert users == ["1000:1000"]


def test_uv_is_the_makefiles() -> None:
    version = re.search(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert version and f"uv=={version[1]} " in (DOCKER / "model-api.Dockerfile").read_text()


def stages(dockerfile: Path) -> set[str]:
    """The names of a Dockerfile's stages."""
    named = [i.value.partition(" AS ")[2] for i in parse(dockerfile.read_text()) if i.name == "FROM"]
    return {name for name in named if name}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_built_from_what_is_there(name: str) -> None:
    build = SERVICES[name]["build"]
    context = DOCKER / build["context"]
    assert context.resolve() == ROOT
    assert {build["target"]} <= stages(context / build["dockerfile"]) if "target" in build else True


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_published_on_this_machines_loopback_only(name: str) -> None:
    assert SERVICES[name]["ports"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])
    assert "network_mode" not in SERVICES[name]


def test_no_service_is_told_a_secret_or_sees_a_folder_of_this_machine() -> None:
    told = {name: value for service in SERVICES.values() for name, value in service.get("environment", {}).items()}
    assert {value for name, value in told.items() if "KEY" in name} == {"local"}
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert mounted == COMPOSE["volumes"].keys()


def test_the_models_api_can_write_nowhere_but_to_tmp() -> None:
    api = SERVICES["model-api"]
    assert (api["read_only"], api["tmpfs"], api["cap_drop"]) == (True, ["/tmp"], ["ALL"])
    assert api["volumes"] == ["model:/opt/ml/model:ro"]


def test_the_devcontainer_is_the_laptops_machine_with_its_ports_and_leave_for_namespaces() -> None:
    build = DEVCONTAINER["build"]
    folder = ROOT / ".devcontainer"
    assert build["target"] in stages(folder / build["dockerfile"])
    assert (folder / build["context"]).resolve() == ROOT
    laptop = SERVICES["laptop"]
    assert sorted(DEVCONTAINER["forwardPorts"]) == sorted(int(port.split(":")[1]) for port in laptop["ports"])
    asked = [f"--security-opt={option.replace(':', '=')}" for option in laptop["security_opt"]]
    assert DEVCONTAINER["runArgs"] == ["--init", *asked]


def test_docker_gets_every_file_that_git_knows() -> None:
    """Otherwise the checkout in the image would differ from its commit, and every model's lineage say so."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.removeprefix("**/") for line in lines if not line.startswith("#")]
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not [f for f in files for part in Path(f).parts if any(fnmatchcase(part, pattern) for pattern in patterns)]


def test_the_laptop_passes_on_what_is_published_and_stops_what_it_has_started(tmp_path: Path) -> None:
    for name, does in {"hostname": "echo 192.0.2.7", "socat": "", "make": ""}.items():
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/said"\n{does}\n')
        (tmp_path / name).chmod(0o755)
    container = subprocess.Popen(
        [DOCKER / "laptop.sh", "make", "run"], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )
    expected = {"hostname -i", "make run"}
    for port in SERVICES["laptop"]["ports"]:
        inside = port.rpartition(":")[2]
        expected.add(f"socat TCP-LISTEN:{inside},bind=192.0.2.7,fork,reuseaddr TCP:127.0.0.1:{inside}")

    def said() -> list[str]:
        return (tmp_path / "said").read_text().splitlines() if (tmp_path / "said").exists() else []

    until = time.monotonic() + 60
    while set(said()) != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert set(said()) == expected
    assert container.poll() is None
    container.send_signal(signal.SIGTERM)
    assert container.wait(60) == 0
    assert said()[-1] == "make down"


def test_a_laptop_whose_command_fails_ends_as_it_did(tmp_path: Path) -> None:
    for name in ("hostname", "socat"):
        (tmp_path / name).write_text("#!/bin/sh\necho 192.0.2.7\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.path.dirname(shutil.which('bash') or '')}:{os.environ['PATH']}"
    done = subprocess.run([DOCKER / "laptop.sh", "sh", "-c", "exit 3"], env={"PATH": path}, timeout=60)
    assert done.returncode == 3
