"""Query results as Athena lays them out in S3, and as GetQueryResults pages through them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.athena.data_types import quote, trino_type

_FIELD = re.compile(rb'"((?:[^"]|"")*)"|')


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, with its DuckDB type."""

    name: str
    type: Any

    def info(self) -> dict[str, Any]:
        """ColumnInfo of GetQueryResults."""
        kind = trino_type(self.type)
        precision, scale = _precision(self.type, kind)
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": kind,
            "Precision": precision,
            "Scale": scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind == "varchar",
        }


def _precision(duckdb: Any, kind: str) -> tuple[int, int]:
    if kind == "decimal":
        parts = dict(duckdb.children)
        return int(parts["precision"]), int(parts["scale"])
    fixed = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "float": 17, "double": 17, "timestamp": 3}
    return (2147483647 if kind in ("varchar", "varbinary") else fixed.get(kind, 0)), 0


def as_text(expression: str, duckdb: Any, depth: int = 0) -> str:
    """DuckDB SQL for the text that Athena's result file has for a value of this type; null stays null."""
    kind = str(duckdb.id)
    if kind in ("list", "array"):
        item = f"v{depth}"
        inner = as_text(item, duckdb.children[0][1], depth + 1)
        items = f"list_transform({expression}, lambda {item}: coalesce({inner}, 'null'))"
        return f"('[' || array_to_string({items}, ', ') || ']')"
    if kind == "map":
        item = f"e{depth}"
        key, value = duckdb.children[0][1], duckdb.children[1][1]
        left, right = as_text(f"{item}.key", key, depth + 1), as_text(f"{item}.value", value, depth + 1)
        pairs = f"list_transform(map_entries({expression}), lambda {item}: {left} || '=' || coalesce({right}, 'null'))"
        return f"('{{' || array_to_string({pairs}, ', ') || '}}')"
    if kind == "struct":
        fields = [
            f"'{_field_name(name)}=' || coalesce({as_text(f'{expression}.{quote(name)}', inner, depth + 1)}, 'null')"
            for name, inner in duckdb.children
        ]
        return f"CASE WHEN {expression} IS NOT NULL THEN '{{' || concat_ws(', ', {', '.join(fields)}) || '}}' END"
    if kind in ("double", "float"):
        return f"trino_double_text(CAST({expression} AS VARCHAR))"
    if kind == "blob":
        return f"rtrim(regexp_replace(lower(hex({expression})), '(..)', '\\1 ', 'g'))"
    if kind == "interval":
        return f"trino_interval_text({expression})"
    if kind.startswith("time"):
        return f"trino_text({expression})"
    return f"CAST({expression} AS VARCHAR)"


def _field_name(name: str) -> str:
    # sqlglot calls the fields of ROW(1, 2) _0 and _1, Trino field0 and field1.
    return re.sub(r"^_(\d+)$", r"field\1", name)


def csv_header(columns: list[ResultColumn]) -> bytes:
    """The first line of a result file."""
    return (",".join('"' + column.name.replace('"', '""') + '"' for column in columns) + "\n").encode()


_UNKNOWN = 3  # of Nullable


def metadata(query_id: str, columns: list[dict[str, Any]]) -> bytes:
    """The `.metadata` object beside a result, from which JDBC drivers learn the columns: a protobuf message."""
    messages = [
        _field(1, column["CatalogName"])
        + _field(4, column["Name"])
        + _field(5, column["Label"])
        + _field(6, column["Type"])
        + _field(7, column["Precision"])
        + _field(8, column["Scale"])
        + _field(9, _UNKNOWN)
        + _field(10, int(column["CaseSensitive"]))
        for column in columns
    ]
    return _field(1, query_id) + b"".join(_field(4, message) for message in messages)


def _field(number: int, value: str | bytes | int) -> bytes:
    """A field of a protobuf message; numbers that are 0 are left out, as they are by default."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value) if value else b""
    body = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def page(path: Path, start: int, limit: int, is_csv: bool) -> tuple[list[dict[str, Any]], int | None]:
    """Up to `limit` result rows from byte `start` of a result file, and the byte where the next page starts."""
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        file.seek(start)
        while len(rows) < limit:
            line = file.readline()
            if not line:
                return rows, None
            while is_csv and line.count(b'"') % 2:  # a quoted value that goes on in the next line
                line += file.readline()
            rows.append({"Data": _csv_row(line) if is_csv else [{"VarCharValue": line.decode().rstrip("\n")}]})
        following = file.tell()
        return rows, following if file.read(1) else None


def _csv_row(line: bytes) -> list[dict[str, str]]:
    text, position = line.rstrip(b"\n"), 0
    values: list[dict[str, str]] = []
    while True:
        matched = _FIELD.match(text, position)
        if matched is None or matched[1] is None:
            values.append({})
        else:
            values.append({"VarCharValue": matched[1].replace(b'""', b'"').decode()})
        position = matched.end() if matched else position
        if position >= len(text):
            return values
        position += 1  # the comma
