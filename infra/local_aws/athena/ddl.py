"""Statements that change or show the catalog."""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_aws.athena import statements
from local_aws.athena.catalog import Catalog, Table, view_text
from local_aws.athena.data_types import duckdb_type, hive_type
from local_aws.athena.failures import QueryFailed, no_iceberg, unsupported
from local_aws.athena.objects import ObjectCache, folder, split_uri
from local_aws.athena.results import ResultColumn
from local_aws.athena.storage import storage_descriptor

Lines = tuple[list[str], list[tuple[str, str]]]


class Ddl:
    """Runs one statement; what comes back are the lines of its result, and the names and types of their columns."""

    def __init__(
        self,
        catalog: Catalog,
        cache: ObjectCache,
        database: str,
        view_columns: Callable[[exp.Query], list[ResultColumn]],
    ) -> None:
        self.catalog = catalog
        self.cache = cache
        self.database = database
        self.view_columns = view_columns

    def run(self, statement: statements.Statement) -> Lines:
        match statement:
            case statements.Create(expression, text):
                return self._create(expression, text)
            case statements.Drop(expression):
                return self._drop(expression)
            case statements.Repair(name):
                return self._repair(self._table(name))
            case statements.Partitions():
                return self._partitions(statement)
            case statements.SetLocation():
                return self._set_location(statement)
            case statements.SetProperties(name, properties):
                table = self._table(name)
                changed = {**table.description, "Parameters": {**table.parameters, **properties}}
                self.catalog.update_table(table.database, changed)
                return [], []
            case statements.Show():
                return self._show(statement)
        raise unsupported(f"{type(statement).__name__} here", "see its documentation")

    def _table(self, name: str) -> Table:
        database, table = self._split(name)
        self._need_database(database)
        description = self.catalog.table(database, table)
        if description is None:
            raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{table}")
        return Table(database, description)

    def _split(self, name: str) -> tuple[str, str]:
        parts = [part.strip('`"').lower() for part in name.split(".")]
        return (parts[-2] if len(parts) > 1 else self.database), parts[-1]

    def _need_database(self, database: str) -> None:
        if not self.catalog.has_database(database):
            raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}")

    # create and drop

    def _create(self, expression: exp.Create, text: str) -> Lines:
        target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
        exists = bool(expression.args.get("exists"))
        if expression.kind in ("DATABASE", "SCHEMA"):
            return self._create_database(target, expression, exists)
        database = (target.db or self.database).lower()
        self._need_database(database)
        if expression.kind == "VIEW":
            return self._create_view(database, target.name.lower(), expression, text)
        properties = expression.args.get("properties")
        if not properties or not properties.find(exp.ExternalProperty):
            raise no_iceberg("CREATE TABLE without EXTERNAL, which makes one")
        if self.catalog.table(database, target.name.lower()) is not None:
            if exists:
                return [], []
            raise QueryFailed(
                "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                f"AlreadyExistsException(message:Table {target.name.lower()} already exists)"
            )
        self.catalog.create_table(database, _table_input(target.name.lower(), expression, properties))
        return [], []

    def _create_database(self, target: exp.Table, expression: exp.Create, exists: bool) -> Lines:
        name = (target.name or target.db).lower()
        if self.catalog.has_database(name):
            if exists:
                return [], []
            raise QueryFailed(
                "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                f"Database {name} already exists"
            )
        described: dict[str, Any] = {"Name": name}
        for prop in expression.find_all(exp.LocationProperty, exp.SchemaCommentProperty):
            described["LocationUri" if isinstance(prop, exp.LocationProperty) else "Description"] = prop.this.name
        self.catalog.create_database(name, described)
        return [], []

    def _create_view(self, database: str, name: str, expression: exp.Create, text: str) -> Lines:
        known = self.catalog.table(database, name)
        if known is not None and (not expression.args.get("replace") or known.get("TableType") != "VIRTUAL_VIEW"):
            raise QueryFailed(
                f"TABLE_ALREADY_EXISTS: line 1:1: Table or view 'awsdatacatalog.{database}.{name}' already exists"
            )
        sql = re.split(r"\bAS\b", text, maxsplit=1, flags=re.I)[1].strip()
        columns = self.view_columns(expression.expression)
        typed = [(column.name, hive_type(column.type) or column.info()["Type"]) for column in columns]
        table_input = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": kind} for column, kind in typed],
                "Location": "",
                "SerdeInfo": {},
            },
            "PartitionKeys": [],
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": view_text(sql, database, [(c.name, c.info()["Type"]) for c in columns]),
            "ViewExpandedText": "/* Presto View */",
        }
        (self.catalog.create_table if known is None else self.catalog.update_table)(database, table_input)
        return [], []

    def _drop(self, expression: exp.Drop) -> Lines:
        target = expression.args["tables"][0] if expression.args.get("tables") else expression.this
        exists = bool(expression.args.get("exists"))
        if expression.args["kind"] in ("DATABASE", "SCHEMA"):
            return self._drop_database((target.name or target.db).lower(), exists, bool(expression.args.get("cascade")))
        database, name = (target.db or self.database).lower(), target.name.lower()
        if not self.catalog.has_database(database) or self.catalog.table(database, name) is None:
            if exists:
                return [], []
            raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
        table = Table(database, self.catalog.table(database, name) or {})
        if table.is_view != (expression.args["kind"] == "VIEW"):
            raise QueryFailed(
                f"FAILED: SemanticException: cannot drop {database}.{name}: "
                f"use DROP {'VIEW' if table.is_view else 'TABLE'}"
            )
        self.catalog.delete_table(database, name)
        return [], []

    def _drop_database(self, name: str, exists: bool, cascade: bool) -> Lines:
        if not self.catalog.has_database(name):
            if exists:
                return [], []
            raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
        if self.catalog.tables(name) and not cascade:
            raise QueryFailed(
                "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                f"InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
            )
        for table in self.catalog.tables(name):
            self.catalog.delete_table(name, table)
        self.catalog.delete_database(name)
        return [], []

    # partitions

    def _repair(self, table: Table) -> Lines:
        names = [key.name for key in table.partition_keys]
        if not names:
            raise QueryFailed(f"FAILED: SemanticException Table {table.name} is not a partitioned table")
        known = {tuple(p["Values"]) for p in self.catalog.partitions(table.database, table.name)}
        bucket, prefix = split_uri(folder(table.location))
        found: dict[tuple[str, ...], str] = {}
        for item in self.cache.store.list(bucket, prefix):
            parts = item.key[len(prefix) :].split("/")[: len(names)]
            pairs = [part.partition("=") for part in parts]
            if len(parts) == len(names) and all(p[0].lower() == n and p[1] for p, n in zip(pairs, names, strict=True)):
                found.setdefault(tuple(p[2] for p in pairs), f"s3://{bucket}/{prefix}{'/'.join(parts)}")
        added = {values: location for values, location in found.items() if values not in known}
        for values, location in added.items():
            self._put_partition(table, list(values), location)
        missing = [f"{table.name}:{_spec(names, values)}" for values in added]
        if not missing:
            return [], []
        lines = [f"Partitions not in metastore:\t{chr(9).join(missing)}"]
        lines += [f"Repair: Added partition to metastore {table.name}:{_spec(names, values)}" for values in added]
        return lines, [("result", "string")]

    def _partitions(self, statement: statements.Partitions) -> Lines:
        table = self._table(statement.table)
        names = [key.name for key in table.partition_keys]
        known = [p["Values"] for p in self.catalog.partitions(table.database, table.name)]
        for spec, location in statement.partitions:
            if sorted(spec) != sorted(names):
                raise QueryFailed(
                    f"FAILED: ValidationException: partition spec {spec} doesn't contain all partition columns {names}"
                )
            values = [spec[name] for name in names]
            if statement.action == "ADD" and values not in known:
                self._put_partition(table, values, location or folder(table.location) + _spec(names, values))
            elif statement.action == "DROP" and values in known:
                self.catalog.delete_partition(table.database, table.name, values)
            elif not statement.lenient:
                problem = "already exists" if statement.action == "ADD" else "not found"
                raise QueryFailed(
                    f"FAILED: SemanticException [Error 10006]: Partition {problem}: {_spec(names, values)}"
                )
        return [], []

    def _set_location(self, statement: statements.SetLocation) -> Lines:
        table = self._table(statement.table)
        split_uri(statement.location)
        if not statement.partition:
            storage = {**table.storage, "Location": statement.location}
            self.catalog.update_table(table.database, {**table.description, "StorageDescriptor": storage})
            return [], []
        values = [statement.partition.get(key.name, "") for key in table.partition_keys]
        if values not in [p["Values"] for p in self.catalog.partitions(table.database, table.name)]:
            raise QueryFailed(f"FAILED: SemanticException [Error 10006]: Partition not found {statement.partition}")
        self._put_partition(table, values, statement.location)
        return [], []

    def _put_partition(self, table: Table, values: list[str], location: str) -> None:
        descriptor = {**table.storage, "Location": location}
        self.catalog.put_partition(
            table.database, table.name, {"Values": values, "StorageDescriptor": descriptor, "Parameters": {}}
        )

    # show

    def _show(self, statement: statements.Show) -> Lines:
        what, name, pattern = statement.what, statement.name, statement.pattern
        if what == "DATABASES":
            return _matching(self.catalog.databases(), pattern), [("database_name", "string")]
        if what in ("TABLES", "VIEWS"):
            database = name.strip('`"').lower() if name else self.database
            self._need_database(database)
            names = self.catalog.tables(database)
            if what == "VIEWS":
                names = [n for n in names if (self.catalog.table(database, n) or {}).get("TableType") == "VIRTUAL_VIEW"]
            return _matching(names, pattern), [("tab_name" if what == "TABLES" else "views", "string")]
        table = self._table(str(name))
        if what == "PARTITIONS":
            names = [key.name for key in table.partition_keys]
            if not names:
                raise QueryFailed(
                    f"FAILED: SemanticException [Error 10241]: Table {table.name} is not a partitioned table"
                )
            found = self.catalog.partitions(table.database, table.name)
            return sorted(_spec(names, p["Values"]) for p in found), [("partition", "string")]
        if what == "COLUMNS":
            return [f"{column:<20}" for column in table.column_names()], [("field", "string")]
        if what == "TBLPROPERTIES":
            properties = {k: v for k, v in table.parameters.items() if pattern in (None, k)}
            return [f"{k}\t{v}" for k, v in properties.items()], [("prpt_name", "string"), ("prpt_value", "string")]
        if what == "DESCRIBE":
            return _describe(table), [("col_name", "string"), ("data_type", "string"), ("comment", "string")]
        if table.is_view != (what == "CREATE VIEW"):
            raise QueryFailed(f"FAILED: SemanticException: {table.name} is {'' if table.is_view else 'not '}a view")
        lines = (
            [f"CREATE VIEW {table.name} AS", *table.view["originalSql"].split("\n")]
            if table.is_view
            else _create_table(table)
        )
        return lines, [("createtab_stmt" if what == "CREATE TABLE" else "Create View", "string")]


