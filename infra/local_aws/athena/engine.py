"""Executes one query: DuckDB for the rows, Glue for the catalog, S3 for the results."""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from local_aws.athena import hashes, reasons, rules, statements
from local_aws.athena.binding import Binder
from local_aws.athena.catalog import Catalog
from local_aws.athena.data_types import literal, result_type
from local_aws.athena.ddl import Ddl
from local_aws.athena.failures import NotAuthorized, QueryCancelled, QueryFailed
from local_aws.athena.files import FileWriter
from local_aws.athena.objects import Encryption, ObjectCache, ObjectStore, folder, split_uri
from local_aws.athena.parser import parse
from local_aws.athena.relations import Relations
from local_aws.athena.results import ResultColumn, as_text, csv_header, metadata
from local_aws.athena.tables import TableWriter

UNNAMED = "__unnamed_"
# Athena looks at it whatever the query is about:
# https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
ANYONES = "default"


@dataclass(frozen=True)
class Request:
    """One query as StartQueryExecution got it; `output` is the folder that results go to."""

    id: str
    sql: str
    database: str
    output: str
    parameters: list[str] = field(default_factory=list)
    prepared: dict[str, str] = field(default_factory=dict)
    encryption: Encryption = None
    cutoff: int | None = None  # the bytes that the query may scan


@dataclass
class Outcome:
    """What a query that succeeded leaves: where its result is, and what GetQueryExecution says about it."""

    output_location: str
    columns: list[dict[str, Any]] = field(default_factory=list)
    manifest_location: str | None = None
    scanned_bytes: int = 0
    update_count: int | None = None
    rows: int | None = None  # that the query gave, or wrote; None for what is no query
    planning_seconds: float | None = None


@dataclass(frozen=True)
class Session:
    """One query's DuckDB connections: `planner` knows tables without rows, `connection` has the rows it needs."""

    connection: Any
    planner: Any
    interrupted: threading.Event = field(default_factory=threading.Event)
    _closed: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def interrupt(self) -> None:
        """Cancel what the query runs, and what it would run next."""
        self.interrupted.set()
        threading.Thread(target=self._interrupt, name="athena interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        # Again and again: DuckDB forgets an interrupt that comes before a statement has begun.
        while not self._closed.wait(0.02):
            with self._lock:
                if not self._closed.is_set():
                    self.planner.interrupt()
                    self.connection.interrupt()

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            self.planner.close()
            self.connection.close()


class Engine:
    """Two DuckDB instances, for planning and for rows, shared by all queries; each query has its own session."""

    def __init__(self, catalog: Catalog, store: ObjectStore, directory: Path) -> None:
        self.catalog = catalog
        self.store = store
        self.cache = ObjectCache(store, directory / "objects")
        self.scratch = directory / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.duckdb = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory * 4 // 10 // 2**20}MiB",
                "temp_directory": str(directory / "spill"),
                "integer_division": True,
            },
        )
        # Over empty tables: what a query reads must show in its plan, not be optimised away.
        self.planner = duckdb.connect(
            ":memory:",
            config={
                "disabled_optimizers": "statistics_propagation,late_materialization",
                "integer_division": True,
                "threads": 1,
            },
        )
        for database in (self.duckdb, self.planner):
            database.execute("SET GLOBAL TimeZone = 'UTC'")  # a setting of the ICU extension, which is loaded last
            for name, (function, arguments, returned) in hashes.FUNCTIONS.items():
                database.create_function(name, function, arguments, returned)
            database.execute((Path(__file__).parent / "macros.sql").read_text())

    def session(self) -> Session:
        """A session for one query."""
        return Session(self.duckdb.cursor(), self.planner.cursor())

    def run(self, request: Request, session: Session) -> Outcome:
        """Execute the query; QueryFailed with Athena's reason, duckdb.InterruptException where it was stopped, and
        QueryCancelled where it would have read more than it may."""
        self.catalog.has_database(ANYONES)
        statement = parse(request.sql, [] if _is_execute(request.sql) else request.parameters)
        if isinstance(statement, statements.Prepared):
            sql = request.prepared.get(statement.name.lower())
            if sql is None:
                raise QueryFailed(f"PreparedStatement {statement.name} was not found")
            statement = parse(sql, statement.values or request.parameters)
        run = _Run(self, request, session)
        match statement:
            case statements.Select(query):
                return run.select(query)
            case statements.CreateTableAs():
                return run.create_table_as(statement)
            case statements.Insert():
                return run.insert(statement)
            case statements.Unload():
                return run.unload(statement)
            case statements.Explain(query):
                return run.explain(query)
        try:
            lines, columns = Ddl(self.catalog, self.cache, request.database, run.view_columns).run(statement)
        except NotAuthorized as denied:
            raise QueryFailed(
                "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                f"MetaException(message:{denied.said})"
            ) from denied
        return run.text(lines, columns)


