"""Athena's requests: carried out, left to moto, or refused; those about queries are here."""

import json
import time
from typing import Any

from local_aws.athena.exceptions import InvalidRequestException, ResourceNotFoundException
from local_aws.athena.metadata import MetadataResponse
from local_aws.athena.models import PATIENCE_SECONDS
from local_aws.athena.settings import reuse_by_age
from local_aws.athena.workgroups import page
from local_aws.responses import CheckedResponse

EXECUTED = {
    *("StartQueryExecution", "GetQueryExecution", "BatchGetQueryExecution", "ListQueryExecutions"),
    *("StopQueryExecution", "GetQueryResults", "GetQueryRuntimeStatistics"),
    *("CreatePreparedStatement", "GetPreparedStatement", "BatchGetPreparedStatement", "ListPreparedStatements"),
    *("UpdatePreparedStatement", "DeletePreparedStatement"),
    *("CreateNamedQuery", "GetNamedQuery", "BatchGetNamedQuery", "ListNamedQueries"),
    *("UpdateNamedQuery", "DeleteNamedQuery"),
    *("CreateWorkGroup", "GetWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup", "ListEngineVersions"),
    *("TagResource", "UntagResource", "ListTagsForResource"),
    *("GetDataCatalog", "ListDataCatalogs", "GetDatabase", "ListDatabases", "GetTableMetadata", "ListTableMetadata"),
}
KEPT_BY_MOTO = {"ListWorkGroups"}


class ExecutingAthenaResponse(CheckedResponse, MetadataResponse):
    """moto's, with the operations that moto lacks, and without those that it only pretends to carry out."""

    carried_out = EXECUTED | KEPT_BY_MOTO
    invalid = "InvalidRequestException"

    def start_query_execution(self) -> str:
        query_id = self.backend.start_query(
            self._get_param("QueryString"),
            self._get_param("QueryExecutionContext") or {},
            self._get_param("ResultConfiguration") or {},
            self._get_param("WorkGroup") or "primary",
            self._get_param("ExecutionParameters") or [],
            self._get_param("ClientRequestToken"),
            reuse_by_age(self._get_param("ResultReuseConfiguration") or {}),
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
        return json.dumps({"QueryRuntimeStatistics": execution.runtime_statistics()})

    def list_query_executions(self) -> str:
        workgroup = self._get_param("WorkGroup") or "primary"
        self.backend.work_group(workgroup)
        newest_first = sorted(self.backend.queries.values(), key=lambda q: q.submitted_at, reverse=True)
        ids = [q.request.id for q in newest_first if q.workgroup_name == workgroup]
        found, following = page(ids, int(self._get_param("MaxResults") or 50), self._get_param("NextToken"))
        return json.dumps({"QueryExecutionIds": found, **following})

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
        return json.dumps(
            {"PreparedStatement": _described(self._get_param("StatementName"), key, self._statement(key))}
        )

    def batch_get_prepared_statement(self) -> str:
        workgroup, known = self.backend.work_group(self._get_param("WorkGroup")).name, self.backend.prepared
        found, missing = [], []
        for name in self._get_param("PreparedStatementNames"):
            key = (workgroup, name.lower())
            if key in known:
                found.append(_described(name, key, known[key]))
            else:
                message = f"PreparedStatement {name} was not found in WorkGroup {workgroup}"
                error = {"ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": message}
                missing.append({"StatementName": name, **error})
        return json.dumps({"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing})

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


def _described(name: str, key: tuple[str, str], statement: tuple[str, str, float]) -> dict[str, Any]:
    text, description, modified = statement
    found = {"StatementName": name, "QueryStatement": text, "WorkGroupName": key[0]}
    return {**found, "LastModifiedTime": modified} | ({"Description": description} if description else {})