def _matching(names: list[str], pattern: str | None) -> list[str]:
    expression = "|".join(part.replace("*", ".*") for part in pattern.split("|")) if pattern else ".*"
    return sorted(name for name in names if re.fullmatch(expression, name, re.I))


def _spec(names: list[str], values: list[str] | tuple[str, ...]) -> str:
    return "/".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _describe(table: Table) -> list[str]:
    lines = [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in (*table.columns, *table.partition_keys)]
    if table.partition_keys:
        lines += [
            "\t \t ",
            "# Partition Information\t \t ",
            f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}",
            "\t \t ",
        ]
        lines += [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in table.partition_keys]
    return lines


def _create_table(table: Table) -> list[str]:
    def columns(found: list[Any]) -> list[str]:
        last = len(found) - 1
        return [
            f"  `{c.name}` {c.type}" + (f" COMMENT '{c.comment}'" if c.comment else "") + (")" if i == last else ", ")
            for i, c in enumerate(found)
        ]

    serde = table.storage.get("SerdeInfo", {})
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *columns(table.columns)]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *columns(table.partition_keys)]
    if table.storage.get("BucketColumns"):
        names = ", \n  ".join(table.storage["BucketColumns"])
        lines += ["CLUSTERED BY ( ", f"  {names}) ", f"INTO {table.storage['NumberOfBuckets']} BUCKETS"]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary')}' "]
    if serde.get("Parameters"):
        lines += [
            "WITH SERDEPROPERTIES ( ",
            ", \n".join(f"  '{k}'='{v}'" for k, v in serde["Parameters"].items()) + ") ",
        ]
    lines += ["STORED AS INPUTFORMAT ", f"  '{table.storage.get('InputFormat')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{table.storage.get('OutputFormat')}'", "LOCATION", f"  '{table.location}'"]
    lines += ["TBLPROPERTIES (", ", \n".join(f"  '{k}'='{v}'" for k, v in table.parameters.items()) + ")"]
    return "\n".join(lines).split("\n")


