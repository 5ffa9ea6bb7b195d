"""`python -m scaffold`: what `make new` calls."""

import argparse
import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.table import Table

from laptop.contract import check_all
from laptop.services import ServiceError
from laptop.settings import REPOSITORY, make
from scaffold import choices, contract, raw_files
from scaffold.columns import Column, read
from scaffold.description import describe
from silverline.spec import Spec, Stage

DATA = REPOSITORY / "data"
STYLE = REPOSITORY / "pyproject.toml"
FILES = {
    "dag.py": "dags/{name}.py",
    "batch.py": "dags/{name}_batch.py",
    "train.py": "sagemaker_scripts/{name}/train.py",
    "checked.sql": "glue_like_sql/{name}/staging/checked_{name}.sql",
    "features.sql": "glue_like_sql/{name}/silver/{name}_features.sql",
    "quarantine.sql": "glue_like_sql/{name}/silver/{name}_quarantine.sql",
    "split.sql": "glue_like_sql/{name}/splits/split.sql",
    "row_counts.sql": "glue_like_sql/{name}/audit/row_counts.sql",
    "audit.sql": "glue_like_sql/{name}/audit/features.sql",
    "requests.sql": "glue_like_sql/{name}/gold/requests.sql",
    "records.sql": "glue_like_sql/{name}/gold/records.sql",
    "predictions.sql": "glue_like_sql/{name}/gold/{name}_predictions.sql",
    "summary.sql": "glue_like_sql/{name}/gold/summary.sql",
    "audit_predictions.sql": "glue_like_sql/{name}/audit/gold/predictions.sql",
    "test.py": "tests/sql/test_{name}.py",
}
SHARED = (
    *(
        "archive",
        "bootstrap",
        "classifier",
        "evaluate",
        "evaluation",
        "event_files",
        "inference",
        "measures",
        "metrics",
    ),
    *("model_quality", "records", "split", "training"),
)
"""The scripts of a classifier that are linked into the pipeline's folder."""


# SQL files are templates of their own: what is filled in here has other brackets.
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("template")),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    block_start_string="[%",
    block_end_string="%]",
    variable_start_string="[[",
    variable_end_string="]]",
    comment_start_string="[#",
    comment_end_string="#]",
)


def new(arguments: argparse.Namespace, console: Console) -> None:
    """Write a pipeline's files and lay its data; ServiceError, before anything is written, where that can't be."""
    name = arguments.name
    try:
        Spec(name=name, description="", stages=(Stage(published=("features",), audit="features"),))
    except ValueError as error:
        raise ServiceError(str(error)) from None
    targets = {template: REPOSITORY / place.format(name=name) for template, place in FILES.items()}
    folders = [REPOSITORY / folder / name for folder in ("glue_like_sql", "sagemaker_scripts", "data")]
    places = [*folders, *(place for place in targets.values() if not set(folders) & set(place.parents))]
    if there := " ".join(str(place.relative_to(REPOSITORY)) for place in places if place.exists()):
        raise ServiceError(f"pipeline {name} is there, and isn't overwritten; to make it anew, first: rm -r {there}")
    _require_free(name)
    path = Path(arguments.file).expanduser()
    form, columns = read(path)
    left_out = choices.named(columns, "WITHOUT", arguments.without)
    time = choices.time(columns, arguments.time, console)
    key = choices.named(columns, "KEY", arguments.key) or choices.key(columns)
    label = choices.label(
        columns, arguments.label, {one.name for one in (time, *key) if one and len(key) < len(columns)}
    )
    described = describe(name, form, columns, time, key, label, left_out)

    _require_kept(described["contract"], columns)
    written = {
        target: TEMPLATES.get_template(f"{template}.j2").render(described) for template, target in targets.items()
    }
    written = {target: _formatted(text) if target.suffix == ".py" else text for target, text in written.items()}
    written[REPOSITORY / "glue_like_sql" / name / "bronze" / f"{name}.json"] = contract.text(described["contract"])
    laid = raw_files.lay(DATA, name, form, columns, time)
    try:
        for target, text in (written | laid).items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        for script in SHARED:
            (REPOSITORY / "sagemaker_scripts" / name / f"{script}.py").symlink_to(f"../shared/{script}.py")
    except BaseException:
        for place in places:
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        raise
    _tell(console, described, columns, list(written), len(laid))


