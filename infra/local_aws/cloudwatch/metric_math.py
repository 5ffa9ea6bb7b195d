"""Metric math: the expressions over time series of GetMetricData and PutMetricAlarm."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from local_aws.cloudwatch import search
from local_aws.cloudwatch.math_functions import FUNCTIONS, combine, negated
from local_aws.cloudwatch.series import MathError, Series, Surroundings, Value
from local_aws.cloudwatch.statistics import UnknownStatistic, statistic
from local_aws.cloudwatch.tokens import cut

# Functions of AWS's whose data local AWS does not have.
NOT_HERE = (
    *("ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SERVICE_QUOTA", "DB_PERF_INSIGHTS", "LAMBDA"),
    "SELECT",
)
MOST_OPERANDS, DEEPEST = 200, 30  # of one expression; an operand may lie within the one before
_TOKENS = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_LEVELS = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))

Evaluate = Callable[[Surroundings], Value]


class NotHere(Exception):
    """A function of AWS's that local AWS does not carry out; the text is its name."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression, the ids of the metrics and expressions it is about, and whether it searches for others."""

    evaluate: Evaluate
    references: frozenset[str]
    searches: bool


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """The expression that `text` is; MathError where it is none, NotHere where local AWS can't carry it out."""
    parser = _Parser(text)
    evaluate = parser.whole()
    return Expression(evaluate, frozenset(parser.references), parser.searches)


def evaluate(text: str, surroundings: Surroundings) -> Series | list[Series]:
    """The time series that an expression comes to; MathError where it comes to a number or nothing at all."""
    value = parse(text).evaluate(surroundings)
    if isinstance(value, Series | list):
        return value
    raise MathError("The final result of an expression must be a time series or an array of time series")


def in_order(expressions: Mapping[str, str]) -> list[str]:
    """The ids of the expressions, each after those it refers to; MathError where they refer to each other in a ring."""
    ordered: list[str] = []
    left = {name: parse(text).references & expressions.keys() for name, text in expressions.items()}
    while left:
        ready = [name for name, needed in left.items() if needed <= set(ordered)]
        if not ready:
            raise MathError(f"these expressions refer to each other in a ring: {', '.join(sorted(left))}")
        ordered += ready
        left = {name: needed for name, needed in left.items() if name not in ready}
    return ordered


class _Parser:
    def __init__(self, text: str) -> None:
        self.references: set[str] = set()
        self.operands = self.depth = 0
        self.searches = False
        if text.split()[:1] == ["SELECT"]:  # a query of Metrics Insights, which has a language of its own
            raise NotHere("SELECT")
        self.tokens = cut(text, _TOKENS, MathError)

    def whole(self) -> Evaluate:
        value = self.nested()
        if self.tokens:
            raise MathError(f"'{self.tokens[0][1]}' is not expected there")
        return value

    def take(self, *signs: str) -> str | None:
        if self.tokens and self.tokens[0][0] != "text" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return None

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise MathError(f"'{sign}' is expected before '{self.tokens[0][1] if self.tokens else 'the end'}'")

    def nested(self) -> Evaluate:
        self.depth += 1
        if self.depth > DEEPEST:
            raise MathError(f"it is nested more than {DEEPEST} deep")
        value = self.binary(0)
        self.depth -= 1
        return value

    def binary(self, level: int) -> Evaluate:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while sign := self.take(*_LEVELS[level]):
            left = _operation(sign, left, self.binary(level + 1))
        return left

    def unary(self) -> Evaluate:
        self.operands += 1
        if self.operands > MOST_OPERANDS:
            raise MathError(f"it has more than {MOST_OPERANDS} operands")
        if self.take("-"):
            operand = self.unary()
            return lambda around: negated(operand(around))
        base = self.primary()
        return _operation("^", base, self.unary()) if self.take("^") else base

    def primary(self) -> Evaluate:
        if not self.tokens:
            raise MathError("it ends too early")
        kind, text = self.tokens.pop(0)
        if kind == "number":
            number = float(text)
            return lambda _: number
        if kind == "text":
            return lambda _: text[1:-1]
        if text == "(":
            inner = self.nested()
            self.expect(")")
            return inner
        if text == "[":
            return _array(self.items("]"))
        if kind == "name":
            return self.named(text)
        raise MathError(f"'{text}' is not expected there")

    def named(self, name: str) -> Evaluate:
        if name in NOT_HERE:
            raise NotHere(name)
        if name == "SEARCH":
            return self.search()
        if self.take("("):
            function = FUNCTIONS.get(name)
            if not function:
                raise MathError(f"there is no function {name}")
            arguments = self.items(")")
            return lambda around: function(around, [argument(around) for argument in arguments])
        if name.isupper():  # AVG and DESC of SORT, REPEAT and LINEAR of FILL
            return lambda _: name
        self.references.add(name)
        return lambda around: around.named(name)

    def search(self) -> Evaluate:
        self.expect("(")
        text = self.constant("text")
        self.expect(",")
        name = self.constant("text")
        period = int(float(self.constant("number"))) if self.take(",") else None
        self.expect(")")
        try:
            asked = search.Search(search.parse(text), statistic(name), period)
        except UnknownStatistic as error:
            raise MathError(f"SEARCH: {name} is no statistic") from error
        except search.SearchError as error:
            raise MathError(f"SEARCH: {error}") from error
        self.searches = True
        return lambda around: around.search(asked)

    def constant(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            raise MathError("SEARCH takes a text and a statistic, both in quotes, and may take a number of seconds")
        text = self.tokens.pop(0)[1]
        return text[1:-1] if kind == "text" else text

    def items(self, end: str) -> list[Evaluate]:
        found: list[Evaluate] = []
        if self.take(end):
            return found
        while True:
            found.append(self.nested())
            if self.take(end):
                return found
            self.expect(",")


def _operation(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda around: combine(sign, left(around), right(around))


def _array(items: Sequence[Evaluate]) -> Evaluate:
    def evaluate_all(around: Surroundings) -> Value:
        found: list[Series] = []
        for item in items:
            value = item(around)
            if isinstance(value, list):
                found += value
            elif isinstance(value, Series):
                found.append(value)
            else:
                raise MathError("an array holds time series only")
        return found

    return evaluate_all
