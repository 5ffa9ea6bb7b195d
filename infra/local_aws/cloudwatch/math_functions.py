"""The operators and functions of metric math, by AWS's documentation of each."""

import math
import operator
import statistics
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from local_aws.cloudwatch.series import MathError, Series, Surroundings, Value

Number = Callable[[float, float], float]
Function = Callable[[Surroundings, list[Value]], Value]

_OPERATORS: dict[str, Number] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "AND": lambda a, b: bool(a) and bool(b),
    "OR": lambda a, b: bool(a) or bool(b),
}
_OPERATORS |= {"&&": _OPERATORS["AND"], "||": _OPERATORS["OR"]}


def combine(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, point by point; where only one series has a point, the other counts as 0."""
    if isinstance(left, str) or isinstance(right, str):
        raise MathError(f"unsupported operand for {sign}: a text")
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            raise MathError(f"the arrays on both sides of {sign} have different lengths")
        return [_pair(sign, one, other) for one, other in zip(left, right, strict=True)]
    if isinstance(left, list):
        return [_pair(sign, one, right) for one in left]  # type: ignore[arg-type]
    if isinstance(right, list):
        return [_pair(sign, left, other) for other in right]
    if isinstance(left, float) and isinstance(right, float):
        return _computed(_OPERATORS[sign], left, right)
    return _pair(sign, left, right)


def negated(value: Value) -> Value:
    """`-value`."""
    return combine("*", value, -1.0)


def _pair(sign: str, left: Series | float, right: Series | float) -> Series:
    times: set[float] = set()
    for side in (left, right):
        times |= set(side.values) if isinstance(side, Series) else set()
    compute, label = _OPERATORS[sign], left.label if isinstance(left, Series) else ""
    label = label or (right.label if isinstance(right, Series) else "")
    return _series({time: _computed(compute, _at(left, time), _at(right, time)) for time in sorted(times)}, label)


def _at(side: Series | float, time: float) -> float:
    return side.values.get(time, 0.0) if isinstance(side, Series) else side


def _computed(compute: Number, left: float, right: float) -> float:
    """NaN where there is no such number: such a point is dropped."""
    try:
        found = compute(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return math.nan
    return math.nan if isinstance(found, complex) else float(found)


def _series(values: dict[float, float], label: str = "") -> Series:
    return Series({time: value for time, value in values.items() if math.isfinite(value)}, label)


def _one(arguments: list[Value], name: str) -> Value:
    if len(arguments) != 1:
        raise MathError(f"{name} takes one argument and got {len(arguments)}")
    return arguments[0]


def _array(value: Value, name: str) -> list[Series]:
    if not isinstance(value, list):
        raise MathError(f"{name} takes an array of time series")
    return value


def _single(value: Value, name: str) -> Series:
    if not isinstance(value, Series):
        raise MathError(f"{name} takes a time series")
    return value


def _each(name: str, change: Callable[[Series], Series]) -> Function:
    """A function of a time series, which of an array gives an array."""

    def function(_: Surroundings, arguments: list[Value]) -> Value:
        value = _one(arguments, name)
        return [change(one) for one in value] if isinstance(value, list) else change(_single(value, name))

    return function


def _pointwise(name: str, compute: Callable[[float], float]) -> Function:
    def change(series: Series) -> Series:
        points = {time: _computed(lambda a, _: compute(a), value, 0.0) for time, value in series.values.items()}
        return _series(points, series.label)

    return _each(name, change)


def _aggregate(name: str, compute: Callable[[Sequence[float]], float], missing_as_zero: bool = False) -> Function:
    """A number for one time series; for an array, a time series of what its series have at each time."""

    def function(_: Surroundings, arguments: list[Value]) -> Value:
        value = _one(arguments, name)
        if isinstance(value, Series):
            return compute(list(value.values.values())) if value.values else (0.0 if compute is _count else math.nan)
        series = _array(value, name)
        times = sorted({time for one in series for time in one.values})
        found = {}
        for time in times:
            present = [one.values[time] for one in series if time in one.values]
            found[time] = compute(present + [0.0] * (len(series) - len(present) if missing_as_zero else 0))
        return _series(found)

    return function


def _count(values: Sequence[float]) -> float:
    return float(len(values))


def _steps(name: str, compute: Callable[[float, float], float]) -> Function:
    """A function of how much value and time went on from one point to the next."""

    def change(series: Series) -> Series:
        points = sorted(series.values.items())
        pairs = zip(points, points[1:], strict=False)
        return _series(
            {time: compute(value - last, time - then) for (then, last), (time, value) in pairs}, series.label
        )

    return _each(name, change)


def _running_sum(series: Series) -> Series:
    total, found = 0.0, {}
    for time, value in sorted(series.values.items()):
        found[time] = total = total + value
    return Series(found, series.label)


def _fill(around: Surroundings, arguments: list[Value]) -> Value:
    if len(arguments) != 2:
        raise MathError(f"FILL takes two arguments and got {len(arguments)}")
    value, filler = arguments
    if isinstance(filler, list) or (isinstance(filler, str) and filler not in ("REPEAT", "LINEAR")):
        raise MathError("FILL fills with a number, a time series, REPEAT or LINEAR")
    if isinstance(value, list):
        return [_filled(one, filler, around.times) for one in value]
    return _filled(_single(value, "FILL"), filler, around.times)


def _filled(series: Series, filler: float | str | Series, times: Sequence[float]) -> Series:
    known, found = sorted(series.values), {}
    for time in sorted({*times, *known}):
        after = bisect_left(known, time)
        if time in series.values:
            found[time] = series.values[time]
        elif isinstance(filler, Series):
            found[time] = filler.values.get(time, math.nan)
        elif not isinstance(filler, str):
            found[time] = filler
        elif after and filler == "REPEAT":
            found[time] = series.values[known[after - 1]]
        elif after and after < len(known):
            before, then = known[after - 1], known[after]
            share = (time - before) / (then - before)
            found[time] = series.values[before] + share * (series.values[then] - series.values[before])
    return _series(found, series.label)


def _if(_: Surroundings, arguments: list[Value]) -> Value:
    if len(arguments) not in (2, 3):
        raise MathError(f"IF takes two or three arguments and got {len(arguments)}")
    condition, *branches = arguments
    if any(isinstance(branch, str | list) for branch in (condition, *branches)):
        raise MathError("IF takes numbers and time series")
    when_true, when_false = branches[0], branches[1] if len(branches) == 2 else Series({})
    if isinstance(condition, float):
        return when_true if condition else when_false
    assert isinstance(condition, Series)
    found = {}
    for time, value in condition.values.items():
        if value:
            found[time] = _at(when_true, time)  # type: ignore[arg-type]
        elif isinstance(when_false, float) or (isinstance(when_false, Series) and time in when_false.values):
            found[time] = _at(when_false, time)
    return _series(found)


def _metrics(around: Surroundings, arguments: list[Value]) -> Value:
    part = arguments[0] if arguments else ""
    if not isinstance(part, str):
        raise MathError("METRICS takes a text in quotes")
    return [series for name, series in around.metrics.items() if part in name]


def _period(_: Surroundings, arguments: list[Value]) -> Value:
    series = _single(_one(arguments, "PERIOD"), "PERIOD")
    if series.period is None:
        raise MathError("PERIOD takes a metric, not the result of an expression")
    return float(series.period)


def _of_times(name: str, compute: Callable[[datetime], float]) -> Function:
    def function(around: Surroundings, arguments: list[Value]) -> Value:
        _single(_one(arguments, name), name)
        return Series({time: float(compute(datetime.fromtimestamp(time, UTC))) for time in around.times})

    return function


def _time_series(around: Surroundings, arguments: list[Value]) -> Value:
    value = _one(arguments, "TIME_SERIES")
    if not isinstance(value, float):
        raise MathError("TIME_SERIES takes a number")
    return _series(dict.fromkeys(around.times, value))


def _slice(_: Surroundings, arguments: list[Value]) -> Value:
    if len(arguments) not in (2, 3) or not all(isinstance(bound, float) for bound in arguments[1:]):
        raise MathError("SLICE takes an array and one or two numbers")
    first, *last = (int(bound) for bound in arguments[1:])  # type: ignore[arg-type]
    return _array(arguments[0], "SLICE")[first : last[0] if last else None]


def _sort(around: Surroundings, arguments: list[Value]) -> Value:
    if len(arguments) not in (3, 4):
        raise MathError(f"SORT takes three or four arguments and got {len(arguments)}")
    by, order = arguments[1:3]
    if by not in ("AVG", "MIN", "MAX", "SUM") or order not in ("ASC", "DESC"):
        raise MathError("SORT takes an array, one of AVG, MIN, MAX and SUM, and ASC or DESC")
    known = [series for series in _array(arguments[0], "SORT") if series.values]
    keys = {id(series): FUNCTIONS[str(by)](around, [series]) for series in known}
    known.sort(key=lambda series: float(keys[id(series)]), reverse=order == "DESC")  # type: ignore[arg-type]
    limit = arguments[3] if len(arguments) == 4 else None
    return known[: int(limit)] if isinstance(limit, float) else known


def _member(name: str, number: int) -> Function:
    def function(_: Surroundings, arguments: list[Value]) -> Value:
        series = _array(_one(arguments, name), name)
        return series[number] if series else Series({})

    return function


FUNCTIONS: dict[str, Function] = {
    "ABS": _pointwise("ABS", abs),
    "CEIL": _pointwise("CEIL", math.ceil),
    "FLOOR": _pointwise("FLOOR", math.floor),
    "LOG": _pointwise("LOG", math.log),
    "LOG10": _pointwise("LOG10", math.log10),
    "SUM": _aggregate("SUM", math.fsum),
    "AVG": _aggregate("AVG", statistics.fmean, missing_as_zero=True),
    "MIN": _aggregate("MIN", min),
    "MAX": _aggregate("MAX", max),
    "STDDEV": _aggregate("STDDEV", statistics.pstdev),
    "DATAPOINT_COUNT": _aggregate("DATAPOINT_COUNT", _count),
    "METRIC_COUNT": lambda _, arguments: float(len(_array(_one(arguments, "METRIC_COUNT"), "METRIC_COUNT"))),
    "DIFF": _steps("DIFF", lambda value, _: value),
    "DIFF_TIME": _steps("DIFF_TIME", lambda _, seconds: seconds),
    "RATE": _steps("RATE", lambda value, seconds: value / seconds),
    "RUNNING_SUM": _each("RUNNING_SUM", _running_sum),
    "FILL": _fill,
    "IF": _if,
    "METRICS": _metrics,
    "PERIOD": _period,
    "TIME_SERIES": _time_series,
    "REMOVE_EMPTY": lambda _, arguments: [
        series for series in _array(_one(arguments, "REMOVE_EMPTY"), "REMOVE_EMPTY") if series.values
    ],
    "SLICE": _slice,
    "SORT": _sort,
    "FIRST": _member("FIRST", 0),
    "LAST": _member("LAST", -1),
    "MINUTE": _of_times("MINUTE", lambda time: time.minute),
    "HOUR": _of_times("HOUR", lambda time: time.hour),
    "DAY": _of_times("DAY", lambda time: time.isoweekday()),
    "DATE": _of_times("DATE", lambda time: time.day),
    "MONTH": _of_times("MONTH", lambda time: time.month),
    "YEAR": _of_times("YEAR", lambda time: time.year),
    "EPOCH": _of_times("EPOCH", lambda time: time.timestamp()),
}
