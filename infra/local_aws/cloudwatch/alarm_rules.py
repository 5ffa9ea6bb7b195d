"""The rule of a composite alarm: an expression over the states of other alarms."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from local_aws.cloudwatch.tokens import cut

MOST_CHILDREN, MOST_ELEMENTS, DEEPEST = 100, 500, 50
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_TOKENS = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<sign>[()])|(?P<word>[^\s()"]+))')

State = Callable[[str], str | None]
Holds = Callable[[State], bool]


class RuleError(Exception):
    """A text that is no rule; the text says why."""


@dataclass(frozen=True)
class AlarmRule:
    """A parsed rule: whether it holds, given the states of the alarms it names, and those names or ARNs in order."""

    holds: Holds
    children: tuple[str, ...]


@lru_cache(maxsize=1024)
def parse(text: str) -> AlarmRule:
    """The rule that `text` is; RuleError where it is none."""
    parser = _Parser(text)
    holds = parser.any_of()
    if parser.tokens:
        raise RuleError(f"'{parser.tokens[0]}' is not expected there")
    if len(parser.children) > MOST_CHILDREN:
        raise RuleError(f"it names more than {MOST_CHILDREN} alarms")
    return AlarmRule(holds, tuple(parser.children))


def name_of(alarm: str) -> str:
    """The name of the alarm that a rule names, or whose ARN it has."""
    return alarm.split(":alarm:", 1)[1] if alarm.startswith("arn:") and ":alarm:" in alarm else alarm


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = [token for _, token in cut(text, _TOKENS, RuleError)]
        self.children: dict[str, None] = {}
        self.elements = self.depth = 0

    def next_is(self, word: str) -> bool:
        if self.tokens and self.tokens[0].upper() == word:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.next_is(sign):
            raise RuleError(f"'{sign}' is expected before '{self.tokens[0] if self.tokens else 'the end'}'")

    def any_of(self) -> Holds:
        parts = [self.all_of()]
        while self.next_is("OR"):
            parts.append(self.all_of())
        return lambda state: any(part(state) for part in parts)

    def all_of(self) -> Holds:
        parts = [self.one()]
        while self.next_is("AND"):
            parts.append(self.one())
        return lambda state: all(part(state) for part in parts)

    def one(self) -> Holds:
        negated = False
        while self.next_is("NOT"):
            negated = not negated
        holds = self.element()
        return (lambda state: not holds(state)) if negated else holds

    def element(self) -> Holds:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise RuleError(f"it has more than {MOST_ELEMENTS} elements")
        if self.next_is("("):
            self.depth += 1
            if self.depth > DEEPEST:
                raise RuleError(f"it is nested more than {DEEPEST} deep")
            holds = self.any_of()
            self.expect(")")
            self.depth -= 1
            return holds
        if self.next_is("TRUE"):
            return lambda _: True
        if self.next_is("FALSE"):
            return lambda _: False
        for value in _STATES:
            if self.next_is(value):
                return self.in_state(value)
        raise RuleError(f"'{self.tokens[0]}' is not expected there" if self.tokens else "it ends too early")

    def in_state(self, value: str) -> Holds:
        self.expect("(")
        if not self.tokens or self.tokens[0] in ("(", ")"):
            raise RuleError(f"{value} takes the name or the ARN of an alarm")
        alarm = self.tokens.pop(0).strip('"')
        self.expect(")")
        self.children[alarm] = None
        return lambda state: state(alarm) == value
