"""The site of `make docs`: it can be read from a folder, with no network, no link of it is broken, and its reference is
whole."""

import dataclasses
import importlib
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from silverline import spec

ROOT = Path(__file__).parents[1]
LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data")}


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it that a link may lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag says."""
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif (tag, name) in LOADED and value:
                self.loaded.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made as `make docs` makes it."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    built = subprocess.run(
        [ROOT / ".envs" / "docs" / "bin" / "python", "-m", "documentation", folder],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'infra'}:{ROOT / 'dags'}"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def site(site_folder: Path) -> dict[Path, str]:
    """Its pages, by where they are in it."""
    return {path.relative_to(site_folder): path.read_text() for path in site_folder.rglob("*.html")}


def test_no_link_is_broken_and_nothing_comes_from_another_host(site: dict[Path, str], site_folder: Path) -> None:
    pages = {path: Links(text) for path, text in site.items()}
    elsewhere = {url for page in pages.values() for url in page.loaded if urlsplit(url).netloc}
    assert elsewhere == set()
    broken = []
    for path, page in pages.items():
        for url in (*page.links, *page.loaded):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            # The page for what isn't found may be shown anywhere, and links from the root.
            where = unquote(parts.path).removeprefix("/" if path.name == "404.html" else "")
            target = Path(os.path.normpath(path.parent / where)) if where else path
            is_there = (site_folder / target).is_file()
            if not is_there or (target in pages and unquote(parts.fragment) not in pages[target].places):
                broken.append(f"{path}: {url}")
    assert broken == []


def test_search_finds_pages_where_the_site_is_a_folder(site: dict[Path, str], site_folder: Path) -> None:
    index = (site_folder / "search" / "search_index.js").read_text()  # what a page loads that is opened as a file
    assert "Roll back" in index and "docs/how-to/roll-back.html" in index
    assert "from silverline.pipeline import pipeline" not in index  # source files would bury the pages
    assert 'src="iframe-worker.js"' in site[Path("index.html")]


def test_the_reference_has_every_make_target(site: dict[Path, str]) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert missing({f"make {target}" for target in targets}, site[Path("docs/reference/make.html")]) == set()


def test_the_reference_has_every_variable_of_terraform(site: dict[Path, str]) -> None:
    module = "".join(path.read_text() for path in (ROOT / "infra" / "terraform").glob("*.tf"))
    variables = set(re.findall(r'^variable "(\w+)"', module, re.MULTILINE))
    assert missing(variables, site[Path("docs/reference/terraform.html")]) == set()


def test_the_reference_has_every_table(site: dict[Path, str]) -> None:
    modules = [importlib.import_module(path.stem) for path in (ROOT / "dags").glob("*.py")]
    specs = [module.spec for module in modules if hasattr(module, "spec")]
    pipelines = [one for one in specs if isinstance(one, spec.PipelineSpec)]
    references = {table for one in pipelines for table in one.reference_sources}
    tables = [table for one in specs for stage in one.stages for table in stage.published]
    tables += [*references, *(table for one in pipelines for table in one.monthly_sources)]
    page = site[Path("docs/reference/tables.html")]
    assert missing(set(tables), page) == set()
    # The partition is the last column of every table but the small ones of bronze: no list was cut short.
    assert page.count("<code>month</code></td>") == len(tables) - len(references)


def test_the_reference_has_every_field_of_a_spec(site: dict[Path, str]) -> None:
    classes = [one for one in vars(spec).values() if dataclasses.is_dataclass(one)]
    fields = {field.name for one in classes for field in dataclasses.fields(one)}
    assert missing(fields, site[Path("docs/reference/spec.html")]) == set()


def test_the_reference_has_every_member_of_the_platform_document(site: dict[Path, str]) -> None:
    members = yaml.safe_load((ROOT / "infra" / "platform.schema.json").read_text())["properties"]
    assert missing(set(members), site[Path("docs/reference/settings.html")]) == set()


def missing(names: set[str], page: str) -> set[str]:
    """Those that no row of a table on the page begins with."""
    return {name for name in names if not re.search(rf"<td><code>{name}</code></td>", page)}
