"""What the site is made of: the Markdown in the folders that it has in the repository, so that its links hold, and a
page for each source file and folder that it links to."""

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from documentation import reference, sources

REPOSITORY = Path(__file__).resolve().parents[2]
WRITTEN = ("*.md", "docs/**/*.md", "infra/terraform/*.md")
PICTURES = "docs/images/*"
ASSETS = ("iframe-worker.js", "site.css")
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)")
_MARKER = re.compile(r"<!-- ([a-z ]+) -->\n")


def written() -> Iterator[Path]:
    """Every page that somebody has written, as a path in the repository."""
    for pattern in WRITTEN:
        yield from (path.relative_to(REPOSITORY) for path in sorted(REPOSITORY.glob(pattern)))


def write(folder: Path) -> None:
    """Fill `folder` with all that the site is made of."""
    linked: set[Path] = set()
    for page in written():
        led = partial(_to_page, page, linked)
        _lay(folder / page, _LINK.sub(led, _filled((REPOSITORY / page).read_text())))
    for path in linked:
        _lay(folder / _page_of(path), sources.page(REPOSITORY, path, linked | set(written())))
    for picture in REPOSITORY.glob(PICTURES):
        (folder / "docs" / "images").mkdir(exist_ok=True)
        shutil.copy(picture, folder / picture.relative_to(REPOSITORY))
    for asset in ASSETS:
        shutil.copy(Path(__file__).with_name(asset), folder)


def _filled(text: str) -> str:
    """`text` with the table that each marker stands for, if it stands for one."""
    tables = reference.TABLES
    return _MARKER.sub(lambda found: tables[found[1]]() if found[1] in tables else found[0], text)


def _to_page(page: Path, linked: set[Path], found: re.Match[str]) -> str:
    """The link as it is, or to the page of the source file or folder that it names, which is `linked` then."""
    link = found[0]
    target = Path(os.path.normpath(page.parent / link))
    if ":" in link or link.startswith("<") or target in written() or target.match(PICTURES):
        return link
    if not (REPOSITORY / target).exists():
        return link  # broken, which the build tells
    if (target / "README.md") in written():
        return f"{link.rstrip('/')}/README.md"
    linked.add(target)
    return os.path.relpath(_page_of(target), page.parent)


def _page_of(path: Path) -> Path:
    return path / "index.md" if (REPOSITORY / path).is_dir() else path.with_name(f"{path.name}.md")


def _lay(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
