"""moto's Athena, except that a started query is executed."""

import itertools
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.models import athena_backends as athena_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends

from local_aws import authorization, config
from local_aws.athena.engine import Engine, Request
from local_aws.athena.exceptions import InvalidRequestException
from local_aws.athena.failures import MalformedQuery, QueryCancelled, QueryFailed, not_written
from local_aws.athena.objects import split_uri
from local_aws.athena.parser import parse
from local_aws.athena.permissions import SERVICE, require
from local_aws.athena.queries import INTERRUPTED, QueryExecution
from local_aws.athena.results import page
from local_aws.athena.settings import result_configuration_of
from local_aws.athena.statements import CreateTableAs
from local_aws.athena.stores import MotoCatalog, MotoObjects
from local_aws.authorization.callers import calling

logger = logging.getLogger(__name__)

CANCELLED = "Query cancelled by user"
CONCURRENT_QUERIES = 4
HISTORY_SECONDS = 45 * 24 * 3600  # AWS keeps a query's record for 45 days
TOKEN_SECONDS = 24 * 3600
# GetQueryExecution waits this long for a query to end: clients that poll every second see fast queries at once.
PATIENCE_SECONDS = 0.25


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
        given: dict[str, Any],
        workgroup: str,
        parameters: list[str],
        token: str | None,
        reuse: dict[str, Any],
    ) -> str:
        """Id of the query, queued; the id of the earlier one where the client's `token` is known."""
        self._forget(time.time())
        if token and token in self.tokens:
            known = self.queries[self.tokens[token]].request
            if (known.sql, known.parameters) != (sql, parameters):
                raise InvalidRequestException("Idempotent parameters do not match")
            return known.id
        group = self.work_group(workgroup)
        catalog = context.get("Catalog", "AwsDataCatalog")
        if catalog.lower() != "awsdatacatalog":
            raise InvalidRequestException(f"Catalog {catalog} is not available: local Athena has AwsDataCatalog only")
        refuse_malformed(sql, bool(group.configuration.get("EnforceWorkGroupConfiguration")))
        result_configuration = result_configuration_of(group.configuration, given)
        self._verify_output(split_uri(result_configuration["OutputLocation"])[0])
        request = Request(
            str(uuid.uuid4()),
            sql,
            context.get("Database", "default").strip('`"').lower(),
            result_configuration["OutputLocation"],
            parameters,
            {name: text for (group_name, name), (text, _, _) in self.prepared.items() if group_name == workgroup},
            result_configuration.get("EncryptionConfiguration"),
            group.configuration.get("BytesScannedCutoffPerQuery"),
        )
        execution = QueryExecution(request, context, result_configuration, workgroup, reuse)
        reusable = self._reusable(execution)
        self.queries[request.id] = execution
        if token:
            self.tokens[token] = request.id
        if reusable is not None:
            execution.reuse_result(reusable)
        else:
            self._pool.submit(self._execute, execution, authorization.caller())
        return request.id

    def _verify_output(self, bucket: str) -> None:
        known = bucket in s3_backends[self.account_id][self.partition].buckets
        try:
            require("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")
        except authorization.AccessDenied:
            known = False
        if not known:
            raise InvalidRequestException(f"Unable to verify/create output bucket {bucket}")

    def _forget(self, now: float) -> None:
        """Drop the queries and tokens that AWS no longer knows; both stand in the order that they came in."""
        with self._starting:
            for token, query_id in list(itertools.islice(self.tokens.items(), 100)):
                if query_id in self.queries and self.queries[query_id].submitted_at > now - TOKEN_SECONDS:
                    break
                self.tokens.pop(token, None)
            for query_id, query in list(itertools.islice(self.queries.items(), 100)):
                if query.submitted_at > now - HISTORY_SECONDS:
                    break
                self.queries.pop(query_id, None)

    def _reusable(self, wanted: QueryExecution) -> QueryExecution | None:
        """The newest earlier query whose result `wanted` may take over."""
        earlier = [query for query in list(self.queries.values()) if query.can_serve(wanted)]
        return max(earlier, key=lambda query: query.submitted_at, default=None)

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

    def _execute(self, execution: QueryExecution, caller: authorization.Principal) -> None:
        with calling(caller, self.region_name, SERVICE):
            self._execute_as_caller(execution)

    def _execute_as_caller(self, execution: QueryExecution) -> None:
        state, reason, outcome = "FAILED", None, None
        try:
            engine = self.engine
            with execution.lock:
                if execution.state != "QUEUED":
                    return
                execution.session = engine.session()
                execution.state, execution.started_at = "RUNNING", time.time()
            self._check_bucket_owner(execution.result_configuration)
            outcome = engine.run(execution.request, execution.session)
            state = "SUCCEEDED"
        except QueryFailed as failed:
            reason = str(failed)
        except QueryCancelled as cancelled:
            state, reason = "CANCELLED", str(cancelled)
        except duckdb.InterruptException:
            state, reason = execution.stopped_as or ("CANCELLED", CANCELLED)
        except Exception as error:  # a fault of the engine must end this query, with its reason, and no other
            logger.exception("query %s", execution.request.id)
            reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
        with execution.lock:
            session, execution.session = execution.session, None
        execution.finish(state, reason, outcome)
        try:
            if session is not None:
                session.close()
            self._publish_metrics(execution)
        except Exception:  # the last to see it: nobody asks what became of this thread's work
            logger.exception("after query %s", execution.request.id)

    def _check_bucket_owner(self, result_configuration: dict[str, Any]) -> None:
        if result_configuration.get("ExpectedBucketOwner", self.account_id) != self.account_id:
            raise not_written(result_configuration["OutputLocation"])

    def _publish_metrics(self, execution: QueryExecution) -> None:
        group = self.work_groups.get(execution.workgroup_name)
        if group is not None and group.configuration.get("PublishCloudWatchMetricsEnabled"):
            metrics = cloudwatch_backends[self.account_id][self.region_name]
            metrics.put_metric_data("AWS/Athena", execution.metric_data())

    def query(self, query_id: str) -> QueryExecution:
        """The query of that id; InvalidRequestException where there is none."""
        if query_id not in self.queries:
            raise InvalidRequestException(f"QueryExecution {query_id} was not found")
        return self.queries[query_id]

    def stop_query_execution(self, exec_id: str) -> None:
        self.query(exec_id).stop("CANCELLED", CANCELLED)

    def shut_down(self) -> None:
        """End every query: Python would wait for those that run, however long they take."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for execution in list(self.queries.values()):
            execution.stop("FAILED", INTERRUPTED)
        self._pool.shutdown()

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
        found = self.engine.store.find(bucket, key)
        if not found:
            raise InvalidRequestException(f"Could not find results: {outcome.output_location} does not exist")
        try:
            path = self.engine.cache.path(found)
        except QueryFailed as denied:  # results are read with the permissions of whoever asks for them
            raise InvalidRequestException(f"Access denied when reading results from {found.uri}. {denied}") from denied
        rows, following = page(path, int(token or 0), limit, key.endswith(".csv"))
        answer["ResultSet"]["Rows"] = rows
        if following is not None:
            answer["NextToken"] = str(following)
        return answer


def refuse_malformed(sql: str, location_is_enforced: bool) -> None:
    """InvalidRequestException where `sql` is no statement, or places a table though the workgroup places all that
    queries write; what is wrong with its meaning fails the query later."""
    try:
        statement = parse(sql, None)
    except MalformedQuery as error:
        raise InvalidRequestException(str(error), "MALFORMED_QUERY") from error
    except QueryFailed:
        return
    if location_is_enforced and isinstance(statement, CreateTableAs) and "external_location" in statement.properties:
        raise InvalidRequestException(
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to "
            "an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query."
        )


def shut_down() -> None:
    """End every query of every account and region."""
    for _, _, backend in athena_backends.iter_backends():
        backend.shut_down()


def install() -> None:
    """Put the executing backend in moto's place."""
    athena_backends.clear()
    athena_backends.backend = ExecutingAthenaBackend
