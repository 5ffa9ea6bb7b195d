"""The statements that Athena knows, and what GetQueryExecution calls them."""

import re
from dataclasses import dataclass, field

from sqlglot import exp

_DDL = ("ALTER", "CREATE", "DESCRIBE", "DESC", "DROP", "MSCK", "SHOW")


@dataclass(frozen=True)
class Select:
    query: exp.Query


@dataclass(frozen=True)
class Explain:
    query: exp.Query


@dataclass(frozen=True)
class CreateTableAs:
    table: exp.Table
    query: exp.Query
    properties: dict[str, str | list[str]]
    if_not_exists: bool
    with_data: bool


@dataclass(frozen=True)
class Insert:
    table: exp.Table
    columns: list[str]
    query: exp.Query


@dataclass(frozen=True)
class Unload:
    query: exp.Query
    location: str
    options: dict[str, str | list[str]]


@dataclass(frozen=True)
class Create:
    """CREATE EXTERNAL TABLE, CREATE VIEW, CREATE DATABASE."""

    expression: exp.Create
    text: str


@dataclass(frozen=True)
class Drop:
    expression: exp.Drop


@dataclass(frozen=True)
class Partitions:
    """ALTER TABLE ... ADD / DROP PARTITION: a (key: value) and a location for each partition."""

    table: str
    action: str
    partitions: list[tuple[dict[str, str], str | None]]
    lenient: bool


@dataclass(frozen=True)
class SetLocation:
    table: str
    partition: dict[str, str]
    location: str


@dataclass(frozen=True)
class SetProperties:
    table: str
    properties: dict[str, str]


@dataclass(frozen=True)
class Repair:
    table: str


@dataclass(frozen=True)
class Show:
    """SHOW TABLES, DATABASES, PARTITIONS, COLUMNS, VIEWS, CREATE TABLE, CREATE VIEW, TBLPROPERTIES; DESCRIBE."""

    what: str
    name: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Prepared:
    """EXECUTE name USING values."""

    name: str
    values: list[str] = field(default_factory=list)


Statement = (
    Select
    | Explain
    | CreateTableAs
    | Insert
    | Unload
    | Create
    | Drop
    | Partitions
    | SetLocation
    | SetProperties
    | Repair
    | Show
    | Prepared
)


def statement_type(sql: str) -> str:
    """DDL, DML or UTILITY, as GetQueryExecution says it."""
    word = first_word(sql)
    if word in ("SHOW", "DESCRIBE", "DESC", "EXPLAIN"):
        return "UTILITY"
    return "DDL" if word in _DDL else "DML"


def substatement_type(sql: str) -> str:
    """What GetQueryExecution says beyond DDL, DML or UTILITY: SELECT, CREATE_TABLE_AS_SELECT, SHOW_TABLES, ..."""
    words = re.findall(r"\w+", sql[begin(sql) :].upper())[:4]
    match words:
        case ["CREATE", "TABLE", *_] if re.search(r"\bAS[\s(]+(SELECT|WITH|VALUES|TABLE)\b", sql, re.I):
            return "CREATE_TABLE_AS_SELECT"
        case ["CREATE", "EXTERNAL", "TABLE", *_]:
            return "CREATE_TABLE"
        case ["CREATE", "OR", "REPLACE", kind]:
            return f"CREATE_{kind}"
        case ["MSCK", *_]:
            return "MSCK_REPAIR_TABLE"
        case ["SHOW", "CREATE", kind, *_]:
            return f"SHOW_CREATE_{kind}"
        case ["CREATE" | "DROP" | "ALTER" | "SHOW" as verb, kind, *_]:
            return f"{verb}_{kind}"
        case ["INSERT" | "UNLOAD" | "EXPLAIN" | "DESCRIBE" | "DELETE" | "UPDATE" | "MERGE" as verb, *_]:
            return str(verb)
        case ["DESC", *_]:
            return "DESCRIBE"
    return "SELECT"


def first_word(sql: str) -> str:
    """The first word of `sql` in upper case, comments skipped."""
    found = re.match(r"\w+", sql[begin(sql) :])
    return found[0].upper() if found else ""


def begin(sql: str) -> int:
    """Where the first word of `sql` begins, behind comments and brackets."""
    found = re.match(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*", sql, re.DOTALL)
    return found.end() if found else 0
