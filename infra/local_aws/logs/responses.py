"""CloudWatch Logs' requests that moto lacks, or carries out otherwise than AWS."""

import json
from collections.abc import Sequence
from typing import Any

from moto.firehose.models import firehose_backends
from moto.logs.responses import LogsResponse as MotoResponse

from local_aws.logs.exceptions import InvalidParameterException, NotImplementedHere
from local_aws.logs.filter_patterns import parse
from local_aws.logs.models import check_pattern
from local_aws.responses import CheckedResponse

EXECUTED = {
    *("PutLogEvents", "FilterLogEvents", "DescribeLogGroups", "DeleteLogGroup"),
    *("PutMetricFilter", "DescribeMetricFilters", "DeleteMetricFilter", "TestMetricFilter"),
    "PutSubscriptionFilter",
    *("StartQuery", "GetQueryResults", "DescribeQueries"),
    *("PutQueryDefinition", "DescribeQueryDefinitions", "DeleteQueryDefinition"),
}
KEPT_BY_MOTO = {
    *("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "DeleteLogStream", "GetLogEvents"),
    *("PutRetentionPolicy", "DeleteRetentionPolicy"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DeleteResourcePolicy"),
    *("TagResource", "UntagResource", "ListTagsForResource", "TagLogGroup", "UntagLogGroup", "ListTagsLogGroup"),
    *("DescribeSubscriptionFilters", "DeleteSubscriptionFilter"),
    *("CreateExportTask", "DescribeExportTasks", "CancelExportTask"),
}
PAGE_FILTERS, PAGE_DEFINITIONS = 50, 1000


class LogsResponse(CheckedResponse, MotoResponse):
    """moto's, with metric filters that make metrics, and patterns that filter."""

    carried_out = EXECUTED | KEPT_BY_MOTO
    invalid = "InvalidParameterException"

    def call_action(self) -> Any:
        status, headers, body = super().call_action()
        if isinstance(body, str) and body.startswith("{"):  # moto answers with null for what AWS leaves out
            body = json.dumps(_without_nulls(json.loads(body)))
        return status, headers, body

    def describe_export_tasks(self) -> str:
        task = self._request().get("taskId")
        if task and task not in self.logs_backend.export_tasks:
            raise InvalidParameterException("The specified export task does not exist.")
        return str(super().describe_export_tasks())

    def put_metric_filter(self) -> str:
        request = self._request()
        for transformation in request["metricTransformations"]:
            if transformation.get("dimensions") and transformation.get("defaultValue") is not None:
                raise InvalidParameterException(
                    "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
                )
        self.logs_backend.put_filter(request)
        return ""

    def describe_metric_filters(self) -> str:
        request = self._request()
        if bool(request.get("metricName")) != bool(request.get("metricNamespace")):
            raise InvalidParameterException("metricName and metricNamespace must be specified together.")
        found = [
            kept
            for (group, name), kept in sorted(self.logs_backend.metric_filters.items())
            if request.get("logGroupName") in (None, group)
            and name.startswith(request.get("filterNamePrefix") or "")
            and request.get("metricName") in (None, kept["metricTransformations"][0]["metricName"])
            and request.get("metricNamespace") in (None, kept["metricTransformations"][0]["metricNamespace"])
        ]
        return self._page("metricFilters", found, request.get("limit") or PAGE_FILTERS)

    def test_metric_filter(self) -> str:
        request = self._request()
        check_pattern(request["filterPattern"])
        pattern = parse(request["filterPattern"])
        matches = [
            {"eventNumber": number, "eventMessage": message, "extractedValues": dict(match.extracted)}
            for number, message in enumerate(request["logEventMessages"], start=1)
            if (match := pattern.match(message))
        ]
        return json.dumps({"matches": matches})

    def describe_log_groups(self) -> str:
        answer = json.loads(super().describe_log_groups())
        names = [group for group, _ in self.logs_backend.metric_filters]
        for group in answer["logGroups"]:
            group["metricFilterCount"] = names.count(group["logGroupName"])
        return json.dumps(answer)

    def put_subscription_filter(self) -> str:
        request = self._request()
        check_pattern(request["filterPattern"])
        if not request["destinationArn"].startswith("arn:") or request["destinationArn"].count(":") < 5:
            raise InvalidParameterException(f"destinationArn {request['destinationArn']} is no ARN.")
        stream = firehose_backends[self.current_account][self.region].lookup_name_from_arn(request["destinationArn"])
        if stream and "S3" not in stream.destinations[0]:  # moto would fail at every event of the group
            what = "PutSubscriptionFilter to a Firehose stream that does not deliver to S3"
            raise NotImplementedHere(what, "Read events by FilterLogEvents.")
        return str(super().put_subscription_filter())

    def filter_log_events(self) -> str:
        request, backend = self._request(), self.logs_backend
        check_pattern(request.get("filterPattern") or "")
        group = _group_name(request.get("logGroupName") or request.get("logGroupIdentifier") or "")
        backend.check_group(group)
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
        if names and prefix:
            raise InvalidParameterException("Specify either logStreamNames or logStreamNamePrefix, not both.")
        if prefix:
            names = [name for name in backend.groups[group].streams if name.startswith(prefix)]
            if not names:
                return json.dumps({"events": [], "searchedLogStreams": []})
        range_ = (request.get("startTime"), request.get("endTime"), request.get("limit"), request.get("nextToken"))
        events, token, _ = backend.filter_log_events(group, names or [], *range_, request.get("filterPattern"), True)
        return json.dumps({"events": events, "nextToken": token, "searchedLogStreams": []})

    def start_query(self) -> str:
        request = self._request()
        given = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if request.get(name)]
        if len(given) != 1:
            raise InvalidParameterException(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."
            )
        if request.get("queryLanguage", "CWLI") != "CWLI":
            raise NotImplementedHere(f"The query language {request['queryLanguage']}")
        names = request[given[0]] if isinstance(request[given[0]], list) else [request[given[0]]]
        groups = [_group_name(name) for name in names]
        return json.dumps({"queryId": self.logs_backend.start_insights_query(request, groups)})

    def get_query_results(self) -> str:
        query = self.logs_backend.insights_query(self._request()["queryId"])
        answer = {name: query[name] for name in ("results", "statistics")}
        return json.dumps({"queryLanguage": "CWLI", **answer, "status": "Complete"})

    def describe_queries(self) -> str:
        request = self._request()
        found = [
            {
                "queryLanguage": "CWLI",
                "queryId": query["queryId"],
                "queryString": query["queryString"],
                "status": "Complete",
                "createTime": query["createTime"],
                "logGroupName": query["logGroupNames"][0],
            }
            for query in reversed(self.logs_backend.insights_queries.values())
            if request.get("logGroupName") in (None, *query["logGroupNames"])
            and request.get("status") in (None, "Complete")
        ]
        return self._page("queries", found, request.get("maxResults") or PAGE_DEFINITIONS)

    def put_query_definition(self) -> str:
        return json.dumps({"queryDefinitionId": self.logs_backend.put_query_definition(self._request())})

    def describe_query_definitions(self) -> str:
        request = self._request()
        found = [
            definition
            for definition in self.logs_backend.query_definitions.values()
            if definition["name"].startswith(request.get("queryDefinitionNamePrefix") or "")
            and request.get("queryLanguage") in (None, definition["queryLanguage"])
        ]
        return self._page("queryDefinitions", found, request.get("maxResults") or PAGE_DEFINITIONS)

    def delete_query_definition(self) -> str:
        self.logs_backend.delete_query_definition(self._request()["queryDefinitionId"])
        return json.dumps({"success": True})

    def _request(self) -> dict[str, Any]:
        return dict(json.loads(self.body or "{}"))

    def _page(self, member: str, items: Sequence[Any], limit: int) -> str:
        token = self._request().get("nextToken") or "0"
        if not token.isdecimal():
            raise InvalidParameterException("The specified nextToken is invalid.")
        first = int(token)
        more = {"nextToken": str(first + limit)} if first + limit < len(items) else {}
        return json.dumps({member: items[first : first + limit], **more})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return value


def _group_name(identifier: str) -> str:
    """The name of a log group that is named, or whose ARN is given."""
    return identifier.removesuffix(":*").rpartition(":log-group:")[2]
