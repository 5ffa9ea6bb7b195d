"""Search expressions: SEARCH('{namespace,dimension} terms', 'statistic') finds metrics by their names.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local_aws.cloudwatch.metrics import Key
from local_aws.cloudwatch.statistics import Statistic
from local_aws.cloudwatch.tokens import cut

MOST_CHARACTERS = 1024
_SCHEMA = re.compile(r"\s*\{([^}]*)\}\s*,?")
_TOKENS = re.compile(r'\s*(?:"(?P<exact>[^"]*)"|(?P<sign>[()=])|(?P<word>[^\s()="]+))')
_WORDS = re.compile(r"[A-Za-z0-9]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

Matches = Callable[[Key], bool]


class SearchError(Exception):
    """A text that is no search; the text says why."""


@dataclass(frozen=True)
class Search:
    """What a search expression asks for; without a `period` it is the query's."""

    matches: Matches
    statistic: Statistic
    period: int | None


def parse(text: str) -> Matches:
    """Whether a metric is one of those that the text between the first quotes describes; SearchError where it describes
    none."""
    if len(text) > MOST_CHARACTERS:
        raise SearchError(f"a search has at most {MOST_CHARACTERS} characters")
    schema = _SCHEMA.match(text)
    terms = text[schema.end() if schema else 0 :]
    found = [_schema(schema[1])] if schema else []
    if terms.strip():
        found.append(_Parser(terms).whole())
    if not found:
        raise SearchError("a search needs a schema in braces, a term, or both")
    return lambda key: all(matches(key) for matches in found)


def labels(keys: Sequence[Key]) -> list[str]:
    """What tells each metric from the others: the parts that they don't have in common, or the metric's name."""
    named = [{"Namespace": namespace, **dict(dimensions), "MetricName": name} for namespace, name, dimensions in keys]
    names = dict.fromkeys(part for parts in named for part in parts)
    telling = [name for name in names if len({parts.get(name) for parts in named}) > 1] or ["MetricName"]
    return [" ".join(parts[name] for name in telling if name in parts) for parts in named]


def _schema(text: str) -> Matches:
    namespace, *dimensions = [part.strip().strip('"') for part in text.split(",")]
    if not namespace or not all(dimensions):
        raise SearchError("the schema in braces is a namespace and the names of dimensions, with commas in between")
    return lambda key: key[0] == namespace and {name for name, _ in key[2]} == set(dimensions)


def _properties(key: Key, designator: str | None) -> list[str]:
    """What a term is compared with: the property that the designator before it names, or all of the metric's."""
    namespace, name, dimensions = key
    if designator is None:
        return [namespace, name, *(part for dimension in dimensions for part in dimension)]
    known = {"Namespace": namespace, "MetricName": name, **dict(dimensions)}
    return [known[designator]] if designator in known else []


def _tokens(text: str) -> set[str]:
    """What a term without quotes can match: words, and the parts of words that are written inCamelCase1."""
    return {token.lower() for token in (*_WORDS.findall(text), *_PARTS.findall(text))}


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = cut(text, _TOKENS, SearchError)

    def whole(self) -> Matches:
        matches = self.any_of(None)
        if self.tokens:
            raise SearchError(f"'{self.tokens[0][1]}' is not expected there")
        return matches

    def take(self, kind: str, text: str) -> bool:
        if self.tokens[:1] == [(kind, text)]:
            self.tokens.pop(0)
            return True
        return False

    def any_of(self, designator: str | None) -> Matches:
        parts = [self.all_of(designator)]
        while self.take("word", "OR"):
            parts.append(self.all_of(designator))
        return lambda key: any(part(key) for part in parts)

    def all_of(self, designator: str | None) -> Matches:
        parts = [self.one(designator)]
        while self.take("word", "AND") or (self.tokens and self.tokens[0] not in (("word", "OR"), ("sign", ")"))):
            parts.append(self.one(designator))
        return lambda key: all(part(key) for part in parts)

    def one(self, designator: str | None) -> Matches:
        if self.take("word", "NOT"):
            inner = self.one(designator)
            return lambda key: not inner(key)
        if self.take("sign", "("):
            inner = self.any_of(designator)
            if not self.take("sign", ")"):
                raise SearchError("a parenthesis isn't closed")
            return inner
        if not self.tokens or self.tokens[0][0] == "sign" or self.tokens[0] in (("word", "AND"), ("word", "OR")):
            raise SearchError(f"a term is expected before '{self.tokens[0][1] if self.tokens else 'the end'}'")
        kind, text = self.tokens.pop(0)
        if self.take("sign", "="):
            if designator is not None:
                raise SearchError(f"'{text}=' stands within another designator")
            return self.one(text)
        if kind == "exact":
            return lambda key: text in _properties(key, designator)
        wanted = {word.lower() for word in _WORDS.findall(text)}
        if not wanted:
            raise SearchError(f"'{text}' has no letter or digit: put it into double quotes")
        return lambda key: any(wanted <= _tokens(one) for one in _properties(key, designator))
