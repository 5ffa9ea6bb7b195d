"""README and make targets, settings and docs say the same."""

import ast
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from silverline import metrics

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "infra" / "terraform").glob("*.md")),
]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
SETTINGS = (DOCS / "reference" / "settings.md").read_text()
COMMAND = re.compile(r"(make|export|aws|terraform|git|mkdir|\.venv/|\.envs/|[A-Z_]+=)[ \w]")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_every_make_target_is_in_the_readme() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert TARGETS - named - {"help"} == set()  # `make` alone is help


@each_page
def test_every_make_command_of_a_page_exists(page: Path) -> None:
    commands = set(re.findall(r"(?:`|^ *)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert commands <= TARGETS


@each_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@each_page
def test_every_block_of_commands_or_python_can_be_read(page: Path) -> None:
    for language, block in blocks(page.read_text()):
        if language == "python":
            ast.parse(block)
        elif language == "bash":
            read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
            assert not read.returncode, f"{block}\n{read.stderr}"


@each_page
def test_every_page_is_in_the_nav(page: Path) -> None:
    nav = yaml.safe_load((ROOT / "infra" / "documentation" / "mkdocs.yml").read_text())["nav"]
    assert str(page.relative_to(ROOT)) in list(leaves(nav))


def test_every_argument_of_make_is_a_setting() -> None:
    given = set(re.findall(r"\$\((?:if |or )?(?:\$\()?([A-Z_]+)\b", MAKEFILE)) | {"ENV", "CALLS"}
    own = set(re.findall(r"^(?:export )?([A-Z_]+) :=", MAKEFILE, re.MULTILINE)) | {"MAKE", "CURDIR", "MAKEFILE_LIST"}
    assert unnamed((given - own) | {"ENV", "CALLS"}) == set()


def test_every_environment_variable_that_is_read_is_a_setting() -> None:
    texts = [path.read_text() for folder in ("dags", "infra", "sagemaker_scripts") for path in sources(ROOT / folder)]
    read = {name for text in texts for name in re.findall(r"os\.environ(?:\.\w+\(|\[)f?\"([A-Z_]+)", text)}
    read |= {name for text in texts for name in re.findall(r"\"((?:SILVERLINE|MLFLOW)_[A-Z_]+)\"", text)}
    read |= {name for text in texts for name in re.findall(r"\$\{(AWS_[A-Z_]+)", text)}
    assert len(read) > 15
    assert unnamed(read - {"PATH"}) == set()


def test_every_variable_of_airflow_is_a_setting() -> None:
    texts = [path.read_text() for path in sources(ROOT / "dags")]
    read = {name for text in texts for name in re.findall(r"Variable\.get\(\"(\w+)|var\.value\.(\w+)", text)}
    assert unnamed({one or other for one, other in read}) == set()


@pytest.mark.parametrize("name", metrics.UNITS)
def test_every_metric_is_in_the_reference_with_its_unit(name: str) -> None:
    page = (DOCS / "reference" / "metrics.md").read_text()
    (unit,) = re.findall(rf"^\|[^|]*`{name}`[^|]*\| (\w+) \|", page.partition("## AWS's own")[0], re.MULTILINE)
    assert unit == metrics.UNITS[name]


def test_every_widget_of_the_dashboard_is_explained() -> None:
    page = (DOCS / "how-to" / "dashboard.md").read_text()
    for path in (ROOT / "infra" / "terraform" / "dashboard").glob("*.yaml"):
        for title in re.findall(r'title: "?(?:\$\{\w+\}: )?([^"$\n]+)', path.read_text()):
            assert f"| {title.strip()}" in page


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each block of code with its language; of an indented one that is what its first line looks like."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in re.findall(r"(?<=\n\n)(?: {4}.*\n(?:\n(?= {4}))?)+", text):
        lines = textwrap.dedent(block)
        if lines.startswith("import "):
            yield "python", lines
        elif COMMAND.match(lines):
            yield "bash", re.sub(r"<[a-z ]+>|…", "some", lines)


def leaves(nav: object) -> Iterator[str]:
    """The pages of a nav."""
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(part)


def sources(folder: Path) -> Iterator[Path]:
    """Every program below the folder."""
    yield from (path for pattern in ("*.py", "*.sh") for path in folder.rglob(pattern))


def unnamed(names: set[str]) -> set[str]:
    """Those that the page of settings doesn't name; of a name that goes on the beginning."""
    return {name for name in names if not re.search(rf"`{name}(?:`|(?<=_)\w+`)", SETTINGS)}
