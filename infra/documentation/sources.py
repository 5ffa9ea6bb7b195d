"""Pages of source files, and of folders of them."""

import ast
import json
import re
from collections.abc import Collection
from pathlib import Path

_HEAD = "---\nsearch: {exclude: true}\nhide: [navigation, toc]\n---\n\n"
_LANGUAGES = {".tf": "terraform", ".py": "python", ".sql": "sql", ".json": "json", ".sh": "bash", ".yaml": "yaml"}


def page(repository: Path, path: Path, pages: Collection[Path]) -> str:
    """A file in full, or what a folder holds: a link for what is among `pages`, and what each says of itself."""
    full = repository / path
    if not full.is_dir():
        return f"{_HEAD}# {path}\n\n````{_LANGUAGES.get(path.suffix, 'text')}\n{full.read_text()}````\n"
    rows = []
    for child in sorted(full.iterdir()):
        own = path / child.name
        if child.name.startswith((".", "__")) or child.is_symlink() or child.suffix == ".pyc":
            continue
        name = f"`{child.name}{'/' if child.is_dir() else ''}`"
        link = child.name if own.suffix == ".md" else f"{child.name}/index.md" if child.is_dir() else f"{child.name}.md"
        rows.append(f"| {f'[{name}]({link})' if own in pages else name} | {_first_sentence(child)} |\n")
    return f"{_HEAD}# {path}/\n\n| name | what it says of itself |\n|---|---|\n{''.join(rows)}"


def _first_sentence(path: Path) -> str:
    """What the file, or the folder's package, says of itself first; empty where it says nothing."""
    if path.is_dir():
        return _first_sentence(path / "__init__.py") if (path / "__init__.py").exists() else ""
    if path.suffix not in (*_LANGUAGES, ".md"):
        return ""
    text = path.read_text()
    if path.suffix == ".py":
        text = ast.get_docstring(ast.parse(text)) or ""
    elif path.suffix == ".json":
        document = json.loads(text)
        text = document.get("title") or document.get("description", "")
    else:
        text = re.sub(r"^(#!.*\n)?((?:(?:--|#) .*\n?)*)[\s\S]*", r"\2", text)
    # A DAG file's docstring begins with its name, as a heading.
    text = re.sub(r"^# .*\n+(?=\S)", "", text) if path.suffix == ".py" else text
    said = " ".join(line.removeprefix("--").lstrip("# ") for line in text.split("\n\n")[0].splitlines())
    return re.split(r"(?<=[.:]) (?=[A-Z])", said)[0].replace("|", "\\|")
