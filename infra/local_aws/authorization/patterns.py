"""What a policy's `*`, `?` and `${variables}` match."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

Keys = Mapping[str, Sequence[str]]  # a request's condition keys, in lower case, and their values

_TOKEN = re.compile(r"\$\{([^}]*)\}|\*|\?")
_LITERALS = ("*", "?", "$")


def matches(pattern: str, value: str, keys: Keys | None = None, flags: int = 0) -> bool:
    """Whether `pattern` matches all of `value`; its variables are filled from `keys`, or left as text where None."""
    if keys is None or "${" not in pattern:
        return _compiled(pattern, flags).fullmatch(value) is not None
    filled = _filled(pattern, keys)
    return filled is not None and re.fullmatch(filled, value, flags | re.DOTALL) is not None


def arns_match(pattern: str, value: str, keys: Keys | None = None) -> bool:
    """The same for ARNs, of which each of the six parts is matched by itself."""
    wanted, given = _parts(pattern), value.split(":", 5)
    if len(wanted) != len(given):
        return False
    return all(matches(one, part, keys) for one, part in zip(wanted, given, strict=True))


def substitute(text: str, keys: Keys | None) -> str | None:
    """`text` with its variables filled in; None where the request has no value for one."""
    if keys is None or "${" not in text:
        return text
    values = [(match, _value(match[1], keys)) for match in _TOKEN.finditer(text) if match[1] is not None]
    if any(value is None for _, value in values):
        return None
    return re.sub(r"\$\{([^}]*)\}", lambda match: _value(match[1], keys) or "", text)


@lru_cache(4096)
def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    return re.compile("".join(_regex(part) for part in re.split(r"([*?])", pattern)), flags | re.DOTALL)


def _regex(part: str) -> str:
    return {"*": ".*", "?": "."}.get(part) or re.escape(part)


def _filled(pattern: str, keys: Keys) -> str | None:
    """The regular expression of a pattern whose variables stand for themselves, wildcards in them included."""
    expression, end = "", 0
    for match in _TOKEN.finditer(pattern):
        expression += re.escape(pattern[end : match.start()])
        end = match.end()
        if match[1] is None:
            expression += _regex(match[0])
            continue
        value = _value(match[1], keys)
        if value is None:
            return None
        expression += re.escape(value)
    return expression + re.escape(pattern[end:])


def _value(variable: str, keys: Keys) -> str | None:
    if variable in _LITERALS:
        return variable
    name, _, default = variable.partition(",")
    values = keys.get(name.strip().lower(), ())
    if len(values) == 1:
        return values[0]
    return default.strip().strip("'") if default else None


def _parts(arn: str) -> list[str]:
    """An ARN's six parts; a variable's colon is no end of one."""
    parts = [""]
    for piece in re.split(r"(\$\{[^}]*\}|:)", arn):
        if piece == ":" and len(parts) < 6:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
