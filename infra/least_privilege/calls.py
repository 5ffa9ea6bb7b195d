"""The calls that local AWS has written down (`python -m local_aws --record-calls FILE`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """An action on a resource by one of the roles, and whether it was allowed."""

    role: str
    action: str
    resource: str
    allowed: bool


def now() -> str:
    """The time as a recording has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(
    path: Path,
    role_names: Mapping[str, str],
    offset: int = 0,
    leaving_out: Sequence[tuple[str, str | None]] = (),
) -> list[Call]:
    """The calls of the named roles from byte `offset` on; those of others, the user's own say, are left out, and those
    between the times of `leaving_out`, of which one without an end goes on."""
    roles = {name: role for role, name in role_names.items()}
    found = []
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            call = json.loads(line)
            if any(begin <= call["time"] and (end is None or call["time"] < end) for begin, end in leaving_out):
                continue
            kind, _, session = call["caller"].rpartition(":")[2].partition("/")
            role = roles.get(session.partition("/")[0]) if kind == "assumed-role" else None
            if role:
                found.append(Call(role, call["action"], call["resource"], call["allowed"]))
    return found
