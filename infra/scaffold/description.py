"""All that the templates of a pipeline ask for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from laptop.services import ServiceError
from scaffold import contract
from scaffold.choices import Label
from scaffold.columns import FEW, MANY, Column

TEST_ROWS = 300
"""As many at least are kept for the test, where months are few rows each: with fewer, bounds are wide."""


def describe(
    name: str,
    form: str,
    columns: Sequence[Column],
    time: Column | None,
    key: Sequence[Column],
    label: Label,
    left_out: Sequence[Column],
) -> dict[str, Any]:
    """All that the templates ask for."""
    unused = {label.column.name, *(one.name for one in left_out), *(one.name for one in key if len(key) < len(columns))}
    features: dict[str, str] = {}
    strings: list[str] = []
    required: list[str] = []
    optional: list[str] = []
    for column in columns:
        is_complete = len(column.known) == len(column.values)
        if column.name in unused and column is not time:
            continue
        if column is time:
            functions = ["month", "day_of_week", *(["hour"] if column.format == "date-time" else [])]
            parts = {f"{column.name}_{function}": f"{function}({column.name})" for function in functions}
            features |= parts
            required += parts
        elif column.type == "boolean":
            features[column.name] = f"if({column.name}, 1, if(not {column.name}, 0))"
            (required if is_complete else optional).append(column.name)
        elif column.is_number:
            features[column.name] = column.name
            (required if is_complete else optional).append(column.name)
        elif column.format is None and 1 < len(column.counts) <= MANY:
            features[column.name] = column.name if is_complete else f"coalesce({column.name}, 'missing')"
            strings.append(column.name)
    if not features:
        raise ServiceError("no column is left to predict by: numbers, true or false, texts of up to 50 values, a time")
    named = [label.name, *strings, *required, *optional]
    if twice := [name for name, count in Counter([*named, "row_key", "month"]).items() if count > 1]:
        raise ServiceError(f"two columns would be called {twice[0]}: rename one in the file, or say WITHOUT={twice[0]}")
    rows, months = len(columns[0].values), len({value[:7] for value in time.known}) if time else 1
    test_months = max(1, min(12, months - 2, -(-TEST_ROWS * months // rows))) if time else 1
    by_name = {column.name: column for column in columns}
    example = contract.example(columns, key)
    return {
        "name": name,
        "aws_name": name.replace("_", "-"),
        "question": f"Is it {label.name.removeprefix('is_').replace('_', ' ')}?",
        "row_count": f"{rows:,}",
        "time": time.name if time else None,
        "test_months": test_months,
        "key": [one.name for one in key],
        "row_key": _row_key(key, len(columns)),
        "label": label.name,
        "label_sql": label.sql,
        "label_column": label.column.name,
        "features": features,
        "strings": strings,
        "required_numbers": required,
        "optional_numbers": optional,
        "slices": [one for one in strings if len(by_name[one].counts) <= FEW][:3],
        "contract": contract.contract(name, form, columns, time, key, label),
        "example": example,
        "example_month": example[time.name][:7].replace("/", "-") if time else "2013-01",
        "broken": contract.broken(columns, key, label),
    }


def _row_key(key: Sequence[Column], count: int) -> str:
    """SQL of a text that is another one for another key: several columns are quoted as in CSV, of a whole row it is the
    hash."""
    if len(key) == 1:
        return f"cast({key[0].name} as varchar)"
    quoted = [f"""coalesce('"' || replace(cast({one.name} as varchar), '"', '""') || '"', '-')""" for one in key]
    joined = f"concat_ws(',', {', '.join(quoted)})"
    return f"lower(to_hex(md5(to_utf8({joined}))))" if len(key) == count else joined
