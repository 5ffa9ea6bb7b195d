"""moto's CloudWatch Logs, except that metric filters and embedded metrics make metrics, and patterns filter."""

import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import moto.logs.models
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.logs.models import LogsBackend, LogStream
from moto.logs.models import logs_backends as logs_backends

from local_aws import authorization
from local_aws.kms import keys
from local_aws.logs import embedded_metrics, insights
from local_aws.logs.conditions import PatternError
from local_aws.logs.exceptions import (
    AccessDeniedException,
    InvalidParameterException,
    MalformedQueryException,
    NotImplementedHere,
    ResourceNotFoundException,
)
from local_aws.logs.filter_patterns import parse
from local_aws.logs.insights_filters import QueryError
from local_aws.logs.metric_filters import metric_data

_lock = threading.Lock()  # one for the process: backends are plain data, so that they can be pickled


class FilteringLogsBackend(LogsBackend):
    """moto's CloudWatch Logs, except that metric filters and embedded metrics make metrics, and patterns filter."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.metric_filters: dict[tuple[str, str], dict[str, Any]] = {}  # by log group and name
        self.filled: dict[tuple[str, str], int] = {}  # the last minute in which each has made a metric
        self.insights_queries: dict[str, dict[str, Any]] = {}
        self.query_definitions: dict[str, dict[str, Any]] = {}

    def create_log_group(self, log_group_name: str, tags: dict[str, str], **options: Any) -> Any:
        if options.get("kmsKeyId"):
            self._check_key(log_group_name, options["kmsKeyId"])
        return super().create_log_group(log_group_name, tags, **options)

    def _check_key(self, log_group_name: str, key_id: str) -> None:
        """AccessDeniedException unless the key lets CloudWatch Logs use it for the group."""
        group = f"arn:{self.partition}:logs:{self.region_name}:{self.account_id}:log-group:{log_group_name}"
        logs = authorization.service(f"logs.{self.region_name}.amazonaws.com")
        key = keys.key_arn(self.account_id, self.region_name, key_id)
        try:
            keys.use(logs, ("kms:GenerateDataKey", "kms:Decrypt"), key, {"kms:EncryptionContext:aws:logs:arn": group})
        except ServiceException as refusal:
            raise AccessDeniedException(
                f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
            ) from refusal

    def put_log_events(
        self, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        token, rejected = super().put_log_events(log_group_name, log_stream_name, log_events)
        newest, oldest = rejected.get("tooNewLogEventStartIndex"), rejected.get("tooOldLogEventEndIndex")
        accepted = log_events[(-1 if oldest is None else oldest) + 1 : newest]
        for key, metric_filter in list(self.metric_filters.items()):
            if key[0] != log_group_name:
                continue
            with _lock:
                data, self.filled[key] = metric_data(metric_filter, accepted, self.filled.get(key, 0))
            if data:
                self._put(metric_filter["metricTransformations"][0]["metricNamespace"], data)
        for event in accepted:
            self._extract_metrics(log_group_name, event["message"])
        return token, rejected

    def _extract_metrics(self, log_group_name: str, message: str) -> None:
        """Put the metrics embedded in an event; one that breaks the format's rules counts as AWS counts it."""
        try:
            found = embedded_metrics.metric_data(message)
        except embedded_metrics.EmbeddedMetricError as error:
            print(f"{log_group_name}: an event's embedded metrics are not taken: {error}", file=sys.stderr, flush=True)
            group = [{"Name": "LogGroupName", "Value": log_group_name}]
            found = [("AWS/Logs", [{"MetricName": "EMFValidationErrors", "Value": 1.0, "Dimensions": group}])]
        for namespace, data in found:
            self._put(namespace, data)

    def _put(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        cloudwatch_backends[self.account_id][self.region_name].put_metric_data(namespace, data)

    def put_filter(self, request: Mapping[str, Any]) -> None:
        """Create a metric filter, or replace the one of its name."""
        self.check_group(request["logGroupName"])
        check_pattern(request["filterPattern"])
        key = (request["logGroupName"], request["filterName"])
        before = self.metric_filters.get(key, {})
        now = {"creationTime": before.get("creationTime", _milliseconds())}
        self.metric_filters[key] = {**request, **now}

    def delete_metric_filter(self, filter_name: str | None = None, log_group_name: str | None = None) -> None:
        key = (log_group_name or "", filter_name or "")
        if key not in self.metric_filters:
            raise ResourceNotFoundException("The specified metric filter does not exist.")
        del self.metric_filters[key]

    def delete_log_group(self, log_group_name: str) -> None:
        super().delete_log_group(log_group_name)
        self.metric_filters = {key: kept for key, kept in self.metric_filters.items() if key[0] != log_group_name}

    def put_query_definition(self, request: Mapping[str, Any]) -> str:
        """Id of the query definition, new or changed."""
        known = request.get("queryDefinitionId")
        if known and known not in self.query_definitions:
            raise ResourceNotFoundException("The specified query definition does not exist.")
        given = {name: value for name, value in request.items() if name != "clientToken"}
        definition = {"queryDefinitionId": known or str(uuid.uuid4()), "queryLanguage": "CWLI", **given}
        self.query_definitions[definition["queryDefinitionId"]] = definition | {"lastModified": _milliseconds()}
        return str(definition["queryDefinitionId"])

    def delete_query_definition(self, definition_id: str) -> None:
        """Delete a query definition; ResourceNotFoundException where there is none of that id."""
        if self.query_definitions.pop(definition_id, None) is None:
            raise ResourceNotFoundException("The specified query definition does not exist.")

    def start_insights_query(self, request: Mapping[str, Any], groups: Sequence[str]) -> str:
        """Id of a query that has been run over the log groups of these names."""
        query = _insights(request["queryString"])
        query.limit = min(query.limit, request.get("limit") or insights.MOST_ROWS)
        for group in groups:
            self.check_group(group)
        rows = [row for group in groups for row in self._rows(group, request["startTime"], request["endTime"])]
        results, matched = insights.run(query, rows)
        record = {
            "queryId": str(uuid.uuid4()),
            "queryString": request["queryString"],
            "logGroupNames": list(groups),
            "createTime": _milliseconds(),
            "results": results,
            "statistics": {
                "recordsMatched": float(matched),
                "recordsScanned": float(len(rows)),
                "bytesScanned": float(sum(len(row["@message"].encode()) for row in rows)),
            },
        }
        self.insights_queries[record["queryId"]] = record
        return str(record["queryId"])

    def insights_query(self, query_id: str) -> dict[str, Any]:
        """The record of a query; ResourceNotFoundException where there is none of that id."""
        if query_id not in self.insights_queries:
            raise ResourceNotFoundException("The specified query does not exist.")
        return self.insights_queries[query_id]

    def _rows(self, group: str, start: int, end: int) -> Iterator[insights.Row]:
        for name, stream in list(self.groups[group].streams.items()):
            for event in list(stream.events):
                if start * 1000 <= event.timestamp <= end * 1000:
                    members = {"timestamp": event.timestamp, "message": event.message}
                    members |= {"ingestionTime": event.ingestion_time, "eventId": event.event_id}
                    yield insights.row(members, name, f"{self.account_id}:{group}")

    def check_group(self, name: str) -> None:
        """ResourceNotFoundException where there is no log group of that name."""
        if name not in self.groups:
            raise ResourceNotFoundException


def check_pattern(text: str) -> None:
    """InvalidParameterException where the text is no filter pattern."""
    try:
        parse(text)
    except PatternError as error:
        raise InvalidParameterException(f"Invalid filter pattern: {error}") from error


def _insights(text: str) -> insights.Query:
    try:
        return insights.parse(text)
    except QueryError as error:
        raise MalformedQueryException(str(error)) from error
    except insights.NotHere as what:
        raise NotImplementedHere(f"{what} in a query of Logs Insights") from what


class EventMessageFilter:
    """What stands in moto's place of that name, which takes each pattern but the simplest for one that all events
    match."""

    def __init__(self, pattern: str | None) -> None:
        self._pattern = parse(pattern or "")

    def matches(self, message: str) -> bool:
        """Whether an event with that message matches."""
        return self._pattern.match(message) is not None


_send_log_events = LogStream._send_log_events


def send_log_events(stream: Any, service: str, destination_arn: str, filter_name: str, log_events: list[Any]) -> None:
    """moto's method of that name, which sends what a subscription's pattern does not match too."""
    pattern = parse(stream.log_group.subscription_filters[filter_name].filter_pattern)
    if matching := [event for event in log_events if pattern.match(event["message"])]:
        _send_log_events(stream, service, destination_arn, filter_name, matching)


def _milliseconds() -> int:
    return int(time.time() * 1000)


def install() -> None:
    """Put the filtering backend, and the filters of patterns, in moto's place."""
    logs_backends.clear()
    logs_backends.backend = FilteringLogsBackend
    moto.logs.models.EventMessageFilter = EventMessageFilter
    LogStream._send_log_events = send_log_events
