"""Statements that change or show the catalog."""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_aws.athena import statements
from local_aws.athena.catalog import Catalog, Table, view_text
from local_aws.athena.data_types import hive_type
from local_aws.athena.definitions import table_input
from local_aws.athena.failures import QueryFailed, no_iceberg, unsupported
from local_aws.athena.objects import ObjectCache, folder, split_uri
from local_aws.athena.results import ResultColumn
from local_aws.athena.show import CatalogView, Lines, partition_name


class Ddl(CatalogView):
    """Runs one statement; what comes back are the lines of its result, and the names and types of their columns."""

    def __init__(
        self,
        catalog: Catalog,
        cache: ObjectCache,
        database: str,
        view_columns: Callable[[exp.Query], list[ResultColumn]],
    ) -> None:
        super().__init__(catalog, database)
        self.cache = cache
        self.view_columns = view_columns

    def run(self, statement: statements.Statement) -> Lines:
        match statement:
            case statements.Create(expression, text):
                return self._create(expression, text)
            case statements.Drop(expression):
                return self._drop(expression)
            case statements.Repair(name):
                return self._repair(self.table(name))
            case statements.Partitions():
                return self._partitions(statement)
            case statements.SetLocation():
                return self._set_location(statement)
            case statements.SetProperties(name, properties):
                table = self.table(name)
                changed = {**table.description, "Parameters": {**table.parameters, **properties}}
                self.catalog.update_table(table.database, changed)
                return [], []
            case statements.Show():
                return self.show(statement)
        raise unsupported(f"{type(statement).__name__} here", "see its documentation")

    # create and drop

    def _create(self, expression: exp.Create, text: str) -> Lines:
        target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
        exists = bool(expression.args.get("exists"))
        if expression.kind in ("DATABASE", "SCHEMA"):
            return self._create_database(target, expression, exists)
        database = (target.db or self.database).lower()
        self.need_database(database)
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
        self.catalog.create_table(database, table_input(target.name.lower(), expression, properties))
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
        view = {
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
        (self.catalog.create_table if known is None else self.catalog.update_table)(database, view)
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
        missing = [f"{table.name}:{partition_name(names, values)}" for values in added]
        if not missing:
            return [], []
        lines = [f"Partitions not in metastore:\t{chr(9).join(missing)}"]
        lines += [
            f"Repair: Added partition to metastore {table.name}:{partition_name(names, values)}" for values in added
        ]
        return lines, [("result", "string")]

    def _partitions(self, statement: statements.Partitions) -> Lines:
        table = self.table(statement.table)
        names = [key.name for key in table.partition_keys]
        known = [p["Values"] for p in self.catalog.partitions(table.database, table.name)]
        for spec, location in statement.partitions:
            if sorted(spec) != sorted(names):
                raise QueryFailed(
                    f"FAILED: ValidationException: partition spec {spec} doesn't contain all partition columns {names}"
                )
            values = [spec[name] for name in names]
            if statement.action == "ADD" and values not in known:
                self._put_partition(table, values, location or folder(table.location) + partition_name(names, values))
            elif statement.action == "DROP" and values in known:
                self.catalog.delete_partition(table.database, table.name, values)
            elif not statement.lenient:
                problem = "already exists" if statement.action == "ADD" else "not found"
                raise QueryFailed(
                    f"FAILED: SemanticException [Error 10006]: Partition {problem}: {partition_name(names, values)}"
                )
        return [], []

    def _set_location(self, statement: statements.SetLocation) -> Lines:
        table = self.table(statement.table)
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
