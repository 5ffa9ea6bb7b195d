"""Athena's API over the executing backend; what is not here is moto's."""

import json
import time
from typing import Any, cast

from moto.athena.responses import AthenaResponse

from local_aws.athena.models import (
    PATIENCE_SECONDS,
    ExecutingAthenaBackend,
    InvalidRequestException,
    ResourceNotFoundException,
    athena_backends,
)


class ExecutingAthenaResponse(AthenaResponse):
    """Requests about queries."""

    @property
    def backend(self) -> ExecutingAthenaBackend:
        return cast(ExecutingAthenaBackend, athena_backends[self.current_account][self.region])

    def start_query_execution(self) -> str:
        query_id = self.backend.start_query(
            self._get_param("QueryString"),
            self._get_param("QueryExecutionContext") or {},
            self._get_param("ResultConfiguration") or {},
            self._get_param("WorkGroup") or "primary",
            self._get_param("ExecutionParameters") or [],
            self._get_param("ClientRequestToken"),
        )
        return json.dumps({"QueryExecutionId": query_id})

    def get_query_execution(self) -> str:
        execution = self.backend.query(self._get_param("QueryExecutionId"))
        execution.done.wait(PATIENCE_SECONDS)
        return json.dumps({"QueryExecution": execution.describe()})

    def batch_get_query_execution(self) -> str:
        ids = self._get_param("QueryExecutionIds")
        missing = [
            {"QueryExecutionId": i, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"QueryExecution {i} was not found"}
            for i in ids
            if i not in self.backend.queries
        ]
        found = [self.backend.queries[i].describe() for i in ids if i in self.backend.queries]
        return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing})

    def get_query_results(self) -> str:
        limit = int(self._get_param("MaxResults") or 1000)
        if not 1 <= limit <= 1000:
            raise InvalidRequestException(f"MaxResults must be between 1 and 1000, and is {limit}")
        return json.dumps(
            self.backend.results(self._get_param("QueryExecutionId"), limit, self._get_param("NextToken"))
        )

    def get_query_runtime_statistics(self) -> str:
        execution = self.backend.query(self._get_param("QueryExecutionId"))
        statistics = execution.statistics()
        timeline = {name: value for name, value in statistics.items() if name.endswith("TimeInMillis")}
        rows = {"InputBytes": statistics["DataScannedInBytes"]}
        return json.dumps({"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}})

    def list_query_executions(self) -> str:
        workgroup = self._get_param("WorkGroup") or "primary"
        self.backend.work_group(workgroup)
        newest_first = sorted(self.backend.queries.values(), key=lambda q: q.submitted_at, reverse=True)
        ids = [q.request.id for q in newest_first if q.workgroup_name == workgroup]
        start, limit = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 50)
        answer: dict[str, Any] = {"QueryExecutionIds": ids[start : start + limit]}
        if start + limit < len(ids):
            answer["NextToken"] = str(start + limit)
        return json.dumps(answer)

    def create_prepared_statement(self) -> str:
        key = self._statement_key()
        if key in self.backend.prepared:
            raise InvalidRequestException(f"Prepared statement {key[1]} already exists in WorkGroup {key[0]}")
        return self._put_statement(key)

    def update_prepared_statement(self) -> str:
        self._statement(self._statement_key())
        return self._put_statement(self._statement_key())

    def _put_statement(self, key: tuple[str, str]) -> str:
        text, description = self._get_param("QueryStatement"), self._get_param("Description") or ""
        self.backend.prepared[key] = (text, description, time.time())
        return "{}"

    def get_prepared_statement(self) -> str:
        key = self._statement_key()
        text, description, modified = self._statement(key)
        found = {"StatementName": self._get_param("StatementName"), "QueryStatement": text, "WorkGroupName": key[0]}
        return json.dumps({"PreparedStatement": {**found, "Description": description, "LastModifiedTime": modified}})

    def list_prepared_statements(self) -> str:
        workgroup = self._get_param("WorkGroup")
        self.backend.work_group(workgroup)
        found = [
            {"StatementName": name, "LastModifiedTime": modified}
            for (group, name), (_, _, modified) in sorted(self.backend.prepared.items())
            if group == workgroup
        ]
        return json.dumps({"PreparedStatements": found})

    def delete_prepared_statement(self) -> str:
        self._statement(self._statement_key())
        del self.backend.prepared[self._statement_key()]
        return "{}"

    def _statement_key(self) -> tuple[str, str]:
        workgroup = self._get_param("WorkGroup")
        self.backend.work_group(workgroup)
        return workgroup, self._get_param("StatementName").lower()

    def _statement(self, key: tuple[str, str]) -> tuple[str, str, float]:
        if key not in self.backend.prepared:
            raise ResourceNotFoundException(f"PreparedStatement {key[1]} was not found in WorkGroup {key[0]}")
        return self.backend.prepared[key]

    def stop_query_execution(self) -> str:
        self.backend.stop_query_execution(self._get_param("QueryExecutionId"))
        return "{}"
