"""The record of one query, as GetQueryExecution describes it."""

import threading
import time
from typing import Any

from local_aws.athena.engine import Outcome, Request, Session
from local_aws.athena.failures import athena_error
from local_aws.athena.objects import folder
from local_aws.athena.statements import statement_type, substatement_type
from local_aws.gate import gate

INTERRUPTED = "GENERIC_INTERNAL_ERROR: local AWS ended while the query was running; start it again"


_RUNTIME = ("session", "stopped_as", "lock", "done")


class QueryExecution:
    """One query: its request, its state, and what came of it.

    Its attributes are plain data but for those of `_make_runtime`: pickled, a query keeps its record, and one that had
    not ended has failed when it is read again.
    """

    def __init__(
        self,
        request: Request,
        context: dict[str, str],
        result_configuration: dict[str, Any],
        workgroup: str,
        reuse: dict[str, Any],
    ):
        self.request = request
        self.context = context
        self.result_configuration = result_configuration
        self.workgroup_name = workgroup
        self.reuse = reuse
        self.state = "QUEUED"
        self.reason: str | None = None
        self.outcome: Outcome | None = None
        self.reused = False
        self.submitted_at = time.time()
        self.started_at: float | None = None
        self.completed_at: float | None = None
        self._make_runtime()

    def _make_runtime(self) -> None:
        self.session: Session | None = None
        self.stopped_as: tuple[str, str] | None = None  # the state and reason that it is to end with
        self.lock = threading.Lock()
        self.done = threading.Event()

    def __getstate__(self) -> dict[str, Any]:
        with self.lock:
            return {name: v for name, v in self.__dict__.items() if name not in _RUNTIME}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_runtime()
        if self.completed_at is None:
            self.finish("FAILED", INTERRUPTED, None)
        self.done.set()

    def finish(self, state: str, reason: str | None, outcome: Outcome | None) -> None:
        """End as `state`; from now on nothing of the record changes."""
        with self.lock:
            self.outcome, self.reason, self.completed_at, self.state = outcome, reason, time.time(), state
        self.done.set()
        gate.changed.set()

    def stop(self, state: str, reason: str) -> None:
        """End as `state`, now or as soon as what runs has noticed; nothing where it has ended, or is to."""
        with self.lock:
            if self.session is not None:
                self.stopped_as = self.stopped_as or (state, reason)
                self.session.interrupt()
                return
            queued = self.state == "QUEUED"
            if queued:
                self.state = state
        if queued:
            self.finish(state, reason, None)

    def can_serve(self, wanted: "QueryExecution") -> bool:
        """Whether `wanted`, which has the same question, may have this query's result as its own."""
        mine, other = self.request, wanted.request
        return (
            bool(wanted.reuse["Enabled"])
            and self.state == "SUCCEEDED"
            and not self.reused
            and substatement_type(mine.sql) == "SELECT"
            and self.submitted_at >= wanted.submitted_at - 60 * wanted.reuse["MaxAgeInMinutes"]
            and (mine.sql, mine.parameters, mine.database) == (other.sql, other.parameters, other.database)
            and self.workgroup_name == wanted.workgroup_name
        )

    def reuse_result(self, earlier: "QueryExecution") -> None:
        """End at once with the result of `earlier`."""
        self.reused, self.started_at = True, time.time()
        self.finish("SUCCEEDED", None, earlier.outcome)

    def describe(self) -> dict[str, Any]:
        """QueryExecution of GetQueryExecution."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted_at}
        if self.completed_at:
            status["CompletionDateTime"] = self.completed_at
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
            if self.state == "FAILED":
                status["AthenaError"] = athena_error(self.reason)
        location = self.outcome.output_location if self.outcome else self._planned_location()
        described: dict[str, Any] = {
            "QueryExecutionId": self.request.id,
            "Query": self.request.sql,
            "StatementType": statement_type(self.request.sql),
            "SubstatementType": substatement_type(self.request.sql),
            "ResultConfiguration": {**self.result_configuration, "OutputLocation": location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": self.reuse},
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": self.statistics(),
            "WorkGroup": self.workgroup_name,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        }
        if self.request.parameters:
            described["ExecutionParameters"] = self.request.parameters
        return described

    def _planned_location(self) -> str:
        kind, name = substatement_type(self.request.sql), self.request.id
        if kind == "CREATE_TABLE_AS_SELECT":
            name = f"tables/{name}"
        elif kind not in ("INSERT", "UNLOAD"):
            name += ".csv" if statement_type(self.request.sql) == "DML" else ".txt"
        return f"{folder(self.request.output)}{name}"

    def statistics(self) -> dict[str, Any]:
        """QueryExecutionStatistics: measured times, and the bytes of what was read."""
        end = self.completed_at or time.time()
        started = self.started_at or end
        total, queued = _milliseconds(end - self.submitted_at), _milliseconds(started - self.submitted_at)
        engine = _milliseconds(end - started)
        found: dict[str, Any] = {
            "EngineExecutionTimeInMillis": engine,
            "TotalExecutionTimeInMillis": total,
            "QueryQueueTimeInMillis": queued,
            "ServiceProcessingTimeInMillis": max(0, total - queued - engine),
            "DataScannedInBytes": self.outcome.scanned_bytes if self.outcome and not self.reused else 0,
            "ResultReuseInformation": {"ReusedPreviousResult": self.reused},
        }
        if self.outcome and self.outcome.planning_seconds is not None and not self.reused:
            found["QueryPlanningTimeInMillis"] = _milliseconds(self.outcome.planning_seconds)
        if self.outcome and self.outcome.manifest_location:
            found["DataManifestLocation"] = self.outcome.manifest_location
        return found

    def runtime_statistics(self) -> dict[str, Any]:
        """QueryRuntimeStatistics of GetQueryRuntimeStatistics."""
        statistics = self.statistics()
        timeline = {name: value for name, value in statistics.items() if name.endswith("TimeInMillis")}
        found: dict[str, Any] = {"Timeline": timeline}
        if self.outcome and self.outcome.rows is not None:
            found["Rows"] = {"InputBytes": statistics["DataScannedInBytes"], "OutputRows": self.outcome.rows}
        return found

    def metric_data(self) -> list[dict[str, Any]]:
        """The AWS/Athena metrics of a query that has ended."""
        state = "CANCELED" if self.state == "CANCELLED" else self.state
        values = {"QueryState": state, "QueryType": statement_type(self.request.sql), "WorkGroup": self.workgroup_name}
        statistics = self.statistics()
        found = {
            name.removesuffix("InMillis"): ("Milliseconds", value)
            for name, value in statistics.items()
            if name.endswith("TimeInMillis")
        }
        found["ProcessedBytes"] = ("Bytes", statistics["DataScannedInBytes"])
        return [
            {
                "MetricName": name,
                "Value": float(value),
                "Unit": unit,
                "Dimensions": [{"Name": dimension, "Value": text} for dimension, text in values.items()],
            }
            for name, (unit, value) in found.items()
        ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
