"""The messages that CloudWatch publishes to SNS about a change of state."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session

from local_aws.cloudwatch.alarms import Alarm, MetricAlarm
from local_aws.cloudwatch.evaluation import timestamp


@cache
def region_names() -> dict[str, str]:
    """What AWS calls its regions in sentences: "US East (N. Virginia)"."""
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    return {code: region["description"] for part in partitions for code, region in part["regions"].items()}


def subject(alarm: Alarm, region: str) -> str:
    """The notification's subject, as short as SNS takes it."""
    return f'{alarm.state_value}: "{alarm.name}" in {region_names().get(region, region)}'[:100]


def message(
    alarm: Alarm, old_state: str, account: str, region: str, triggering: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The notification's text: one JSON document."""
    body: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.request.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configuration_updated),
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": timestamp(alarm.state_updated),
        "Region": region_names().get(region, region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old_state,
        **{name: alarm.request[name] for name in ("OKActions", "AlarmActions", "InsufficientDataActions")},
    }
    if isinstance(alarm, MetricAlarm):
        body["Trigger"] = _trigger(alarm)
    else:
        body |= {"AlarmRule": alarm.request["AlarmRule"], "TriggeringChildren": list(triggering)}
    return json.dumps(body)


def event(alarm: Alarm, old: Mapping[str, Any], old_since: float) -> dict[str, Any]:
    """The entry of EventBridge's PutEvents that tells of a change of state; `old` is the state before."""
    configuration: dict[str, Any] = {}
    if alarm.request.get("AlarmDescription"):
        configuration["description"] = alarm.request["AlarmDescription"]
    if isinstance(alarm, MetricAlarm):
        configuration["metrics"] = [_event_query(query) for query in alarm.queries]
    else:
        configuration["alarmRule"] = alarm.request["AlarmRule"]
    detail = {
        "alarmName": alarm.name,
        "configuration": configuration,
        "previousState": _event_state(old["stateValue"], old["stateReason"], old.get("stateReasonData"), old_since),
        "state": _event_state(
            alarm.state_value, alarm.state_reason, json.loads(alarm.state_reason_data or "null"), alarm.state_updated
        ),
    }
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm.alarm_arn],
        "Detail": json.dumps(detail),
    }


def _event_state(value: str, reason: str, data: Any, since: float) -> dict[str, Any]:
    known = {"reasonData": json.dumps(data)} if data else {}
    return {"value": value, "reason": reason, **known, "timestamp": timestamp(since)}


def _event_query(query: Mapping[str, Any]) -> dict[str, Any]:
    returned = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if not query.get("MetricStat"):
        return {**returned, "expression": query["Expression"]}
    stat = query["MetricStat"]
    own = {dimension["Name"]: dimension["Value"] for dimension in stat["Metric"].get("Dimensions") or []}
    metric = {"namespace": stat["Metric"]["Namespace"], "name": stat["Metric"]["MetricName"], "dimensions": own}
    return {**returned, "metricStat": {"metric": metric, "period": stat["Period"], "stat": stat["Stat"]}}


def _trigger(alarm: MetricAlarm) -> dict[str, Any]:
    request = alarm.request
    rule = {
        "Period": alarm.period,
        "EvaluationPeriods": request["EvaluationPeriods"],
        "DatapointsToAlarm": request.get("DatapointsToAlarm") or request["EvaluationPeriods"],
        "ComparisonOperator": request["ComparisonOperator"],
        "Threshold": float(request["Threshold"]),
        "TreatMissingData": request.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": request.get("EvaluateLowSampleCountPercentile") or "",
    }
    if "Metrics" in request:
        return {**rule, "Metrics": [_query(query) for query in request["Metrics"]]}
    statistic = request.get("Statistic")
    kind = {"StatisticType": "Statistic", "Statistic": statistic.upper()} if statistic else {
        "StatisticType": "ExtendedStatistic", "ExtendedStatistic": request["ExtendedStatistic"]
    }  # fmt: skip
    return {
        "MetricName": request["MetricName"],
        "Namespace": request["Namespace"],
        **kind,
        "Unit": request.get("Unit"),
        "Dimensions": _dimensions(request["Dimensions"]),
        **rule,
    }


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    stat = query.get("MetricStat")
    if not stat:
        return dict(query)
    metric = stat["Metric"] | {"Dimensions": _dimensions(stat["Metric"].get("Dimensions") or [])}
    return {**query, "MetricStat": {**stat, "Metric": metric}}


def _dimensions(given: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"value": dimension["Value"], "name": dimension["Name"]} for dimension in given]
