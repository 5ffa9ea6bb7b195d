"""What CloudWatch refuses although the API's model allows it."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.cloudwatch.alarm_rules import RuleError
from local_aws.cloudwatch.alarm_rules import parse as parse_rule
from local_aws.cloudwatch.alarms import Alarm
from local_aws.cloudwatch.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    NotImplementedHere,
    ValidationError,
)
from local_aws.cloudwatch.metric_math import NotHere, evaluate, in_order, parse
from local_aws.cloudwatch.metrics import seconds
from local_aws.cloudwatch.queries import period_of
from local_aws.cloudwatch.series import MathError, Series, Surroundings
from local_aws.cloudwatch.statistics import UnknownStatistic, statistic

DAY = 86400
LARGEST = 2.0**360
MOST_DATAPOINTS, MOST_EVALUATED = 1440, 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
ANOMALY_COMPARISONS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)


def check_metric_data(request: Mapping[str, Any], now: float) -> None:
    """Refuse a PutMetricData request that holds what is no value."""
    if request.get("EntityMetricData"):
        raise NotImplementedHere("EntityMetricData of PutMetricData", "Use MetricData.")
    if not request.get("MetricData"):
        raise MissingParameter("The parameter MetricData is required.")
    for number, datum in enumerate(request["MetricData"], start=1):
        _check_datum(datum, f"MetricData.member.{number}", now)


def _check_datum(datum: Mapping[str, Any], path: str, now: float) -> None:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not given:
        raise MissingParameter(f"The parameter {path}.Value is required.")
    if len(given) > 1:
        raise InvalidParameterCombination(
            f"The parameters {path}.{given[0]} and {path}.{given[1]} are mutually exclusive and you have specified "
            "both."
        )
    values: Sequence[float] = datum.get("Values") or []
    if datum.get("Counts") is not None and len(datum["Counts"]) != len(values):
        raise InvalidParameterValue(f"The parameters {path}.Values and {path}.Counts must be of the same size.")
    numbers = {f"{path}.Value": [datum["Value"]]} if given == ["Value"] else {f"{path}.Values": values}
    if given == ["StatisticValues"]:
        numbers = {f"{path}.StatisticValues.{name}": [value] for name, value in datum["StatisticValues"].items()}
    for name, found in numbers.items():
        for value in found:
            if not math.isfinite(value) or abs(value) > LARGEST:
                shown = "NaN" if math.isnan(value) else value
                raise InvalidParameterValue(f"The value {shown} for parameter {name} is invalid.")
    if "Timestamp" in datum:
        age = now - seconds(datum["Timestamp"])
        if age > 14 * DAY:
            raise InvalidParameterValue(
                f"The parameter {path}.Timestamp must specify a time within the past two weeks."
            )
        if age < -7200:
            raise InvalidParameterValue(
                f"The parameter {path}.Timestamp must specify a time no more than two hours in the future."
            )


def check_metric_alarm(request: Mapping[str, Any]) -> None:
    """Refuse a PutMetricAlarm request that AWS refuses, or whose alarm would not be evaluated here."""
    if request.get("ThresholdMetricId") or request.get("ComparisonOperator") in ANOMALY_COMPARISONS:
        raise NotImplementedHere("An anomaly detection alarm", "Use a static Threshold.")
    if request.get("EvaluationCriteria") or request.get("EvaluationInterval"):
        raise NotImplementedHere("An alarm with EvaluationCriteria (PromQL)", "Use MetricName, or Metrics.")
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if request.get(name) is None:
            raise MissingParameter(f"The parameter {name} is required.")
    check_actions(request)
    _check_option(request, "TreatMissingData", ("breaching", "notBreaching", "ignore", "missing"))
    _check_option(request, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    periods = request["EvaluationPeriods"]
    if (request.get("DatapointsToAlarm") or 0) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if request.get("Metrics"):
        period = _check_alarm_queries(request)
    else:
        period = _check_alarm_metric(request)
    if period not in (10, 20, 30) and period % 60:
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    days = 1 if period < 3600 else 7
    if periods * period > days * DAY:
        raise ValidationError(
            f"Metrics cannot be checked across more than {'a day' if days == 1 else 'seven days'} "
            f"(EvaluationPeriods * Period must be <= {days * DAY})."
        )


def _check_alarm_metric(request: Mapping[str, Any]) -> int:
    for name in ("MetricName", "Namespace", "Period"):
        if request.get(name) is None:
            raise MissingParameter(f"The parameter {name} is required.")
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise InvalidParameterCombination("Exactly one of Statistic and ExtendedStatistic must be specified")
    if request.get("ExtendedStatistic"):
        check_statistic(request["ExtendedStatistic"], "ExtendedStatistic")
    return int(request["Period"])


def _check_alarm_queries(request: Mapping[str, Any]) -> int:
    own = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
    if both := [name for name in own if request.get(name)]:
        raise ValidationError(f"Metrics list cannot be specified together with {', '.join(both)}.")
    queries = request["Metrics"]
    values = check_queries(queries, "Metrics")
    if any(parse(query["Expression"]).searches for query in queries if query.get("Expression")):
        raise ValidationError("SEARCH is not supported in the metrics of an alarm.")
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise ValidationError("Exactly one element of the metrics list should return data.")
    if isinstance(values[returned[0]], list):
        raise ValidationError(f"Error in expression '{returned[0]}': an alarm watches one time series, not an array")
    periods = {period for query in queries if (period := period_of(query))}
    if len(periods) != 1:
        raise ValidationError("All metrics of an alarm must have the same Period.")
    return periods.pop()


def check_queries(queries: Sequence[Mapping[str, Any]], parameter: str) -> Mapping[str, Series | list[Series]]:
    """Refuse MetricDataQueries that can't be evaluated; otherwise what each comes to where all metrics are 1."""
    metrics: dict[str, Series] = {}
    expressions: dict[str, str] = {}
    for number, query in enumerate(queries, start=1):
        path = f"{parameter}.member.{number}"
        if not _ID.fullmatch(query["Id"]) or query["Id"] in metrics or query["Id"] in expressions:
            raise ValidationError(
                f"The value {query['Id']} for parameter {path}.Id is invalid: ids begin with a lowercase letter, hold "
                "letters, numbers and underscores, and occur once."
            )
        if query.get("AccountId"):
            raise NotImplementedHere("A query of another account (AccountId)")
        if "${" in (query.get("Label") or ""):
            raise NotImplementedHere("A dynamic label", "Use a Label without ${...}.")
        if bool(query.get("MetricStat")) == bool(query.get("Expression")):
            raise ValidationError(f"Exactly one of {path}.MetricStat and {path}.Expression is required.")
        if stat := query.get("MetricStat"):
            for name in ("Namespace", "MetricName"):
                if not stat["Metric"].get(name):
                    raise ValidationError(f"The parameter {path}.MetricStat.Metric.{name} is required.")
            check_statistic(stat["Stat"], f"{path}.MetricStat.Stat")
            check_period(stat["Period"])
            metrics[query["Id"]] = Series({0.0: 1.0}, "", stat["Period"])
        else:
            check_period(query.get("Period") or 60)
            expressions[query["Id"]] = query["Expression"]
    return metrics | _evaluated(metrics, expressions)


