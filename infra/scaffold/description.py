"""All that the templates of a pipeline ask for."""

import json
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
            parts = {"month_of_year": "month", "day_of_week": "day_of_week"}
            parts |= {"hour_of_day": "hour"} if column.format == "date-time" else {}
            features |= {part: f"{function}({column.name})" for part, function in parts.items()}
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
    whole_row = len(key) == len(columns)
    texts = [f"cast({one.name} as varchar)" for one in key]
    joined = f"concat_ws('|', {', '.join(texts)})" if len(texts) > 1 else texts[0]
    rows, months = len(columns[0].values), len({value[:7] for value in time.known}) if time else 1
    test_months = max(1, min(12, months - 2, -(-TEST_ROWS * months // rows))) if time else 1
    by_name = {column.name: column for column in columns}
    return {
        "name": name,
        "aws_name": name.replace("_", "-"),
        "question": f"Is it {label.name.removeprefix('is_').replace('_', ' ')}?",
        "row_count": f"{rows:,}",
        "time": time.name if time else None,
        "test_months": test_months,
        "key": [one.name for one in key],
        "row_key": f"lower(to_hex(md5(to_utf8({joined}))))" if whole_row else joined,
        "label": label.name,
        "label_sql": label.sql,
        "label_column": label.column.name,
        "features": features,
        "model_features": {**dict.fromkeys(strings, "varchar"), **dict.fromkeys([*required, *optional], "double")},
        "strings": _python(strings),
        "required_numbers": _python(required),
        "optional_numbers": _python(optional),
        "slices": [one for one in strings if len(by_name[one].counts) <= FEW][:3],
        "contract": contract.contract(name, form, columns, key, label),
        "example": contract.example(columns, key),
        "broken": contract.broken(columns, key, label),
    }


def _python(names: Sequence[str]) -> str:
    """A list as Python writes it, lines of which are short."""
    one_line = json.dumps(list(names))
    return one_line if len(one_line) < 90 else "[\n" + "".join(f'    "{name}",\n' for name in names) + "]"