def _is_execute(sql: str) -> bool:
    return statements.first_word(sql) == "EXECUTE"


class _Run:
    """The state of one query."""

    def __init__(self, engine: Engine, request: Request, session: Session) -> None:
        self.engine = engine
        self.request = request
        self.connection, self.planner, self.interrupted = session.connection, session.planner, session.interrupted
        self.binder = Binder(self.planner, engine.catalog)
        self.scanned_bytes = 0
        files = FileWriter(self.connection, engine.store, engine.scratch, request.id, request.encryption)
        self.writer = TableWriter(engine.catalog, files)
        self.planning_seconds: float | None = None

    @contextlib.contextmanager
    def _athena_reasons(self, query: exp.Expr) -> Iterator[None]:
        try:
            yield
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise reasons.query_failed(error, query) from error

    def _bind(self, query: exp.Query) -> tuple[str, list[ResultColumn]]:
        """DuckDB SQL of `query` with columns c0, c1, ... in the types Athena would give, and those columns."""
        began = time.monotonic()
        _name_columns(query)
        with self._athena_reasons(query):
            sql = self.binder.duckdb_sql(query, self.request.database, rules.check)
            described = self.planner.execute(f"DESCRIBE {sql}").fetchall()
            types = [result_type(duckdb.sqltype(_type_name(row[1]))) for row in described]
        names = [
            f"_col{index}" if row[0].startswith(UNNAMED) else row[0].lower() for index, row in enumerate(described)
        ]
        inner = ", ".join(f"c{index}" for index in range(len(names)))
        outer = ", ".join(
            f"c{index}" if kind == _type_name(row[1]) else f"CAST(c{index} AS {kind}) AS c{index}"
            for index, (kind, row) in enumerate(zip(types, described, strict=True))
        )
        columns = [ResultColumn(name, duckdb.sqltype(kind)) for name, kind in zip(names, types, strict=True)]
        self.planning_seconds = time.monotonic() - began
        return f"SELECT {outer} FROM ({sql}) AS q({inner})", columns

    def _read(self, query: exp.Query) -> tuple[str, list[ResultColumn]]:
        """What `_bind` returns, with the rows of the tables at hand on the query's connection."""
        sql, columns = self._bind(query)
        with self._athena_reasons(query):
            relations = Relations(self.connection, self.engine.catalog, self.engine.cache)
            self.scanned_bytes = self.binder.read(sql, relations)
        if self.request.cutoff is not None and self.scanned_bytes > self.request.cutoff:
            raise QueryCancelled("Bytes scanned limit was exceeded")
        if self.interrupted.is_set():  # while objects were fetched, where no connection notices
            raise duckdb.InterruptException
        return sql, columns

    def select(self, query: exp.Query) -> Outcome:
        sql, columns = self._read(query)
        texts = ", ".join(as_text(f"c{index}", column.type) for index, column in enumerate(columns))
        path = self.engine.scratch / f"{uuid.uuid4().hex}.csv"
        try:
            with self._athena_reasons(query):
                copy = f"COPY (SELECT {texts} FROM ({sql})) TO {literal(str(path))} "
                (rows,) = self.connection.execute(
                    copy + "(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')"
                ).fetchone()
            body = csv_header(columns) + path.read_bytes()
        finally:
            path.unlink(missing_ok=True)
        location = f"{folder(self.request.output)}{self.request.id}.csv"
        infos = [column.info() for column in columns]
        self._write(location, body)
        self._write(f"{location}.metadata", metadata(self.request.id, infos))
        scanned = self.scanned_bytes
        return Outcome(location, infos, scanned_bytes=scanned, rows=rows, planning_seconds=self.planning_seconds)

    def create_table_as(self, statement: statements.CreateTableAs) -> Outcome:
        database, name = (statement.table.db or self.request.database).lower(), statement.table.name.lower()
        location = f"{folder(self.request.output)}tables/{self.request.id}"
        done = Outcome(location, manifest_location=f"{location}-manifest.csv")
        if not self.writer.may_create(database, name, statement.if_not_exists):
            return self._finish_write(done, [])
        sql, columns = self._read(statement.query)
        with self._athena_reasons(statement.query):
            written = self.writer.create_table_as(database, name, statement, sql, columns, folder(location))
        done.update_count = done.rows = written.rows
        return self._finish_write(done, written.uris)

    def insert(self, statement: statements.Insert) -> Outcome:
        table = self.binder.lookup(statement.table, self.request.database)
        sql, columns = self._read(statement.query)
        with self._athena_reasons(statement.query):
            written = self.writer.insert(table, statement.columns, sql, columns)
        location = f"{folder(self.request.output)}{self.request.id}"
        done = Outcome(location, manifest_location=f"{location}-manifest.csv")
        done.update_count = done.rows = written.rows
        return self._finish_write(done, written.uris)

    def unload(self, statement: statements.Unload) -> Outcome:
        sql, columns = self._read(statement.query)
        with self._athena_reasons(statement.query):
            written = self.writer.unload(statement, sql, columns)
        location = f"{folder(self.request.output)}{self.request.id}"
        done = Outcome(location, manifest_location=f"{location}-manifest.csv")
        done.update_count = done.rows = written.rows
        return self._finish_write(done, written.uris)

    def explain(self, query: exp.Query) -> Outcome:
        sql, _ = self._bind(query)
        plan = "\n".join(row[1] for row in self.planner.execute(f"EXPLAIN {sql}").fetchall())
        return self.text(plan.split("\n"), [("Query Plan", "varchar")])

    def text(self, lines: list[str], columns: list[tuple[str, str]]) -> Outcome:
        """The outcome of a statement whose result is lines of text."""
        location = f"{folder(self.request.output)}{self.request.id}.txt"
        infos = [ResultColumn(name, duckdb.sqltype(_text_type(kind_))).info() for name, kind_ in columns]
        self._write(location, "".join(line + "\n" for line in lines).encode())
        self._write(f"{location}.metadata", metadata(self.request.id, infos))
        return Outcome(location, infos)

    def view_columns(self, query: exp.Query) -> list[ResultColumn]:
        """The columns that a view over `query` has."""
        return self._bind(query)[1]

    def _finish_write(self, outcome: Outcome, uris: list[str]) -> Outcome:
        assert outcome.manifest_location is not None
        outcome.scanned_bytes, outcome.planning_seconds = self.scanned_bytes, self.planning_seconds
        self._write(outcome.manifest_location, "".join(f"{uri}\n" for uri in uris).encode())
        self._write(f"{outcome.output_location}.metadata", metadata(self.request.id, []))
        return outcome

    def _write(self, uri: str, body: bytes) -> None:
        self.engine.store.write(*split_uri(uri), body, self.request.encryption)


def _name_columns(query: exp.Query) -> None:
    """Mark the outermost columns that have no name of their own: Athena calls them _col0, _col1 by their place."""
    first: exp.Expr = query
    while isinstance(first, (exp.SetOperation, exp.Subquery)):
        first = first.this
    if not isinstance(first, exp.Select):
        return
    for index, item in enumerate(first.expressions):
        if not isinstance(item, (exp.Alias, exp.Column, exp.Star)):
            item.replace(exp.alias_(item.copy(), f"{UNNAMED}{index}", quoted=True))


def _type_name(described: str) -> str:
    return described.strip('"') if described == '"NULL"' else described


def _text_type(name: str) -> str:
    return "VARCHAR" if name in ("string", "varchar") else name