def _evaluated(metrics: Mapping[str, Series], expressions: Mapping[str, str]) -> dict[str, Any]:
    results: dict[str, Series | list[Series]] = {}
    name = ", ".join(expressions)
    try:
        for text in expressions.values():
            parse(text)
        for name in in_order(expressions):
            results[name] = evaluate(expressions[name], Surroundings([0.0], metrics, results))
    except NotHere as function:
        raise NotImplementedHere(f"{function} in an expression", "Use metrics and the other functions.") from function
    except MathError as error:
        raise ValidationError(f"Error in expression '{name}': {error}") from error
    return dict(results)


def check_composite_alarm(request: Mapping[str, Any], known: Mapping[str, Alarm]) -> None:
    """Refuse a PutCompositeAlarm request that AWS refuses; `known` are the alarms there are, by name."""
    check_actions(request)
    try:
        rule = parse_rule(request["AlarmRule"])
    except RuleError as error:
        raise ValidationError(f"The AlarmRule is invalid: {error}") from error
    if missing := [child for child in rule.children if not _is_known(child, known)]:
        raise ValidationError(
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        )
    suppressor = request.get("ActionsSuppressor")
    periods = [f"ActionsSuppressor{name}Period" for name in ("Wait", "Extension")]
    for period in periods:
        if bool(suppressor) != (request.get(period) is not None):
            raise ValidationError(f"ActionsSuppressor and {' and '.join(periods)} must be specified together.")
    if suppressor and not _is_known(suppressor, known):
        raise ValidationError(f"Could not save the composite alarm as the alarm {suppressor} does not exist")


def _is_known(alarm: str, known: Mapping[str, Alarm]) -> bool:
    return alarm in known or any(alarm == other.alarm_arn for other in known.values())


def check_actions(request: Mapping[str, Any]) -> None:
    """Refuse actions that are no ARNs."""
    for actions in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for arn in request.get(actions) or []:
            if not arn.startswith("arn:") or arn.count(":") < 5:
                raise ValidationError(f"Invalid arn syntax: {arn}")


def _check_option(request: Mapping[str, Any], name: str, options: Sequence[str]) -> None:
    if request.get(name) not in (None, *options):
        *first, last = options
        raise ValidationError(
            f"Option {request[name]} is not supported. Supported options for parameter {name} are "
            f"{', '.join(first)} and {last}."
        )


def check_range(queries: Sequence[Mapping[str, Any]], start: float, end: float) -> None:
    """Refuse a range of time that holds nothing, and one whose periods are too many to evaluate expressions over."""
    if start >= end:
        raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
    if any(query.get("Expression") for query in queries):
        count = math.ceil((end - start) / min((period_of(query) or 60 for query in queries), default=60))
        _check_count(count, MOST_EVALUATED)


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise InvalidParameterCombination(
            f"You have requested up to {count:,} datapoints, which exceeds the limit of {limit:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )


def check_metric_statistics(request: Mapping[str, Any], start: float, end: float) -> None:
    """Refuse a GetMetricStatistics request as AWS does."""
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    names = [*(request.get("Statistics") or []), *(request.get("ExtendedStatistics") or [])]
    if not names:
        raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
    for name in names:
        check_statistic(name, "ExtendedStatistics")
    check_period(request["Period"])
    _check_count(math.ceil((end - start) / request["Period"]), MOST_DATAPOINTS)


def check_statistic(name: str, parameter: str) -> None:
    """Refuse what is no statistic."""
    try:
        statistic(name)
    except UnknownStatistic as error:
        raise InvalidParameterValue(f"The value {name} for parameter {parameter} is not supported.") from error


def check_period(period: int) -> None:
    """Refuse a period that CloudWatch does not aggregate by."""
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise InvalidParameterValue(
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, and is not: " + str(period)
        )
