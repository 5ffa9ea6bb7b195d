"""CloudWatch Logs' filter patterns: terms, JSON conditions, and space-delimited fields."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local_aws.logs.conditions import Condition, PatternError, parse_condition, select

_TERMS = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"]+))')
_WORDS = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Match:
    """An event that matches: what the pattern's selectors find in it."""

    select: Callable[[str], Any]
    extracted: Mapping[str, str]


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern; `match` gives None for an event that does not match."""

    match: Callable[[str], Match | None]


@lru_cache(maxsize=1024)
def parse(text: str) -> Pattern:
    """The pattern that `text` is; PatternError where it is none."""
    text = text.strip()
    if text.startswith("{"):
        return _json(text)
    if text.startswith("["):
        return _space_delimited(text)
    return _terms(text)


def _terms(text: str) -> Pattern:
    needed: list[re.Pattern[str]] = []
    excluded: list[re.Pattern[str]] = []
    optional: list[re.Pattern[str]] = []
    position = 0
    while position < len(text):
        found = _TERMS.match(text, position)
        if not found:
            raise PatternError(f"'{text[position:]}' can't be read")
        sign, quoted, regex, word = found.groups()
        if word and not _NAME.fullmatch(word):
            raise PatternError(f"Invalid character(s) in term '{word}'")
        term = (
            regex if regex is not None else re.escape(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else word)
        )
        {"": needed, "-": excluded, "?": optional}[sign].append(_compiled(term))
        position = found.end()

    def match(message: str) -> Match | None:
        if any(term.search(message) for term in excluded) or not all(term.search(message) for term in needed):
            return None
        # As on AWS, optional terms count only where there are no others.
        if optional and not needed and not excluded and not any(term.search(message) for term in optional):
            return None
        return Match(lambda _: None, {})

    return Pattern(match)


def _compiled(regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except re.error as error:
        raise PatternError(f"'{regex}' is no regular expression: {error}") from error


def _json(text: str) -> Pattern:
    if not text.endswith("}"):
        raise PatternError("'}' is expected at the end")
    condition = parse_condition(text[1:-1], r"\$(?:\.?\[(?:\d+|\"[^\"]*\"|'[^']*')\]|\.[^\s.\[\]=!<>()&|]+)+")

    def match(message: str) -> Match | None:
        try:
            document = json.loads(message)
        except ValueError:
            return None
        if not isinstance(document, dict):
            return None

        def find(selector: str) -> Any:
            return select(document, selector)

        if not condition.holds(find):
            return None
        return Match(find, {name: _shown(value) for name in condition.selectors if (value := find(name)) is not None})

    return Pattern(match)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _space_delimited(text: str) -> Pattern:
    if not text.endswith("]"):
        raise PatternError("']' is expected at the end")
    fields = [field.strip() for field in _split(text[1:-1])]
    if fields.count("...") > 1:
        raise PatternError("'...' can stand only once")
    gap = fields.index("...") if "..." in fields else None
    names, conditions = [], []
    for number, field in enumerate(fields, start=1):
        condition = None if field in ("...", "") or _NAME.fullmatch(field) else parse_condition(field, r"\w+")
        if condition and len(condition.selectors) != 1:
            raise PatternError(f"'{field}' has to be about one field")
        names.append(condition.selectors[0] if condition else field or str(number))
        conditions.append(condition)

    def match(message: str) -> Match | None:
        words = [found[found.lastindex or 0] for found in _WORDS.finditer(message)]
        if gap is None:
            return _matched(names, conditions, words) if len(words) == len(names) else None
        after = len(names) - gap - 1
        if len(words) < gap + after:
            return None
        kept = [*words[:gap], *words[len(words) - after :]]
        return _matched([*names[:gap], *names[gap + 1 :]], [*conditions[:gap], *conditions[gap + 1 :]], kept)

    return Pattern(match)


def _split(text: str) -> list[str]:
    return re.findall(r'(?:"[^"]*"|%[^%]*%|[^,"%])+', text) if text.strip() else []


def _matched(names: Sequence[str], conditions: Sequence[Condition | None], words: Sequence[str]) -> Match | None:
    values = dict(zip(names, words, strict=True))
    if not all(condition.holds(values.get) for condition in conditions if condition):
        return None
    return Match(
        lambda selector: values.get(selector.lstrip("$")), {f"${name}": value for name, value in values.items()}
    )
