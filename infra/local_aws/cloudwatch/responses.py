"""CloudWatch's requests: checked against the API's model, then carried out, left to moto, or refused."""

import time
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from local_aws.cloudwatch import limits, queries
from local_aws.cloudwatch.alarm_responses import AlarmResponse
from local_aws.cloudwatch.exceptions import InvalidParameterValue
from local_aws.cloudwatch.metrics import seconds
from local_aws.responses import CheckedResponse

EXECUTED = {
    *("PutMetricAlarm", "PutCompositeAlarm", "DescribeAlarms", "DescribeAlarmsForMetric"),
    *("DescribeAlarmHistory", "DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions", "SetAlarmState"),
    *("PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
}
KEPT_BY_MOTO = {
    *("PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards"),
    *("ListTagsForResource", "TagResource", "UntagResource"),
}
MOST_DATAPOINTS = 100_800  # of one answer to GetMetricData


class CloudWatchResponse(CheckedResponse, AlarmResponse):
    """moto's, with the operations that moto lacks, and without those that it only pretends to carry out."""

    carried_out = EXECUTED | KEPT_BY_MOTO
    speaks_query = True  # as Terraform does
    invalid = "ValidationError"

    def document(self) -> Any:
        return self._request()

    def put_metric_data(self) -> ActionResult:
        request = self._request()
        limits.check_metric_data(request, time.time())
        self.cloudwatch_backend.put_metric_data(request["Namespace"], request["MetricData"])
        return EmptyResult()

    def get_metric_statistics(self) -> ActionResult:
        request, start, end = self._ranged()
        limits.check_metric_statistics(request, start, end)
        store = self.cloudwatch_backend.known_metrics([request["Namespace"]])
        points = queries.metric_statistics(store, request, start, end, time.time())
        return ActionResult({"Label": request["MetricName"], "Datapoints": points})

    def get_metric_data(self) -> ActionResult:
        request, start, end = self._ranged()
        limits.check_queries(request["MetricDataQueries"], "MetricDataQueries")
        limits.check_range(request["MetricDataQueries"], start, end)
        results = queries.metric_data(
            self.cloudwatch_backend.known_metrics(),
            request["MetricDataQueries"],
            lambda period: queries.aligned(start, period, time.time()),
            end,
        )
        first, limit = self._first(), request.get("MaxDatapoints") or MOST_DATAPOINTS
        found, more = queries.page(results, first, limit, request.get("ScanBy") != "TimestampAscending")
        return ActionResult({"MetricDataResults": found} | ({"NextToken": str(first + limit)} if more else {}))

    def list_metrics(self) -> ActionResult:
        request = self._request()
        if not (request.get("NextToken") or "0").isdecimal():
            raise InvalidParameterValue("Request parameter NextToken is invalid")
        store = self.cloudwatch_backend.known_metrics([request.get("Namespace")])
        found = queries.metrics(store, request, time.time())
        keys, token = self._page(found, queries.PAGE_METRICS)
        metrics = [
            {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": n, "Value": v} for n, v in own]}
            for namespace, name, own in keys
        ]
        return ActionResult({"Metrics": metrics, **token})

    def _ranged(self) -> tuple[dict[str, Any], float, float]:
        request = self._request()
        return request, seconds(request["StartTime"]), seconds(request["EndTime"])
