"""moto's CloudWatch, except that alarms evaluate on what arrives, and act."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.models import cloudwatch_backends as cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.core.utils import camelcase_to_pascal, underscores_to_camelcase
from moto.events.models import events_backends

from local_aws.authorization import AccessDenied
from local_aws.cloudwatch import alarms as records
from local_aws.cloudwatch import evaluation, notifications
from local_aws.cloudwatch.alarm_rules import name_of
from local_aws.cloudwatch.alarms import Alarm, CompositeAlarm, MetricAlarm
from local_aws.cloudwatch.composites import evaluate, parents, suppression, triggering_children
from local_aws.cloudwatch.evaluation import Datapoint, Rule, Verdict, has_few_samples, last_boundary
from local_aws.cloudwatch.exceptions import ResourceNotFound, ResourceNotFoundException, ValidationError
from local_aws.cloudwatch.metrics import MetricStore, key_of
from local_aws.cloudwatch.queries import metric_data
from local_aws.cloudwatch.series import MathError
from local_aws.gate import gate
from local_aws.sns.models import publish_for

logger = logging.getLogger(__name__)

SERVICE = "cloudwatch.amazonaws.com"
EVALUATION_SECONDS = 1.0
MEASURED = ("AWS/S3",)  # the namespaces of moto's own metrics, which take a look at every object
# One for the process, not one a backend: backends are plain data, so that they can be pickled.
_lock = threading.RLock()


class AlarmingCloudWatchBackend(CloudWatchBackend):
    """moto's CloudWatch, except that alarms evaluate on what arrives, and act."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.alarms: dict[str, Alarm] = {}
        self.history: list[dict[str, Any]] = []
        self.store = MetricStore()

    def put_metric_data(self, namespace: str, metric_data: Sequence[Mapping[str, Any]]) -> None:
        with _lock:
            for datum in metric_data:
                self.store.put(namespace, datum, time.time())

    def known_metrics(self, namespaces: Collection[str | None] = (None,)) -> MetricStore:
        """What was put, and, where one of the namespaces asks for it, what services measure by themselves."""
        measured = self.aws_metric_data if {None, *MEASURED} & set(namespaces) else []
        if not measured:
            return self.store
        known = MetricStore()
        known.series = dict(self.store.series)
        for datum in measured:
            own = [{"Name": dimension.name, "Value": dimension.value} for dimension in datum.dimensions]
            known.put(
                datum.namespace,
                {"MetricName": datum.name, "Dimensions": own, "Value": datum.value, "Unit": datum.unit,
                 "Timestamp": datum.timestamp},
                time.time(),
            )  # fmt: skip
        return known

    def put_alarm(self, kind: type[Alarm], request: Mapping[str, Any]) -> Alarm:
        """Create or update the alarm that a Put request describes."""
        name, now = request["AlarmName"], time.time()
        with _lock:
            alarm = self.alarms.get(name)
            change = "Update" if alarm else "Create"
            if alarm and not isinstance(alarm, kind):
                raise ValidationError(f"The alarm {name} is not a {kind.kind}.")
            if alarm:
                alarm.configure(request, now)
            else:
                arn = f"arn:{self.partition}:cloudwatch:{self.region_name}:{self.account_id}:alarm:{name}"
                alarm = self.alarms[name] = kind(request, arn, now)
                if request.get("Tags"):
                    self.tagger.tag_resource(arn, request["Tags"])
            self._note(records.configuration_item(alarm, change, now))
            self.evaluate_alarms(now)
        return alarm

    def alarm(self, name: str) -> Alarm:
        """The alarm of that name; ResourceNotFound where there is none."""
        if name not in self.alarms:
            raise ResourceNotFound("Unknown")
        return self.alarms[name]

    def delete_alarms(self, alarm_names: Sequence[str]) -> None:
        with _lock:
            self._check_dependents(alarm_names)
            for name in alarm_names:
                if alarm := self.alarms.pop(name, None):
                    self.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
                    self._note(records.configuration_item(alarm, "Delete", time.time()))

    def _check_dependents(self, names: Sequence[str]) -> None:
        composites = [name for name in names if isinstance(self.alarms.get(name), CompositeAlarm)]
        if len(composites) > 1:
            raise ValidationError("Only one composite alarm can be deleted in one request.")
        needed = [name for name in names if any(alarm.name not in names for alarm in parents(name, self.alarms))]
        if needed:
            it = "it" if len(needed) == 1 else "them"
            raise ValidationError(
                f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on {it}."
            )

    def switch_actions(self, names: Sequence[str], enabled: bool) -> None:
        """Let the alarms of these names act on changes of their state, or not."""
        with _lock:
            for alarm in [self.alarms[name] for name in names if name in self.alarms]:
                if alarm.request["ActionsEnabled"] != enabled:
                    alarm.request["ActionsEnabled"] = enabled
                    alarm.configuration_updated = time.time()
                    self._note(records.configuration_item(alarm, "Update", alarm.configuration_updated))

    def put_metric_alarm(self, **given: Any) -> Alarm:
        """What moto's other services call to make an alarm of their own."""
        members = {"name": "AlarmName", "description": "AlarmDescription", "metric_data_queries": "Metrics"}
        request = {
            members.get(name) or camelcase_to_pascal(underscores_to_camelcase(name)): value
            for name, value in given.items()
        }
        return self.put_alarm(MetricAlarm, {name: value for name, value in request.items() if value not in (None, [])})

    def list_tags_for_resource(self, arn: str) -> dict[str, str]:
        if not any(arn == alarm.alarm_arn for alarm in self.alarms.values()):
            raise ResourceNotFoundException(f"The resource {arn} does not exist.")
        return dict(self.tagger.get_tag_dict_for_resource(arn))

    def set_state(self, name: str, verdict: Verdict) -> None:
        """Put an alarm into a state until its next evaluation, with all that follows from it."""
        with _lock:
            self._enter(self.alarm(name), verdict, time.time())

    def evaluate_alarms(self, now: float) -> None:
        """Bring every alarm into the state that its metrics, or the alarms it names, lead to."""
        with _lock:
            for metric_alarm in [alarm for alarm in self.alarms.values() if isinstance(alarm, MetricAlarm)]:
                self._evaluate_metric_alarm(metric_alarm, now)
            composites = [alarm for alarm in self.alarms.values() if isinstance(alarm, CompositeAlarm)]
            for _ in composites:  # a change may lead to another, at most along all of them
                verdicts = [(alarm, verdict) for alarm in composites if (verdict := evaluate(alarm, self.alarms))]
                if not verdicts:
                    break
                for alarm, verdict in verdicts:
                    if verdict.state != alarm.state_value:
                        self._enter(alarm, verdict, now)
            for alarm in composites:
                self._release(alarm, now)

    def _evaluate_metric_alarm(self, alarm: MetricAlarm, now: float) -> None:
        rule, boundary = Rule.of(alarm.request), last_boundary(now, alarm.period)
        keys = [key_of(query["MetricStat"]["Metric"]) for query in alarm.queries if "MetricStat" in query]
        arrived = (boundary, [self.store.puts.get(key, 0) for key in keys])
        if alarm.evaluated and alarm.evaluated[0] == arrived:
            return
        try:
            datapoints = self._datapoints(alarm, boundary, rule.range)
        except MathError as error:  # what an expression comes to can depend on the values
            alarm.evaluated = (arrived, None)
            if alarm.state_value != "INSUFFICIENT_DATA":
                self._enter(alarm, Verdict("INSUFFICIENT_DATA", f"Error in an expression: {error}", None), now)
            return
        before, alarm.evaluated = alarm.evaluated, (arrived, datapoints)
        if before and (before[0][0], before[1]) == (boundary, datapoints):
            return  # what arrived lies in no period that has ended
        percentile = alarm.percentile_that_needs_samples
        if percentile and has_few_samples(rule, datapoints, percentile):
            return
        query = {name: alarm.request.get(name) for name in ("Unit", "Statistic", "ExtendedStatistic")}
        query["Period"] = alarm.period
        verdict = evaluation.evaluate(rule, datapoints, alarm.state_value, now, query)
        if verdict.state != alarm.state_value:
            self._enter(alarm, verdict, now)

    def _datapoints(self, alarm: MetricAlarm, end: float, count: int) -> list[Datapoint]:
        start = end - count * alarm.period
        namespaces = [query["MetricStat"]["Metric"]["Namespace"] for query in alarm.queries if "MetricStat" in query]
        results = metric_data(self.known_metrics(namespaces), alarm.queries, lambda _: start, end)
        returned = next(result for result in results if result.is_returned)
        found = {point.start: point for point in returned.datapoints}
        times = [start + number * alarm.period for number in range(count)]
        return [found.get(time, Datapoint(time, None)) for time in times]

    def _enter(self, alarm: Alarm, verdict: Verdict, now: float) -> None:
        with gate.changing():  # not each evaluation: a snapshot follows every change
            self._change_state(alarm, verdict, now)

    def _change_state(self, alarm: Alarm, verdict: Verdict, now: float) -> None:
        old, before = alarm.state(), alarm.state_updated
        alarm.set_state(verdict.state, verdict.reason, verdict.reason_data, now)
        self._note(records.state_item(alarm, old, now))
        if old["stateValue"] != verdict.state:
            event = notifications.event(alarm, old, before)
            self._start(alarm, self._announce, alarm, event)
        if isinstance(alarm, CompositeAlarm):
            self._release(alarm, now)
        elif old["stateValue"] != verdict.state:
            self._start_actions(alarm, old["stateValue"])

    def _release(self, alarm: CompositeAlarm, now: float) -> None:
        """Start the actions of a composite alarm's last change of state, unless its suppressor holds them back."""
        suppressor = self.alarms.get(name_of(alarm.request.get("ActionsSuppressor") or ""))
        held = suppression(alarm, suppressor, now)
        changed = alarm.state_value != alarm.acted_on
        alarm.suppressed = held if changed else None
        if changed and not held:
            before, alarm.acted_on = alarm.acted_on, alarm.state_value
            self._start_actions(alarm, before)

    def _start_actions(self, alarm: Alarm, old_state: str) -> None:
        if not alarm.request["ActionsEnabled"]:
            return
        children = triggering_children(alarm)
        message = notifications.message(alarm, old_state, self.account_id, self.region_name, children)
        for action in alarm.actions:
            subject = notifications.subject(alarm, self.region_name)
            self._start(alarm, self._act, alarm, action, subject, message, alarm.state_updated)

    def _start(self, alarm: Alarm, consequence: Callable[..., None], *arguments: Any) -> None:
        """Begin something in a thread of its own: a subscriber that does not answer must not hold up the alarms."""
        threading.Thread(target=consequence, args=arguments, name=f"alarm {alarm.name}", daemon=True).start()

    def _announce(self, alarm: Alarm, event: dict[str, Any]) -> None:
        with gate.changing():
            try:
                events_backends[self.account_id][self.region_name].put_events([event])
            except Exception:  # whatever a rule of the user's leads to: the alarm has changed state nevertheless
                logger.exception("sending the change of alarm %s to EventBridge", alarm.name)

    def _act(self, alarm: Alarm, action: str, subject: str, message: str, state_updated: float) -> None:
        with gate.changing():
            self._carry_out(alarm, action, subject, message, state_updated)

    def _carry_out(self, alarm: Alarm, action: str, subject: str, message: str, state_updated: float) -> None:
        error = None
        service = action.split(":")[2]
        if service == "sns":
            try:
                publish_for(SERVICE, alarm.alarm_arn, action, message, subject)
            except AccessDenied as denied:  # AWS has a name of its own for this caller
                error = denied.message.replace(f"User: {SERVICE}", "CloudWatch Alarms")
            except (ServiceException, KeyError, OSError, ValueError) as failure:
                error = str(failure)
        else:
            error = f"local AWS carries out actions on SNS topics only, not on {service}"
        with _lock:
            published = message if service == "sns" else None
            self._note(records.action_item(alarm, action, published, error, state_updated, time.time()))

    def _note(self, item: dict[str, Any]) -> None:
        self.history.append(item)
        records.prune(self.history, time.time())
        gate.changed.set()


class Watch:
    """The thread that evaluates the alarms of all accounts and regions, about once a second, until it is stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cloudwatch alarms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVALUATION_SECONDS):
            for backend in [backend for regions in list(cloudwatch_backends.values()) for backend in regions.values()]:
                try:
                    backend.evaluate_alarms(time.time())
                except Exception:  # one account's defect must not end the evaluation of the others'
                    logger.exception("evaluating the alarms of %s in %s", backend.account_id, backend.region_name)


def install() -> None:
    """Put the alarming backend in moto's place."""
    cloudwatch_backends.clear()
    cloudwatch_backends.backend = AlarmingCloudWatchBackend