def _require_free(name: str) -> None:
    """ServiceError where the name is a module's, which dags/ would hide, or that of a table of another pipeline."""
    if name.endswith("_batch") or name in ("monitoring", "silverline") or importlib.util.find_spec(name):
        raise ServiceError(f"NAME={name} would be taken for something else, which is called so: use another")
    sql = REPOSITORY / "glue_like_sql"
    tables = {path.stem: path for path in (*sql.glob("*/*/*.sql"), *sql.glob("*/bronze/*.json"))}
    for table in (name, f"checked_{name}", *(f"{name}_{kind}" for kind in ("features", "quarantine", "predictions"))):
        if table in tables:
            found = tables[table].relative_to(REPOSITORY)
            raise ServiceError(f"NAME={name} would have a table {table}, and there is one: {found}; use another name")


def _require_kept(described: Mapping[str, Any], columns: Sequence[Column]) -> None:
    """ServiceError where the file breaks the contract that is made of it so often that no run would publish it."""
    names = [column.name for column in columns]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(column.values for column in columns), strict=True)]
    broken = [one for _, found in check_all(described, rows) for one in found]
    count = len({one.row for one in broken})
    if count * 10 > len(rows):
        (column, rule), times = Counter((one.column, one.rule) for one in broken).most_common(1)[0]
        raise ServiceError(
            f"{count:,} of {len(rows):,} rows can't be used, and no month is published of which more than one in ten "
            f"can't; {times:,} of them because {column} {rule}: leave them out of the file, or say another LABEL or "
            "KEY (docs/how-to/your-own-data.md says what to do where rows may repeat)"
        )


def _formatted(script: str) -> str:
    """The script as ruff would write it: lists are long or short."""
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--config", str(STYLE), "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=True).stdout


def _tell(
    console: Console,
    described: Mapping[str, Any],
    columns: Sequence[Column],
    files: Sequence[Path],
    laid: int,
) -> None:
    """What was seen in the file, what was made of it, and what to do next."""
    name, table = described["name"], Table(box=None, padding=(0, 2), pad_edge=False)
    for head in ("column", "type", "missing", "used as"):
        table.add_column(head)
    for column in columns:
        missing = len(column.values) - len(column.known)
        table.add_row(column.header, column.kind, f"{missing:,}" if missing else "", _use(column, described))
    console.print(table)
    split = f"by month of {described['time']}" if described["time"] else "by a hash of the key"
    said = f"predicted: {described['label']} = {described['label_sql']}"
    console.print(f"\n{described['row_count']} rows, split {split}; {said}", soft_wrap=True, highlight=False)
    console.print("\nMade, and yours to change:")
    for path in files:
        console.print(f"  {path.relative_to(REPOSITORY)}", highlight=False, soft_wrap=True)
    console.print(f"  data/{name}/: {laid} raw file(s), which `make run` puts into bronze", highlight=False)
    run = make(f"run PIPELINE={name}")
    console.print(f"\nNext: `{run}` trains, tests and deploys it", highlight=False, soft_wrap=True)


def _use(column: Column, described: Mapping[str, Any]) -> str:
    name = column.name
    uses = ["key"] * (name in described["key"] and len(described["key"]) < len(described["contract"]["columns"]))
    uses += ["time"] * (name == described["time"]) + ["label"] * (name == described["label_column"])
    uses += ["feature"] * (name in described["features"])
    return ", ".join(uses) or "not used"


def main() -> int:
    """Parse the command line and make it; 1 with one clear message where something is in the way."""
    parser = argparse.ArgumentParser(prog="scaffold", description=__doc__)
    parser.add_argument("name", help="the pipeline's name, of a-z, 0-9 and _")
    parser.add_argument("file", help="a CSV file with a line of names, a JSON list, or JSON Lines")
    parser.add_argument("--label", help="column, column=value or column>number (default: the one with two values)")
    parser.add_argument("--key", help="column(s) that tell one row from another (default: one that does)")
    parser.add_argument("--time", help="column that says when a row is of; none (default: the only date there is)")
    parser.add_argument("--without", help="columns that the model is not to see")
    try:
        new(parser.parse_args(), Console())
    except ServiceError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
