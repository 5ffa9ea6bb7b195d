"""Gives the table names in a query their rows: Glue tables and views become relations of one DuckDB connection."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.data_types import quote
from local_aws.athena.failures import QueryFailed
from local_aws.athena.relations import Relations
from local_aws.athena.statements import Select, parse
from local_aws.athena.translate import to_duckdb


def position(node: exp.Expr) -> str:
    """`line 1:8` of the first token of `node` that the parser has remembered."""
    known = [part.meta for part in node.walk() if "start" in part.meta]
    if not known:
        return "line 1:1"
    meta = min(known, key=lambda found: int(found["start"]))
    return f"line {meta['line']}:{meta['col'] - (meta['end'] - meta['start'])}"


class Binder:
    """Binds queries on one DuckDB connection; `scanned_bytes` adds up what their tables hold."""

    def __init__(self, cursor: Any, catalog: Catalog, relations: Relations) -> None:
        self.cursor = cursor
        self.catalog = catalog
        self.relations = relations
        self.scanned_bytes = 0
        self._created = 0

    def duckdb_sql(self, query: exp.Query, database: str, rules: Callable[[Any, exp.Query], None] | None = None) -> str:
        """`query` in DuckDB's SQL, over temporary views of this connection; names without one are in `database`."""
        for table in list(query.find_all(exp.Table)):
            if isinstance(table.this, exp.Identifier) and not _is_cte(table):
                self._bind(table, database)
        for column in query.find_all(exp.Column):
            if column.args.get("db"):
                column.set("catalog", None)
                column.set("db", None)
        if rules is not None:
            rules(self.cursor, query)
        return to_duckdb(query)

    def _bind(self, node: exp.Table, database: str) -> None:
        found = self.lookup(node, database)
        relation = f"{found.database}.{found.name}#{self._created}"
        self._created += 1
        if found.is_view:
            view = parse(found.view["originalSql"], [])
            if not isinstance(view, Select):
                raise QueryFailed(f"INVALID_VIEW: view {found.database}.{found.name} does not hold a query")
            sql = self.duckdb_sql(view.query, found.view.get("schema") or found.database)
        else:
            scan = self.relations.scan(found, _partition_filter(node, found))
            self.scanned_bytes += scan.scanned_bytes
            sql = scan.sql
        self.cursor.execute(f"CREATE TEMP VIEW {quote(relation)} AS {sql}")
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        node.set("this", exp.to_identifier(relation, quoted=True))
        node.set("db", None)
        node.set("catalog", None)

    def lookup(self, node: exp.Table, database: str) -> Table:
        """The Glue table that `node` names; QueryFailed with its place in the query where there is none."""
        schema, name = (node.db or database).lower(), node.name.lower()
        if schema not in self.catalog.databases():
            raise QueryFailed(f"SCHEMA_NOT_FOUND: {position(node)}: Schema '{schema}' does not exist")
        description = self.catalog.table(schema, name)
        if description is None:
            raise QueryFailed(
                f"TABLE_NOT_FOUND: {position(node)}: Table 'awsdatacatalog.{schema}.{name}' does not exist"
            )
        return Table(schema, description)


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


def _partition_filter(node: exp.Table, table: Table) -> str | None:
    """The conditions of the WHERE clause around `node` that are about partition keys alone, in DuckDB's SQL."""
    keys = {key.name for key in table.partition_keys}
    holder = node.parent
    select = holder.parent if isinstance(holder, (exp.From, exp.Join)) else None
    if not keys or not isinstance(select, exp.Select) or not select.args.get("where"):
        return None
    joins = select.args.get("joins") or []
    outer = [join for join in joins if join.side in ("RIGHT", "FULL")]
    if outer or (isinstance(holder, exp.Join) and holder.side):
        return None  # a row that an outer join fills with nulls must not appear because its partner was not read
    kept = []
    for condition in (
        select.args["where"].this.flatten()
        if isinstance(select.args["where"].this, exp.And)
        else [select.args["where"].this]
    ):
        columns = list(condition.find_all(exp.Column))
        if not columns or condition.find(exp.Query, exp.Lambda, exp.Rand):
            continue
        if all(c.name.lower() in keys and c.table.lower() in ("", node.alias_or_name.lower()) for c in columns):
            alone = condition.copy()
            for column in [alone] if isinstance(alone, exp.Column) else list(alone.find_all(exp.Column)):
                for part in ("table", "db", "catalog"):
                    column.set(part, None)
            kept.append(f"({to_duckdb(alone)})")
    return " AND ".join(kept) or None
