"""Conditions of filter patterns over JSON documents and space-delimited fields."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Find = Callable[[str], Any]
Holds = Callable[[Find], bool]

DEEPEST = 30
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge
}  # fmt: skip
_SIGNS_AND_QUOTED = r"&&|\|\||!=|<=|>=|[()=<>]|\"(?:[^\"\\]|\\.)*\"|%[^%]*%"
_WORD, _END = r"[^\s()&|=<>!]+", r"(?=[\s()&|=<>!]|$)"
_STEPS = re.compile(r"\.?\[(\d+)\]|\.?\[[\"']([^\"']*)[\"']\]|\.([^.\[]+)")


class PatternError(Exception):
    """A text that is no filter pattern; the text says why."""


@dataclass(frozen=True)
class Condition:
    """A parsed condition, and the selectors it is about."""

    holds: Holds
    selectors: tuple[str, ...]


def parse_condition(text: str, selector: str) -> Condition:
    """The condition that `text` is, whose selectors match the regular expression `selector`."""
    parser = _Parser(text, selector)
    holds = parser.any_of()
    if parser.tokens:
        raise PatternError(f"'{parser.tokens[0]}' is not expected there")
    return Condition(holds, tuple(dict.fromkeys(parser.selectors)))


def select(document: Any, selector: str) -> Any:
    """What a selector such as $.request.codes[0] finds in a document; None where there is no such thing."""
    for index, quoted, name in _STEPS.findall(selector.removeprefix("$")):
        if index:
            document = document[int(index)] if isinstance(document, list) and int(index) < len(document) else None
        else:
            document = document.get(quoted or name) if isinstance(document, dict) else None
    return document


class _Parser:
    def __init__(self, text: str, selector: str) -> None:
        self.selector = re.compile(selector)
        self.selectors: list[str] = []
        self.depth = 0
        tokens = re.compile(rf"\s*({_SIGNS_AND_QUOTED}|(?:{selector}){_END}|{_WORD})")
        self.tokens: list[str] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            found = tokens.match(text, position)
            if not found:
                raise PatternError(f"'{text[position:].strip()}' can't be read")
            self.tokens.append(found[1])
            position = found.end()

    def take(self) -> str:
        if not self.tokens:
            raise PatternError("it ends too early")
        return self.tokens.pop(0)

    def next_is(self, *words: str) -> bool:
        if [token.upper() for token in self.tokens[: len(words)]] == list(words):
            del self.tokens[: len(words)]
            return True
        return False

    def any_of(self) -> Holds:
        parts = [self.all_of()]
        while self.next_is("||"):
            parts.append(self.all_of())
        return lambda find: any(part(find) for part in parts)

    def all_of(self) -> Holds:
        parts = [self.one()]
        while self.next_is("&&"):
            parts.append(self.one())
        return lambda find: all(part(find) for part in parts)

    def one(self) -> Holds:
        if self.next_is("("):
            self.depth += 1
            if self.depth > DEEPEST:
                raise PatternError(f"it is nested more than {DEEPEST} deep")
            inner = self.any_of()
            if not self.next_is(")"):
                raise PatternError("')' is missing")
            self.depth -= 1
            return inner
        selector = self.take()
        if not self.selector.fullmatch(selector):
            raise PatternError(f"'{selector}' is no selector")
        self.selectors.append(selector)
        for words, holds in _STATES.items():
            if self.next_is(*words):
                return lambda find: holds(find(selector))
        sign, value = self.take(), self.take()
        compare = _comparison(sign, value)
        return lambda find: compare(find(selector))


_STATES: dict[tuple[str, ...], Callable[[Any], bool]] = {
    ("IS", "NULL"): lambda value: value is None,
    ("IS", "TRUE"): lambda value: value is True,
    ("IS", "FALSE"): lambda value: value is False,
    ("NOT", "EXISTS"): lambda value: value is None,
    ("EXISTS",): lambda value: value is not None,
}


def _comparison(sign: str, wanted: str) -> Callable[[Any], bool]:
    if sign in _ORDER:
        number = as_number(wanted)
        if number is None:
            raise PatternError(f"'{wanted}' after {sign} is no number")
        order = _ORDER[sign]
        return lambda value: (found := as_number(value)) is not None and order(found, number)
    if sign not in ("=", "!="):
        raise PatternError(f"'{sign}' is no comparison")
    equal = _equality(wanted)
    if sign == "=":
        return lambda value: value is not None and equal(value)
    return lambda value: value is not None and not equal(value)


def _equality(wanted: str) -> Callable[[Any], bool]:
    if wanted.startswith("%"):
        try:
            regex = re.compile(wanted.strip("%"))
        except re.error as error:
            raise PatternError(f"'{wanted}' is no regular expression: {error}") from error
        return lambda value: bool(regex.search(str(value)))
    number = None if wanted.startswith('"') else as_number(wanted)
    text = re.sub(r"\\(.)", r"\1", wanted[1:-1]) if wanted.startswith('"') else wanted
    glob = re.compile("".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", text)), re.DOTALL)
    if number is not None:
        return lambda value: as_number(value) == number
    return lambda value: not isinstance(value, bool | dict | list) and bool(glob.fullmatch(str(value)))


def as_number(value: Any) -> float | None:
    """The number that a value is or spells."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None
