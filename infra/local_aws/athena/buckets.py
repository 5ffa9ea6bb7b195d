"""Hive's buckets: which of a table's files a row belongs to, by a hash of some of its columns."""

from dataclasses import dataclass

from local_aws.athena.data_types import quote
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.formats import Options
from local_aws.athena.results import ResultColumn

BUCKET = quote("$bucket")

_HASHES = {
    "boolean": "CAST({} AS BIGINT)",
    "tinyint": "CAST({} AS BIGINT)",
    "smallint": "CAST({} AS BIGINT)",
    "integer": "CAST({} AS BIGINT)",
    "bigint": "xor({0}, {0} >> 32)",
    "float": "hive_hash_real({})",
    "double": "hive_hash_double({})",
    "varchar": "hive_hash_text({})",
    "date": "CAST({} - DATE '1970-01-01' AS BIGINT)",
}


@dataclass(frozen=True)
class Buckets:
    """`count` buckets by the columns of those names; none at all where `count` is 0."""

    columns: tuple[str, ...] = ()
    count: int = 0

    def number(self, columns: list[ResultColumn]) -> str:
        """SQL for the bucket of a row whose columns are c0, c1, ...: bucketing version 1, as Athena's default is."""
        places = {column.name: index for index, column in enumerate(columns)}
        total = "CAST(0 AS BIGINT)"
        for name in self.columns:
            kind = str(columns[places[name]].type.id)
            if kind not in _HASHES:
                raise unsupported(f"bucketed_by a column of type {kind}", f"use one of {', '.join(_HASHES)}")
            hashed = _HASHES[kind].format(f"c{places[name]}")
            total = f"(({total} * 31 + coalesce({hashed}, 0)) & 4294967295)"
        return f"({total} & 2147483647) % {self.count}"


def buckets_of(options: Options, names: list[str]) -> Buckets:
    """The buckets that `bucketed_by` and `bucket_count` ask for, among the data columns `names`."""
    given, count = options.get("bucketed_by") or [], str(options.get("bucket_count") or "0")
    columns = tuple(name.lower() for name in ([given] if isinstance(given, str) else given))
    if not count.isdigit():
        raise QueryFailed("INVALID_TABLE_PROPERTY: line 1:1: bucket_count must be greater than zero")
    if bool(columns) != (int(count) > 0):
        raise QueryFailed("INVALID_TABLE_PROPERTY: line 1:1: bucketed_by and bucket_count must be specified together")
    if missing := [name for name in columns if name not in names]:
        raise QueryFailed(f"INVALID_TABLE_PROPERTY: line 1:1: Bucketing columns {missing} not present in schema")
    return Buckets(columns, int(count))
