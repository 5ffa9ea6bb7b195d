"""What was found, as tables of docs/iam.md."""

import re
from collections.abc import Iterable, Mapping, Sequence

from least_privilege.ablation import Outcome
from least_privilege.comparison import Comparison
from least_privilege.grants import DOCUMENTED, Grant, resources
from least_privilege.scenarios import LATER
from least_privilege.traces import BATCH, JOB_LOG, PIPELINE

MESSAGE_LETTERS = 160


def ablation(grants: Sequence[Grant], outcomes: Iterable[Outcome]) -> str:
    """A table a role: each action, on what it is granted, and what breaks without it."""
    found = {(outcome.role, outcome.action): outcome for outcome in outcomes}
    parts = []
    on = resources(grants)
    for role in dict.fromkeys(role for role, _ in on):
        rows = [
            [f"`{action}`", "<br>".join(_patterns(patterns)), *_verdict(found.get((role, action)))]
            for (of, action), patterns in on.items()
            if of == role
        ]
        parts.append(f"### {role}\n\n" + table(["action", "on", "without it breaks", "saying"], rows))
    return "\n".join(parts)


def comparison(found: Comparison) -> str:
    """The calls of each role, and what is too much or too little."""
    used = [[role, f"`{action}`", str(count)] for (role, action), count in sorted(found.used.items()) if count]
    over = [[role, f"`{action}`", f"every resource{_excuse(role, action)}"] for role, action in found.unused]
    over += [[role, f"`{action}`", f"`{_short(pattern)}`"] for role, action, pattern in found.untouched]
    under = [[role, f"`{action}`", f"`{_short(resource)}`"] for role, action, resource in found.refused]
    return "\n".join(
        f"### {title}\n\n" + (table(head, rows) if rows else "nothing\n")
        for title, head, rows in (
            ("Granted and used", ["role", "action", "calls"], used),
            ("Granted, not used", ["role", "action", "on"], over),
            ("Used, not granted", ["role", "action", "on"], under),
        )
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |\n" for line in lines)


def renewed(page: str, parts: Mapping[str, str]) -> str:
    """`page` with what stands between `<!-- name -->` and `<!-- /name -->` replaced; ValueError where a mark lacks."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"the page has no {begin.strip()} … {end}")
        head, rest = page.split(begin, 1)
        page = f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}"
    return page


def _verdict(outcome: Outcome | None) -> tuple[str, str]:
    if outcome is None:
        return "not tried", ""
    if outcome.broken:
        what = outcome.broken if outcome.broken in {*PIPELINE, *BATCH, JOB_LOG} else f"`{outcome.broken}`"
        return f"{what} ({outcome.scenario})", _message(outcome.message)
    if (outcome.role, outcome.action) in DOCUMENTED:
        return "nothing here", _documented(outcome.role, outcome.action)
    return "**nothing**", _message(outcome.message)


def _documented(role: str, action: str) -> str:
    reason, page = DOCUMENTED[role, action]
    return f"[{reason}]({page})"


def _excuse(role: str, action: str) -> str:
    """Why an action may be unused."""
    if (role, action) in DOCUMENTED:
        return f"; {_documented(role, action)}"
    if (role, action) in LATER:
        return f"; waits for: {LATER[role, action]}"
    return ""


def _message(text: str) -> str:
    text = re.sub(r"\s+", " ", _short(text))
    return text if len(text) <= MESSAGE_LETTERS else f"{text[: MESSAGE_LETTERS - 1]}…"


def _patterns(patterns: Iterable[str]) -> list[str]:
    return [f"`{_short(pattern)}`" for pattern in dict.fromkeys(patterns)]


def _short(text: str) -> str:
    """Without what is the same everywhere (partition, region, account) and what differs each time (ids)."""
    text = re.sub(r"arn:aws:(\w[\w-]*):[\w-]*:\d*:", r"\1:", text)
    text = re.sub(r"-123456789012\b", "", text)
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "…", text)
