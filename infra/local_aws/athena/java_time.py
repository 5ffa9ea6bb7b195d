"""Java's date patterns (format_datetime, partition projection) as strftime's."""

import re

from local_aws.athena.failures import unsupported

_LETTERS = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "uuuu": "%Y",
    "y": "%Y",
    "yy": "%y",
    "xxxx": "%G",
    "ww": "%V",
    "e": "%u",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSSSSS": "%f",
    "SSS": "%g",
    "a": "%p",
}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.DOTALL)


def strftime_pattern(java: str) -> str:
    """The strftime pattern of the same meaning; `%-m` stands for a month without a leading zero, `%g` for
    milliseconds, as in DuckDB. QueryFailed for a letter that has no counterpart."""
    found, position = [], 0
    while position < len(java):
        token = _TOKEN.match(java, position)
        if token is None:
            raise unsupported(f"the date pattern {java!r}", "close its quote")
        text = token[0]
        if token[1] is not None:
            found.append((token[1].replace("''", "'") or "'").replace("%", "%%"))
        elif token[2] is None:
            found.append(text.replace("%", "%%"))
        elif text in _LETTERS:
            found.append(_LETTERS[text])
        else:
            raise unsupported(f"{text} in the date pattern {java!r}", f"use one of {', '.join(_LETTERS)}")
        position = token.end()
    return "".join(found)
