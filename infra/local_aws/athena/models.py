"""moto's Athena, except that a started query is executed."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.models import athena_backends as athena_backends
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends

from local_aws import config
from local_aws.athena.engine import Engine, Outcome, Request
from local_aws.athena.exceptions import InvalidRequestException
from local_aws.athena.failures import QueryFailed
from local_aws.athena.objects import folder, split_uri
from local_aws.athena.results import page
from local_aws.athena.statements import statement_type
from local_aws.athena.stores import MotoCatalog, MotoObjects

CONCURRENT_QUERIES = 4
# GetQueryExecution waits this long for a query to end: clients that poll every second see fast queries at once.
PATIENCE_SECONDS = 0.25


class QueryExecution:
    """One query: its request, its state, and what came of it."""

    def __init__(self, request: Request, context: dict[str, str], result_configuration: dict[str, Any], workgroup: str):
        self.request = request
        self.context = context
        self.result_configuration = result_configuration
        self.workgroup_name = workgroup
        self.state = "QUEUED"
        self.reason: str | None = None
        self.outcome: Outcome | None = None
        self.submitted_at = time.time()
        self.started_at: float | None = None
        self.completed_at: float | None = None
        self.connection: Any = None
        self.lock = threading.Lock()
        self.done = threading.Event()

    def describe(self) -> dict[str, Any]:
        """QueryExecution of GetQueryExecution."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted_at}
        if self.completed_at:
            status["CompletionDateTime"] = self.completed_at
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
            if self.state == "FAILED":
                status["AthenaError"] = {
                    "ErrorCategory": 2, "ErrorType": 1006, "Retryable": False, "ErrorMessage": self.reason
                }  # fmt: skip
        location = (
            self.outcome.output_location if self.outcome else f"{folder(self.request.output)}{self.request.id}.csv"
        )
        described: dict[str, Any] = {
            "QueryExecutionId": self.request.id,
            "Query": self.request.sql,
            "StatementType": statement_type(self.request.sql),
            "ResultConfiguration": {**self.result_configuration, "OutputLocation": location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": self.statistics(),
            "WorkGroup": self.workgroup_name,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
            "SubstatementType": self.outcome.substatement if self.outcome else "SELECT",
        }
        if self.request.parameters:
            described["ExecutionParameters"] = self.request.parameters
        return described

    def statistics(self) -> dict[str, Any]:
        """QueryExecutionStatistics: measured times, and the bytes of the objects behind the tables read."""
        end = self.completed_at or time.time()
        started = self.started_at or end
        found: dict[str, Any] = {
            "EngineExecutionTimeInMillis": round((end - started) * 1000),
            "TotalExecutionTimeInMillis": round((end - self.submitted_at) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted_at) * 1000),
            "DataScannedInBytes": self.outcome.scanned_bytes if self.outcome else 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        if self.outcome and self.outcome.manifest_location:
            found["DataManifestLocation"] = self.outcome.manifest_location
        return found


class ExecutingAthenaBackend(AthenaBackend):
    """moto's Athena, except that a started query is executed."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.queries: dict[str, QueryExecution] = {}
        self.tokens: dict[str, str] = {}
        self.prepared: dict[tuple[str, str], tuple[str, str, float]] = {}  # (statement, description, last modified)
        self._engine: Engine | None = None
        self._pool = ThreadPoolExecutor(CONCURRENT_QUERIES, thread_name_prefix="athena")
        self._starting = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_engine", "_pool", "_starting")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def catalog(self) -> MotoCatalog:
        """This account's Glue."""
        return MotoCatalog(glue_backends[self.account_id][self.region_name])

    @property
    def engine(self) -> Engine:
        """The engine over this account's catalog and buckets, started with the first query."""
        with self._starting:
            if self._engine is None:
                store = MotoObjects(s3_backends[self.account_id][self.partition])
                directory = config.current().state_dir / "athena" / f"{self.account_id}-{self.region_name}"
                self._engine = Engine(self.catalog, store, directory)
            return self._engine

    def start_query(
        self,
        sql: str,
        context: dict[str, str],
        result_configuration: dict[str, Any],
        workgroup: str,
        parameters: list[str],
        token: str | None,
    ) -> str:
        """Id of the query, queued; the id of the earlier one where the client's `token` is known."""
        if token and token in self.tokens:
            known = self.queries[self.tokens[token]].request
            if (known.sql, known.parameters) != (sql, parameters):
                raise InvalidRequestException("Idempotent parameters do not match")
            return known.id
        found = self.work_group(workgroup)
        result_configuration = self._result_configuration(found, result_configuration)
        catalog = context.get("Catalog", "AwsDataCatalog")
        if catalog.lower() != "awsdatacatalog":
            raise InvalidRequestException(f"Catalog {catalog} is not available: local Athena has AwsDataCatalog only")
        prepared = {name: text for (group, name), (text, _, _) in self.prepared.items() if group == workgroup}
        database = context.get("Database", "default").strip('`"').lower()
        request = Request(
            str(uuid.uuid4()), sql, database, result_configuration["OutputLocation"], parameters, prepared
        )
        execution = QueryExecution(request, context, result_configuration, workgroup)
        self.queries[request.id] = execution
        if token:
            self.tokens[token] = request.id
        self._pool.submit(self._execute, execution)
        return request.id

    def work_group(self, name: str) -> WorkGroup:
        """The enabled workgroup of that name."""
        found = self.known_work_group(name)
        if found.state != "ENABLED":
            raise InvalidRequestException(f"WorkGroup {name} is disabled.")
        return found

    def known_work_group(self, name: str) -> WorkGroup:
        """The workgroup of that name; InvalidRequestException where there is none."""
        if name not in self.work_groups:
            raise InvalidRequestException(f"WorkGroup {name} is not found.")
        return self.work_groups[name]

    def is_used(self, group: WorkGroup) -> bool:
        """Whether the workgroup holds queries that were run, named or prepared."""
        held = [*(q.workgroup_name for q in self.queries.values()), *(name for name, _ in self.prepared)]
        return group.name in [*held, *(query.workgroup.name for query in self.named_queries.values())]

    def delete_work_group(self, name: str) -> None:
        """Delete the workgroup with the queries it holds and its tags, so that its next namesake begins empty."""
        group = self.work_groups.pop(name)
        self.tagger.delete_all_tags_for_resource(group.arn)
        self.queries = {i: query for i, query in self.queries.items() if query.workgroup_name != name}
        self.tokens = {token: i for token, i in self.tokens.items() if i in self.queries}
        self.prepared = {key: found for key, found in self.prepared.items() if key[0] != name}
        for query in [query for query in self.named_queries.values() if query.workgroup is group]:
            del self.named_queries[query.id]

    def _result_configuration(self, workgroup: WorkGroup, given: dict[str, Any]) -> dict[str, Any]:
        own = workgroup.configuration.get("ResultConfiguration") or {}
        enforced = workgroup.configuration.get("EnforceWorkGroupConfiguration") and own.get("OutputLocation")
        configuration = dict(own) if enforced else {**own, **given}
        if not configuration.get("OutputLocation"):
            raise InvalidRequestException(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        try:
            split_uri(configuration["OutputLocation"])
        except QueryFailed as error:
            raise InvalidRequestException(f"outputLocation is not a valid S3 path. {error}") from error
        return configuration

    def _execute(self, execution: QueryExecution) -> None:
        state, reason, outcome = "FAILED", None, None
        try:
            engine = self.engine
            with execution.lock:
                if execution.state != "QUEUED":
                    return
                execution.connection = engine.connection()
                execution.state, execution.started_at = "RUNNING", time.time()
            outcome = engine.run(execution.request, execution.connection)
            state = "SUCCEEDED"
        except QueryFailed as failed:
            reason = str(failed)
        except duckdb.InterruptException:
            state, reason = "CANCELLED", "Query cancelled by user"
        except Exception as error:  # a fault of the engine must end this query, with its reason, and no other
            reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
        if execution.connection is not None:
            execution.connection.close()
        with execution.lock:
            execution.outcome, execution.reason, execution.completed_at = outcome, reason, time.time()
            execution.state = state
        execution.done.set()

    def query(self, query_id: str) -> QueryExecution:
        """The query of that id; InvalidRequestException where there is none."""
        if query_id not in self.queries:
            raise InvalidRequestException(f"QueryExecution {query_id} was not found")
        return self.queries[query_id]

    def stop_query_execution(self, exec_id: str) -> None:
        execution = self.query(exec_id)
        with execution.lock:
            if execution.state == "QUEUED":
                execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
                execution.completed_at = time.time()
                execution.done.set()
            elif execution.state == "RUNNING":
                execution.connection.interrupt()

    def results(self, query_id: str, limit: int, token: str | None) -> dict[str, Any]:
        """GetQueryResults' answer; the token is the byte of the result file where a page begins."""
        execution = self.query(query_id)
        if execution.state in ("QUEUED", "RUNNING"):
            raise InvalidRequestException(f"Query has not yet finished. Current state: {execution.state}")
        if execution.outcome is None:
            raise InvalidRequestException(f"Query did not finish successfully. Final query state: {execution.state}")
        outcome = execution.outcome
        answer: dict[str, Any] = {
            "UpdateCount": outcome.update_count or 0,
            "ResultSet": {"Rows": [], "ResultSetMetadata": {"ColumnInfo": outcome.columns}},
        }
        if outcome.manifest_location is not None:
            return answer
        bucket, key = split_uri(outcome.output_location)
        found = [item for item in self.engine.store.list(bucket, key) if item.key == key]
        if not found:
            raise InvalidRequestException(f"Could not find results: {outcome.output_location} does not exist")
        rows, following = page(self.engine.cache.path(found[0]), int(token or 0), limit, key.endswith(".csv"))
        answer["ResultSet"]["Rows"] = rows
        if following is not None:
            answer["NextToken"] = str(following)
        return answer


def install() -> None:
    """Put the executing backend in moto's place."""
    athena_backends.clear()
    athena_backends.backend = ExecutingAthenaBackend