def _table_input(name: str, expression: exp.Create, properties: exp.Properties) -> dict[str, Any]:
    if not isinstance(expression.this, exp.Schema):
        raise QueryFailed("FAILED: ParseException line 1:1 missing column list")
    location, file_format, serde, delimited, keys = "", "TEXTFILE", None, None, []
    parameters = {"EXTERNAL": "TRUE", "transient_lastDdlTime": "0"}
    serde_parameters: dict[str, str] = {}
    buckets: dict[str, Any] = {}
    for prop in properties.expressions:
        match prop:
            case exp.LocationProperty():
                location = prop.this.name
            case exp.FileFormatProperty():
                file_format = prop.this.name.upper()
            case exp.RowFormatSerdeProperty():
                serde = prop.this.name
                found = prop.args.get("serde_properties")
                serde_parameters = {p.this.name: _text(p.args["value"]) for p in (found.expressions if found else [])}
            case exp.SerdeProperties():
                serde_parameters |= {p.this.name: _text(p.args["value"]) for p in prop.expressions}
            case exp.RowFormatDelimitedProperty():
                delimited = prop
            case exp.PartitionedByProperty():
                keys = [_column(definition) for definition in prop.this.expressions]
            case exp.SchemaCommentProperty():
                parameters["comment"] = prop.this.name
            case exp.ExternalProperty():
                pass
            case exp.ClusteredByProperty():
                buckets = {
                    "BucketColumns": [column.name.lower() for column in prop.expressions],
                    "NumberOfBuckets": int(prop.args["buckets"].name),
                }
            case exp.Property() if type(prop) is exp.Property:
                parameters[prop.this.name] = _text(prop.args["value"])
            case _:
                raise unsupported(f"{prop.sql(dialect='hive')} in CREATE EXTERNAL TABLE", "leave it out")
    if not location:
        raise QueryFailed(
            "FAILED: SemanticException No location specified. An external table must have a LOCATION 's3://...'"
        )
    split_uri(location)
    if file_format not in ("PARQUET", "ORC", "AVRO", "TEXTFILE", "JSON", "INPUTFORMAT"):
        raise unsupported(f"STORED AS {file_format}", "use PARQUET, ORC, AVRO or TEXTFILE")
    if parameters.get("table_type", "").upper() == "ICEBERG":
        raise no_iceberg("'table_type'='ICEBERG'")
    descriptor = storage_descriptor(file_format, location) | buckets
    if serde:
        descriptor["SerdeInfo"] = {
            "SerializationLibrary": serde,
            "Parameters": {"serialization.format": "1"} | serde_parameters,
        }
    elif delimited is not None:
        fields = delimited.args.get("fields")
        delimiter = fields.name if fields else "\x01"
        descriptor["SerdeInfo"]["Parameters"] = {"field.delim": delimiter, "serialization.format": delimiter}
        for option, key in (("escaped", "escape.delim"), ("null", "serialization.null.format")):
            if delimited.args.get(option):
                descriptor["SerdeInfo"]["Parameters"][key] = delimited.args[option].name
    columns = [_column(definition) for definition in expression.this.expressions]
    descriptor["Columns"] = columns
    for column in [*columns, *keys]:
        duckdb_type(column["Type"])
    return {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "Retention": 0,
        "StorageDescriptor": descriptor,
        "PartitionKeys": keys,
        "Parameters": parameters,
    }


def _text(value: exp.Expr) -> str:
    """The text of a literal; Hive joins literals that stand side by side."""
    return "".join(part.name for part in value.expressions) if isinstance(value, exp.Concat) else value.name


def _column(definition: exp.ColumnDef) -> dict[str, str]:
    kind = definition.args["kind"].sql(dialect="hive").lower().replace(": ", ":").replace(", ", ",")
    column = {"Name": definition.name.lower(), "Type": kind}
    for constraint in definition.find_all(exp.CommentColumnConstraint):
        column["Comment"] = constraint.this.name
    return column
