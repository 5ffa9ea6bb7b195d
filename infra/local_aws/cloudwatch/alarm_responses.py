"""Requests about alarms."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse as MotoResponse
from moto.core.responses import ActionResult, EmptyResult

from local_aws.cloudwatch import limits
from local_aws.cloudwatch.alarms import Alarm, CompositeAlarm, MetricAlarm
from local_aws.cloudwatch.composites import children, parents
from local_aws.cloudwatch.evaluation import Verdict
from local_aws.cloudwatch.exceptions import InvalidFormat, InvalidNextToken, InvalidParameterValue, ValidationError
from local_aws.cloudwatch.metrics import dimensions, seconds

PAGE_ALARMS, PAGE_HISTORY = 50, 100


class AlarmResponse(MotoResponse):
    """moto's, with alarms that evaluate."""

    def put_metric_alarm(self) -> ActionResult:
        request = self._request()
        limits.check_metric_alarm(request)
        self.cloudwatch_backend.put_alarm(MetricAlarm, request)
        return EmptyResult()

    def put_composite_alarm(self) -> ActionResult:
        request = self._request()
        limits.check_composite_alarm(request, self.cloudwatch_backend.alarms)
        self.cloudwatch_backend.put_alarm(CompositeAlarm, request)
        return EmptyResult()

    def describe_alarms(self) -> ActionResult:
        request = self._request()
        for relation in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if request.get(relation):
                return self._related(relation, request)
        kinds = request.get("AlarmTypes") or ["MetricAlarm"]
        found = [alarm for alarm in self._alarms(request) if alarm.kind in kinds]
        shown, token = self._page(found, request.get("MaxRecords") or PAGE_ALARMS)
        return ActionResult(_by_kind(shown, dict) | token)

    def _related(self, relation: str, request: Mapping[str, Any]) -> ActionResult:
        if others := request.keys() - {relation, "MaxRecords", "NextToken"}:
            raise ValidationError(f"{relation} cannot be specified together with {', '.join(sorted(others))}.")
        known = self.cloudwatch_backend.alarms
        alarm = known.get(request[relation])
        shown = ["AlarmName", "AlarmArn"]
        if relation == "ParentsOfAlarmName":
            found = [parent for parent in parents(request[relation], known) if request[relation] in children(parent)]
        else:
            shown += ["StateValue", "StateUpdatedTimestamp"]
            found = [known[name] for name in children(alarm)] if isinstance(alarm, CompositeAlarm) else []
        page, token = self._page(found, request.get("MaxRecords") or PAGE_ALARMS)
        return ActionResult(_by_kind(page, lambda described: {name: described[name] for name in shown}) | token)

    def _alarms(self, request: Mapping[str, Any]) -> list[Alarm]:
        found = sorted(self.cloudwatch_backend.alarms.values(), key=lambda alarm: alarm.name)
        if names := request.get("AlarmNames"):
            found = [alarm for alarm in found if alarm.name in names]
        if prefix := request.get("AlarmNamePrefix"):
            found = [alarm for alarm in found if alarm.name.startswith(prefix)]
        if state := request.get("StateValue"):
            found = [alarm for alarm in found if alarm.state_value == state]
        if action := request.get("ActionPrefix"):
            found = [alarm for alarm in found if any(arn.startswith(action) for arn in alarm.all_actions)]
        return found

    def describe_alarms_for_metric(self) -> ActionResult:
        request = self._request()
        compared = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit")
        wanted = {name: request[name] for name in compared if request.get(name)}
        found = [
            alarm.described()
            for alarm in list(self.cloudwatch_backend.alarms.values())
            if isinstance(alarm, MetricAlarm)
            and wanted.items() <= {name: alarm.request.get(name) for name in compared}.items()
            and dimensions(alarm.request.get("Dimensions")) == dimensions(request.get("Dimensions"))
        ]
        return ActionResult({"MetricAlarms": found})

    def describe_alarm_history(self) -> ActionResult:
        request = self._request()
        kinds = request.get("AlarmTypes") or ["MetricAlarm"]
        start, end = (seconds(request[name]) if request.get(name) else None for name in ("StartDate", "EndDate"))
        found = [
            item
            for item in self.cloudwatch_backend.history
            if request.get("AlarmName") in (None, item["AlarmName"])
            and request.get("HistoryItemType") in (None, item["HistoryItemType"])
            and (request.get("AlarmName") or item["AlarmType"] in kinds)
            and (start is None or item["Timestamp"].timestamp() >= start)
            and (end is None or item["Timestamp"].timestamp() <= end)
        ]
        if request.get("ScanBy") != "TimestampAscending":
            found.reverse()
        items, token = self._page(found, request.get("MaxRecords") or PAGE_HISTORY)
        return ActionResult({"AlarmHistoryItems": items, **token})

    def delete_alarms(self) -> ActionResult:
        self.cloudwatch_backend.delete_alarms(self._request()["AlarmNames"])
        return EmptyResult()

    def enable_alarm_actions(self) -> ActionResult:
        self.cloudwatch_backend.switch_actions(self._request()["AlarmNames"], True)
        return EmptyResult()

    def disable_alarm_actions(self) -> ActionResult:
        self.cloudwatch_backend.switch_actions(self._request()["AlarmNames"], False)
        return EmptyResult()

    def set_alarm_state(self) -> ActionResult:
        request = self._request()
        data = request.get("StateReasonData")
        try:
            json.loads(data or "{}")
        except ValueError as error:
            raise InvalidFormat(f"StateReasonData is no JSON: {error}") from error
        verdict = Verdict(request["StateValue"], request["StateReason"], data)
        self.cloudwatch_backend.set_state(request["AlarmName"], verdict)
        return EmptyResult()

    def _request(self) -> dict[str, Any]:
        return dict(self._get_params())

    def _first(self) -> int:
        token = self._request().get("NextToken") or "0"
        if not token.isdecimal():
            if self._get_action() == "ListMetrics":  # has no error of its own for it
                raise InvalidParameterValue("The next token is invalid.")
            raise InvalidNextToken
        return int(token)

    def _page(self, items: Sequence[Any], limit: int) -> tuple[Sequence[Any], dict[str, str]]:
        first = self._first()
        more = first + limit < len(items)
        return items[first : first + limit], {"NextToken": str(first + limit)} if more else {}


def _by_kind(alarms: Sequence[Alarm], shown: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return {
        f"{kind}s": [shown(alarm.described()) for alarm in alarms if alarm.kind == kind]
        for kind in ("MetricAlarm", "CompositeAlarm")
    }
