"""The tokens of Logs Insights' query language, and its filters."""

import operator
import re
from collections.abc import Callable
from typing import Any

from local_aws.logs.conditions import as_number

DEEPEST = 30
Find = Callable[[str], Any]
Filter = Callable[[Find], bool]

_TOKENS = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|/(?:[^/\\]|\\.)+/[a-z]*|!=|<=|>=|=~|[|(),\[\]=<>*]"""
    r"""|[@\w.:-]+)"""
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge
}  # fmt: skip


class QueryError(Exception):
    """A text that is no query; the text says why."""


class Tokens:
    """The tokens of a query, taken one after the other."""

    def __init__(self, text: str) -> None:
        self.left: list[str] = []
        self.depth = 0
        position, text = 0, text.strip()
        while position < len(text):
            found = _TOKENS.match(text, position)
            if not found:
                raise QueryError(f"unexpected symbol found {text[position:].strip()[:20]}")
            self.left.append(found[1])
            position = found.end()

    def peek(self) -> str:
        """The next token, "" at the end."""
        return self.left[0] if self.left else ""

    def take(self) -> str:
        """The next token; QueryError at the end."""
        if not self.left:
            raise QueryError("unexpected end of the query")
        return self.left.pop(0)

    def next_is(self, *words: str) -> bool:
        """Take the next tokens where they are these words, in any case."""
        if [token.lower() for token in self.left[: len(words)]] != list(words):
            return False
        del self.left[: len(words)]
        return True

    def expect(self, sign: str) -> None:
        """Take the sign; QueryError where another token is next."""
        if not self.next_is(sign):
            raise QueryError(f"unexpected symbol found {self.peek() or 'at the end'}, where {sign} is expected")

    def field(self) -> str:
        """Take the name of a field."""
        token = self.take()
        if token.startswith("`"):
            return token[1:-1]
        if not re.fullmatch(r"[@A-Za-z_][\w.:-]*", token):
            raise QueryError(f"unexpected symbol found {token}, where a field is expected")
        return token


def parse_filter(tokens: Tokens) -> Filter:
    """The filter that the next tokens are."""
    return _any_of(tokens)


def _any_of(tokens: Tokens) -> Filter:
    parts = [_all_of(tokens)]
    while tokens.next_is("or"):
        parts.append(_all_of(tokens))
    return lambda find: any(part(find) for part in parts)


def _all_of(tokens: Tokens) -> Filter:
    parts = [_one(tokens)]
    while tokens.next_is("and"):
        parts.append(_one(tokens))
    return lambda find: all(part(find) for part in parts)


def _one(tokens: Tokens) -> Filter:
    negated = False
    while tokens.next_is("not"):
        negated = not negated
    holds = _condition(tokens)
    return (lambda find: not holds(find)) if negated else holds


def _condition(tokens: Tokens) -> Filter:
    if tokens.next_is("("):
        tokens.depth += 1
        if tokens.depth > DEEPEST:
            raise QueryError(f"it is nested more than {DEEPEST} deep")
        inner = _any_of(tokens)
        tokens.expect(")")
        tokens.depth -= 1
        return inner
    if tokens.next_is("ispresent", "("):
        name = tokens.field()
        tokens.expect(")")
        return lambda find: find(name) is not None
    left = _operand(tokens)
    if tokens.next_is("like") or tokens.next_is("=~"):
        return _like(left, tokens.take())
    if tokens.next_is("not", "like"):
        like = _like(left, tokens.take())
        return lambda find: not like(find)
    negated = tokens.next_is("not")
    if tokens.next_is("in"):
        wanted = _values(tokens)
        return lambda find: any(_equal(left(find), value) for value in wanted) is not negated
    sign, right = tokens.take(), _operand(tokens)
    if negated or sign not in ("=", "!=", *_ORDER):
        raise QueryError(f"unexpected symbol found {sign}, where a comparison is expected")
    if sign in _ORDER:
        return lambda find: _ordered(sign, left(find), right(find))
    return lambda find: _equal(left(find), right(find)) is (sign == "=")


def _operand(tokens: Tokens) -> Callable[[Find], Any]:
    token = tokens.take()
    if token[0] in "\"'":
        text = re.sub(r"\\(.)", r"\1", token[1:-1])
        return lambda _: text
    if as_number(token) is not None:
        return lambda _: token
    tokens.left.insert(0, token)
    name = tokens.field()
    if tokens.peek() == "(":
        raise QueryError(f"the function {name} is not available in filters by local AWS")
    return lambda find: find(name)


def _values(tokens: Tokens) -> list[str]:
    tokens.expect("[")
    found = []
    while not tokens.next_is("]"):
        token = tokens.take()
        found.append(token[1:-1] if token[0] in "\"'" else token)
        tokens.next_is(",")
    return found


def _like(left: Callable[[Find], Any], token: str) -> Filter:
    flags = re.NOFLAG
    if token.startswith("/"):
        token, _, options = token[1:].rpartition("/")
        flags = re.IGNORECASE if "i" in options else flags
    elif token[0] in "\"'":
        token = re.escape(token[1:-1])
    else:
        raise QueryError(f"unexpected symbol found {token}, where a pattern is expected")
    try:
        pattern = re.compile(token, flags)
    except re.error as error:
        raise QueryError(f"{token} is no regular expression: {error}") from error
    return lambda find: (value := left(find)) is not None and pattern.search(str(value)) is not None


def _equal(left: Any, right: Any) -> bool:
    numbers = as_number(left), as_number(right)
    return numbers[0] == numbers[1] if None not in numbers else left == right


def _ordered(sign: str, left: Any, right: Any) -> bool:
    numbers = as_number(left), as_number(right)
    return None not in numbers and _ORDER[sign](*numbers)
