"""Gives the table names in a query their rows: Glue tables and views become relations of one DuckDB connection."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_aws.athena import information_schema
from local_aws.athena.catalog import HIDDEN_COLUMNS, Catalog, Table
from local_aws.athena.data_types import quote
from local_aws.athena.failures import QueryFailed, no_iceberg
from local_aws.athena.operands import annotate
from local_aws.athena.parser import parse
from local_aws.athena.plan import reads
from local_aws.athena.relations import Relations, typed_columns
from local_aws.athena.statements import Select
from local_aws.athena.translate import to_duckdb


def position(node: exp.Expr) -> str:
    """`line 1:8` of the first token of `node` that the parser has remembered."""
    known = [part.meta for part in node.walk() if "start" in part.meta]
    if not known:
        return "line 1:1"
    meta = min(known, key=lambda found: int(found["start"]))
    return f"line {meta['line']}:{meta['col'] - (meta['end'] - meta['start'])}"


class Binder:
    """Binds one query: on `planner`, a DuckDB connection where each table is empty, to learn what the query reads."""

    def __init__(self, planner: Any, catalog: Catalog) -> None:
        self.planner = planner
        self.catalog = catalog
        self.tables: dict[str, tuple[str, Table]] = {}  # by the name of the scan: relation, table
        self.views: list[str] = []  # statements that create the relations of views
        self._named: set[tuple[str, str]] = set()  # database and table, by which columns may be called

    def duckdb_sql(self, query: exp.Query, database: str, rules: Callable[[Any, exp.Query], None] | None = None) -> str:
        """`query` in DuckDB's SQL, over relations of the planner; names without a database are in `database`."""
        hidden = sorted({c.name.lower() for c in query.find_all(exp.Column) if c.name.lower() in HIDDEN_COLUMNS})
        for table in list(query.find_all(exp.Table)):
            if isinstance(table.this, exp.Identifier) and not _is_cte(table):
                self._bind(table, database, hidden)
        for column in query.find_all(exp.Column):
            if (column.db.lower(), column.table.lower()) in self._named:  # else it is a field of a field
                column.set("catalog", None)
                column.set("db", None)
            elif (column.catalog.lower(), column.db.lower()) in self._named:
                column.set("catalog", None)
        if hidden:
            _hide_from_stars(query, hidden)
        annotate(self.planner, query)
        if rules is not None:
            rules(self.planner, query)
        return to_duckdb(query)

    def read(self, sql: str, relations: Relations) -> int:
        """Give the query `sql` its rows on the connection of `relations`: as many bytes as this returns are read."""
        names = {scan: [name for name, _ in typed_columns(table)] for scan, (_, table) in self.tables.items()}
        scanned = 0
        for scan, found in (reads(self.planner, sql, names) if names else {}).items():
            relation, table = self.tables[scan]
            rows = relations.scan(table, found)
            relations.cursor.execute(f"CREATE TEMP VIEW {quote(relation)} AS {rows.sql}")
            scanned += rows.scanned_bytes
        for statement in self.views:
            relations.cursor.execute(statement)
        return scanned

    def _bind(self, node: exp.Table, database: str, hidden: list[str]) -> None:
        number = len(self.tables) + len(self.views)
        if node.db.lower() == "information_schema":
            relation = f"information_schema.{node.name.lower()}#{number}"
            self._create_view(relation, information_schema.select(self.catalog, node.name.lower()))
        else:
            found = self.lookup(node, database)
            relation = f"{found.database}.{found.name}#{number}"
            if found.is_view:
                self._bind_view(found, relation)
            else:
                self._bind_table(found, relation, hidden)
        self._named.add(((node.db or database).lower(), node.name.lower()))
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        node.set("this", exp.to_identifier(relation, quoted=True))
        node.set("db", None)
        node.set("catalog", None)

    def _bind_view(self, found: Table, relation: str) -> None:
        view = parse(found.view["originalSql"], [])
        if not isinstance(view, Select):
            raise QueryFailed(f"INVALID_VIEW: view {found.database}.{found.name} does not hold a query")
        self._create_view(relation, self.duckdb_sql(view.query, found.view.get("schema") or found.database))

    def _create_view(self, relation: str, sql: str) -> None:
        statement = f"CREATE TEMP VIEW {quote(relation)} AS {sql}"
        self.planner.execute(statement)
        self.views.append(statement)

    def _bind_table(self, found: Table, relation: str, hidden: list[str]) -> None:
        scan = f"scan{len(self.tables)}"
        self.tables[scan] = relation, found.with_hidden(hidden)
        typed = typed_columns(found.with_hidden(hidden))
        columns = ", ".join(f"c{index} {kind}" for index, (_, kind) in enumerate(typed))
        named = ", ".join(f"c{index} AS {quote(name)}" for index, (name, _) in enumerate(typed))
        self.planner.execute(f"CREATE TEMP TABLE {scan} ({columns})")
        self.planner.execute(f"CREATE TEMP VIEW {quote(relation)} AS SELECT {named} FROM {scan}")

    def lookup(self, node: exp.Table, database: str) -> Table:
        """The Glue table that `node` names; QueryFailed with its place in the query where there is none."""
        schema, name = (node.db or database).lower(), node.name.lower()
        if not self.catalog.has_database(schema):
            raise QueryFailed(f"SCHEMA_NOT_FOUND: {position(node)}: Schema '{schema}' does not exist")
        description = self.catalog.table(schema, name)
        if description is None:
            raise QueryFailed(
                f"TABLE_NOT_FOUND: {position(node)}: Table 'awsdatacatalog.{schema}.{name}' does not exist"
            )
        found = Table(schema, description)
        if found.parameters.get("table_type", "").upper() == "ICEBERG":
            raise no_iceberg(f"{schema}.{name}")
        return found


def _is_cte(table: exp.Table) -> bool:
    if table.db:
        return False
    name = table.name.lower()
    child: exp.Expr = table
    parent = table.parent
    while parent is not None:
        if isinstance(parent, exp.With):
            # Inside WITH a name means the ones before it; itself only where it is recursive.
            for cte in parent.expressions:
                if cte is child and not parent.args.get("recursive"):
                    break
                if cte.alias.lower() == name:
                    return True
                if cte is child:
                    break
        elif (clause := parent.args.get("with_")) is not None and clause is not child:
            if any(cte.alias.lower() == name for cte in clause.expressions):
                return True
        child, parent = parent, parent.parent
    return False


def _hide_from_stars(query: exp.Query, hidden: list[str]) -> None:
    for star in [*query.find_all(exp.Star)]:
        if not isinstance(star.parent, exp.Count):
            star.set(
                "except_", [*(star.args.get("except_") or []), *(exp.column(name, quoted=True) for name in hidden)]
            )
