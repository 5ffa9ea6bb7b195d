"""`make new`: what is seen in somebody's file, what is made of it, and what is said where that can't be."""

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scaffold import __main__ as scaffold
from silverline import contracts, sql
from silverline.spec import PipelineSpec

CUSTOMERS = """customer_id,months,monthly charges,plan,paperless,churn
7590,1,29.85,basic,true,No
5575,34,56.95,basic,false,No
3668,2,53.85,pro,true,Yes
7795,45,42.3,basic,false,No
9237,2,70.7,pro,true,Yes
1452,22,89.1,pro,true,No
6713,10,29.75,basic,false,No
7892,28,104.8,pro,true,Yes
6388,62,56.15,pro,false,No
9763,13,49.95,basic,true,No
7469,16,18.95,basic,false,No
8091,58,,pro,true,No
"""
SENSOR = "\n".join(
    ["at;value;state", *(f"2020-{month:02}-{day:02}T06:00:00;{day / 2};{'on' if day % 3 else 'off'}"
     for month in range(1, 7) for day in range(1, 29))]
)  # fmt: skip


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Makes a pipeline of a text in an empty repository; the exit code, what was printed, and that repository."""
    root = tmp_path / "repository"
    for folder in ("dags", "glue_like_sql", "sagemaker_scripts", "tests/sql"):
        (root / folder).mkdir(parents=True)
    (root / "sagemaker_scripts" / "shared").symlink_to(Path(__file__).parents[2] / "sagemaker_scripts" / "shared")
    monkeypatch.setattr(scaffold, "REPOSITORY", root)
    monkeypatch.setattr(scaffold, "DATA", root / "data")
    file = tmp_path / "file"

    def run(text: str | bytes, *options: str, name: str = "churn") -> tuple[int, str, Path]:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setattr(sys, "argv", ["scaffold", name, str(file), *options])
        code = scaffold.main()
        printed = capsys.readouterr()
        return code, printed.out + printed.err, root

    return run


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "shared" not in path.parts}


def contract(root: Path, name: str = "churn") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "glue_like_sql" / name / "bronze" / f"{name}.json").read_text())
    return found


def test_a_file_becomes_everything_that_a_pipeline_is(new: Callable[..., Any]) -> None:
    code, said, root = new(CUSTOMERS)
    assert code == 0
    assert files(root) >= {
        *("dags/churn.py", "dags/churn_batch.py", "sagemaker_scripts/churn/train.py", "tests/sql/test_churn.py"),
        *("glue_like_sql/churn/bronze/churn.json", "glue_like_sql/churn/splits/split.sql"),
    }
    assert "make run PIPELINE=churn" in said and "is_churn = churn = 'Yes'" in said


def test_columns_are_what_stands_in_them(new: Callable[..., Any]) -> None:
    _, _, root = new(CUSTOMERS)
    columns = {column["name"]: column for column in contract(root)["columns"]}
    assert columns["customer_id"]["values"] == {"type": "integer"}
    assert columns["months"]["values"] == {"type": "integer", "minimum": 0, "maximum": 123}
    assert columns["monthly_charges"] == {
        **{"name": "monthly_charges", "header": "monthly charges", "type": "string"},
        "values": {"type": "number", "minimum": 0, "maximum": 191},
    }
    assert columns["plan"]["values"] == {"type": "string", "enum": ["basic", "pro"]}
    assert columns["paperless"]["values"] == {"type": "boolean"}
    assert columns["churn"]["required"] and not columns["monthly_charges"].get("required")
    assert contract(root)["key"] == ["customer_id"]


def test_the_model_sees_neither_key_nor_label_and_may_miss_what_the_file_misses(new: Callable[..., Any]) -> None:
    _, _, root = new(CUSTOMERS)
    script = (root / "sagemaker_scripts" / "churn" / "train.py").read_text()
    assert 'STRINGS = ["plan"]' in script
    assert 'REQUIRED_NUMBERS = ["months", "paperless"]' in script
    assert 'OPTIONAL_NUMBERS = ["monthly_charges"]' in script


def test_rows_without_a_time_are_split_by_their_key_and_lie_in_todays_month(new: Callable[..., Any]) -> None:
    _, said, root = new(CUSTOMERS)
    (laid,) = (root / "data" / "churn").rglob("*.csv")
    assert laid.read_text() == CUSTOMERS
    assert "split by a hash of the key" in said and 'split_by="key"' in (root / "dags" / "churn.py").read_text()


def test_rows_with_a_time_lie_in_its_months_and_the_newest_ones_test(new: Callable[..., Any]) -> None:
    code, said, root = new(SENSOR, name="sensor")
    laid = sorted((root / "data" / "sensor").rglob("*.csv"))
    assert code == 0 and [path.parent.name for path in laid] == [f"month={month:02}" for month in range(1, 7)]
    assert laid[0].read_text().splitlines()[:2] == ["at,value,state", "2020-01-01T06:00:00,0.5,on"]
    assert "split by month of at" in said and "test_months=4" in (root / "dags" / "sensor.py").read_text()
    features = (root / "glue_like_sql" / "sensor" / "silver" / "sensor_features.sql").read_text()
    assert "month(at) as at_month" in features and "hour(at) as at_hour" in features
    assert contract(root, "sensor")["time"] == "at"


def test_json_lines_and_a_json_list_are_read_alike(new: Callable[..., Any]) -> None:
    rows = [{"id": number, "size": number / 2, "is_big": number > 3} for number in range(6)]
    _, _, root = new("\n".join(map(json.dumps, rows)), name="lines")
    new(json.dumps(rows), name="list")
    (lines,) = (root / "data" / "lines").rglob("*.jsonl")
    assert [json.loads(line) for line in lines.read_text().splitlines()] == rows
    assert contract(root, "lines")["columns"] == contract(root, "list")["columns"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((), "is_churn = churn = 'Yes'"),
        (("--label", "paperless"), "is_paperless = paperless"),
        (("--label", "plan=pro"), "is_pro = plan = 'pro'"),
        (("--label", "months>12"), "is_months_above_12 = months > 12"),
        (("--label", "monthly charges>50.5"), "is_monthly_charges_above_50_5 = monthly_charges > 50.5"),
    ],
)
def test_the_label_is_the_column_of_two_values_or_what_is_told(
    new: Callable[..., Any], told: tuple[str, ...], said: str
) -> None:
    code, printed, _ = new(CUSTOMERS, *told)
    assert code == 0 and said in printed.replace("\n", " ")


def test_without_a_column_that_tells_rows_apart_the_whole_row_does(new: Callable[..., Any]) -> None:
    _, _, root = new("size,colour,is_good\n1,red,yes\n1,red,no\n2,blue,yes\n")
    assert contract(root)["key"] == ["size", "colour", "is_good"]
    assert "md5" in (root / "glue_like_sql" / "churn" / "silver" / "churn_features.sql").read_text()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("a,b\n1,2\n", (), "what is to be predicted? no column has two values"),
        (CUSTOMERS, ("--label", "plan=gold"), "plan has no 'gold', only basic, pro"),
        (
            CUSTOMERS,
            ("--label", "months"),
            "LABEL=months has 11 values (2, 1, 34, 45, 22, ",
        ),
        (CUSTOMERS, ("--label", "plan>3"), "only numbers can be more than a number"),
        (CUSTOMERS, ("--label", "tenure"), "LABEL=tenure: the file has no such column, only customer_id, months"),
        (CUSTOMERS, ("--without", "moon"), "WITHOUT=moon: the file has no such column"),
        (CUSTOMERS, ("--time", "months"), "TIME=months: '1' is no date or time in ISO 8601"),
        ("a,b\n1,2\n3\n", (), "line 3: 1 values for the 2 names of line 1"),
        ("a,A\n1,2\n", (), "two columns would both be called 'a'"),
        ("a,b\n", (), "needs a line of names and at least one row"),
        (b"a,b\n1,\xff\n", (), "is not UTF-8"),
        ('{"a": 1', (), "is neither a JSON list nor JSON Lines"),
        ('{"a": {"b": 1}}', (), "a holds objects or lists"),
        ("id,size,ok\n" + "1,3,yes\n" * 3 + "2,4,no\n", ("--key", "id"), "2 of 4 rows can't be used"),
        ("id,note,ok\n1,c:\\\\temp,yes\n2,b,no\n", (), "note has a backslash in row 1"),
        (
            "at,ok\n" + "".join(f"2020-{m:02}-01,{'yes' if m % 2 else 'no'}\n" for m in (1, 2, 4)),
            (),
            "at has no row of 2020-03",
        ),
        (
            "at,ok\n" + "".join(f"1895-{m:02}-01,{'yes' if m % 2 else 'no'}\n" for m in (1, 2, 3)),
            (),
            "at goes from 1895-01 to 1895-03: bronze has months of the years 1900 to ",
        ),
        (
            "at,ok\n" + "".join(f"2199-{m:02}-01,{'yes' if m % 2 else 'no'}\n" for m in (1, 2, 3)),
            (),
            "at goes from 2199-01 to 2199-03",
        ),
        ('{"First Name": 1}', (), "JSON's key 'First Name' can't be a column's name: call it 'first_name'"),
    ],
)
def test_what_can_not_be_made_is_told_and_nothing_is_written(
    new: Callable[..., Any], text: str | bytes, options: tuple[str, ...], said: str
) -> None:
    code, printed, root = new(text, *options)
    assert code == 1 and said in printed and files(root) == set()


def test_a_pipeline_that_is_there_is_not_overwritten(new: Callable[..., Any]) -> None:
    _, _, root = new(CUSTOMERS)
    (root / "dags" / "churn.py").write_text("mine")
    code, said, _ = new(CUSTOMERS)
    assert code == 1 and "pipeline churn is there, and isn't overwritten; to make it anew, first: rm -r" in said
    assert (root / "dags" / "churn.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["Churn", "c", "churn_batch", "monitoring", "9lives", "email"])
def test_a_name_that_would_be_taken_for_something_else_is_refused(new: Callable[..., Any], name: str) -> None:
    code, _, root = new(CUSTOMERS, name=name)
    assert code == 1 and files(root) == set()


@pytest.mark.parametrize(("text", "name"), [(CUSTOMERS, "churn"), (SENSOR, "a_name_that_is_rather_long_indeed")])
def test_what_is_made_is_clean_parses_and_renders(
    new: Callable[..., Any], text: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, root = new(text, name=name[:31])
    name = name[:31]
    shutil.copy(Path(__file__).parents[2] / "pyproject.toml", root)
    for command in (["check", "--ignore", "I"], ["format", "--check"]):  # here nothing is known to be first-party
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."],
            cwd=root,
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stdout
    assert isinstance(runpy.run_path(str(root / "dags" / f"{name}.py"))["spec"], PipelineSpec)
    monkeypatch.setattr(sql, "SQL_FOLDER", root / "glue_like_sql")
    monkeypatch.setattr(contracts, "SQL_FOLDER", root / "glue_like_sql")
    (root / "glue_like_sql" / "contract.sql").symlink_to(Path(__file__).parents[2] / "glue_like_sql" / "contract.sql")
    tables = {f"{kind}_{name}": "x" for kind in ("checked",)}
    candidate = tables | {f"{name}_{kind}": "x" for kind in ("features", "quarantine", "predictions")}
    parameters = {
        **{"bronze": "b", "silver": "s", "gold": "g", "months": ["2020-01"], "split": "train", "candidate": candidate},
        **{
            "requests": "r",
            "answers": "a",
            "columns": lambda: [{"name": "x", "type": "string"}],
            "table": "t",
            "location": "l",
            "model": "m",
            "job": "j",
            "scored_at": "n",
        },
    }
    rendered = [
        sql.render(name, str(path.relative_to(root / "glue_like_sql" / name)).removesuffix(".sql"), **parameters)
        for path in (root / "glue_like_sql" / name).rglob("*.sql")
    ]
    assert len(rendered) == 11 and not any("[[" in text or "{{" in text for text in rendered)


def test_a_pipeline_is_called_like_no_table_of_another_one(new: Callable[..., Any]) -> None:
    new(CUSTOMERS)
    code, said, root = new(CUSTOMERS.replace("customer_id", "id"), name="checked_churn")
    assert code == 1 and "would have a table checked_churn, and there is one" in said


def test_codes_stay_texts_and_json_values_are_what_they_were(new: Callable[..., Any]) -> None:
    rows = [{"id": n, "zip": f"0{n}", "rate": n / 4, "is_on": n % 2 == 0, "note": None} for n in range(10, 30)]
    _, _, root = new("\n".join(map(json.dumps, rows)), name="codes")
    columns = {column["name"]: column["values"] for column in contract(root, "codes")["columns"]}
    assert columns["zip"] == {"type": "string"}
    (laid,) = (root / "data" / "codes").rglob("*.jsonl")
    assert [json.loads(line) for line in laid.read_text().splitlines()] == rows


def test_bounds_hold_what_was_seen_however_small_or_large(new: Callable[..., Any]) -> None:
    rows = "".join(f"{n},{n / 1e6},{n * 3e20},{-n},{'yes' if n % 2 else 'no'}\n" for n in range(1, 13))
    _, _, root = new(f"id,small,large,below,ok\n{rows}", name="sizes")
    found = {column["name"]: column["values"] for column in contract(root, "sizes")["columns"]}
    assert found["small"]["maximum"] >= 12e-6 and found["large"]["maximum"] >= 36e20
    assert found["below"]["minimum"] <= -12 and found["below"]["maximum"] >= -1 and found["id"] == {"type": "integer"}


def test_a_flag_is_nothing_but_nought_or_one(new: Callable[..., Any]) -> None:
    rows = "".join(f"{n},{n % 2},{2012 + n % 2},{'yes' if n % 3 else 'no'}\n" for n in range(12))
    _, _, root = new(f"id,is_on,year,ok\n{rows}", name="flags")
    found = {column["name"]: column["values"] for column in contract(root, "flags")["columns"]}
    assert found["is_on"] == {"type": "integer", "minimum": 0, "maximum": 1}
    assert found["year_value"]["maximum"] > 2013


def test_what_fails_half_way_leaves_nothing(new: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(OSError, match="no space left"):
        new(CUSTOMERS)
    monkeypatch.undo()


def test_two_columns_of_one_name_are_told(new: Callable[..., Any]) -> None:
    text = "id,status,is_gone\n" + "".join(f"{n},{'gone' if n % 2 else 'here'},{n}\n" for n in range(12))
    code, said, root = new(text, "--label", "status=gone")
    assert code == 1 and "two columns would be called is_gone" in said and files(root) == set()
