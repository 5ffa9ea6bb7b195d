"""Tables of the reference pages, out of the code that they are about."""

import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from silverline import spec

REPOSITORY = Path(__file__).resolve().parents[2]
SQL = REPOSITORY / "glue_like_sql"
SPECS = (
    spec.PipelineSpec,
    spec.BatchSpec,
    spec.Stage,
    spec.Costs,
    spec.Gate,
    spec.Watch,
    spec.Tuning,
    spec.Range,
)
Table = tuple[str, str, str, list[str]]
"""A table's name, the pipeline it is of, what a row of it is, and its columns."""
OF_A_RUN = ("requests", "records", "summary")
"""Of the SQL in gold/ what makes no table that stays (docs/batch.md)."""
_TARGET = re.compile(r"^([a-z-]+):.*## +(.*?)(?: \(([^()]*=[^()]*)\))?(, until Ctrl-C)?$", re.MULTILINE)
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def make_targets() -> str:
    """Every target with what it does and the arguments that it takes."""
    found = _TARGET.findall((REPOSITORY / "Makefile").read_text())
    return _table(
        ("command", "what it does", "arguments"),
        (
            (f"`make {name}`", what + more, re.sub(r"\w+=[^\s,]*", r"`\g<0>`", given))
            for name, what, given, more in found
        ),
    )


def terraform_variables() -> str:
    """Every variable of the module, those of variables.tf first."""
    rows = []
    files = (REPOSITORY / "infra" / "terraform").glob("*.tf")
    for path in sorted(files, key=lambda path: (path.name != "variables.tf", path.name)):
        for name, body in _VARIABLE.findall(path.read_text()):
            described = re.search(r'^  description = "((?:[^"\\]|\\.)*)"', body, re.MULTILINE)
            what = described[1].replace('\\"', '"') if described else ""
            default = _code(_argument("default", body))
            taken = f"{_code(_argument('type', body))}, {f'otherwise {default}' if default else 'has to be given'}"
            rows.append((_code(name), f"{what}<br>{taken}"))
    return _table(("variable", "what it says, its type and default"), rows)


def platform_document() -> str:
    """Every member of the platform document."""
    schema = json.loads((REPOSITORY / "infra" / "platform.schema.json").read_text())
    required = schema["required"]
    return _table(
        ("member", "what it is", ""),
        (
            (_code(name), value.get("description", ""), "" if name in required else "may be absent")
            for name, value in schema["properties"].items()
        ),
    )


def spec_fields() -> str:
    """Every class of a spec, with what it says of itself, and its fields."""
    return "\n".join(_dataclass(one) for one in SPECS)


def tables() -> str:
    """Every table of every pipeline with its grain and columns, layer by layer."""
    return "\n".join(_layer(layer, found) for layer, found in _layers().items())


TABLES: Mapping[str, Callable[[], str]] = {
    "make targets": make_targets,
    "terraform variables": terraform_variables,
    "platform document": platform_document,
    "spec fields": spec_fields,
    "tables": tables,
}
"""By the marker that stands for each in docs/reference: `<!-- make targets -->`."""


def _dataclass(one: Any) -> str:
    written = inspect.get_annotations(one)
    for parent in one.__mro__[1:-1]:
        written |= inspect.get_annotations(parent)
    rows = [
        (_code(field.name), _code(_type(written[field.name])), _default(field)) for field in dataclasses.fields(one)
    ]
    said = re.sub(r"[\w./]*<[\w./<>]+[\w/>]", r"`\g<0>`", inspect.getdoc(one) or "")  # else it would be taken for HTML
    return f"## {one.__name__}\n\n{said}\n\n{_table(('field', 'type', 'default'), rows)}"


def _type(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return re.sub(r"\b(?:typing|collections\.abc|datetime|silverline\.spec)\.", "", text)


def _default(field: Any) -> str:
    if field.default is not dataclasses.MISSING:
        is_ours = dataclasses.is_dataclass(field.default)
        return _code(f"{type(field.default).__name__}()" if is_ours else _plain(field.default))
    return "*has to be given*" if field.default_factory is dataclasses.MISSING else _code(repr(field.default_factory()))


def _plain(value: Any) -> str:
    return str(value) if type(value).__name__ == "timedelta" else repr(value)


def _argument(name: str, body: str) -> str:
    """What stands behind `name =`, on one line, without its comment; empty where nothing does."""
    found = re.search(rf"^  {name} += (.*(?:\n    .*|\n  [}})]+)*)", body, re.MULTILINE)
    if not found:
        return ""
    members = re.sub(r"(?<!\{)\n +(?=\w)", ", ", re.sub(r" # .*", "", found[1]))
    return re.sub(r"\s+", " ", members)


def _layers() -> dict[str, list[Table]]:
    layers: dict[str, list[Table]] = {"bronze": [], "silver": [], "gold": []}
    for path in sorted(SQL.glob("*/bronze/*.json")):
        document = json.loads(path.read_text())
        columns = [column["name"] for column in document["columns"]]
        partitions = ["year", "month"] if document["partitioned"] else []
        layers["bronze"].append((path.stem, path.parts[-3], document["description"], columns + partitions))
    for layer in ("silver", "gold"):
        for path in sorted(SQL.glob(f"*/{layer}/*.sql")):
            if path.stem not in OF_A_RUN:
                text = path.read_text()
                layers[layer].append((path.stem, path.parts[-3], _grain(text), list(_columns(text))))
    return layers


def _grain(text: str) -> str:
    """The first comment, up to what the statement reads."""
    comment = re.match(r"(?:-- .*\n)+", text)
    assert comment
    return " ".join(comment[0].replace("-- ", "").split()).partition(" Reads:")[0]


def _columns(text: str) -> Iterator[str]:
    """The names in the last list of columns that a `select` of the statement writes out."""
    indent, last = re.findall(r"^( *)select\n((?:\1    .*\n|\n)+)", text, re.MULTILINE)[-1]
    for line in last.splitlines():
        if found := re.fullmatch(rf"{indent}    (?:\S.*[ .])?(\w+),?", line):
            yield found[1]


def _layer(layer: str, found: Iterable[Table]) -> str:
    rows = ((_code(name), maker, grain, ", ".join(map(_code, columns))) for name, maker, grain, columns in found)
    return f"## {layer.capitalize()}\n\n{_table(('table', 'pipeline', 'what a row is', 'columns'), rows)}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [[*head], *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
