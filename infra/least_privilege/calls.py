"""The calls that local AWS has written down (`python -m local_aws --record-calls FILE`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """An action on a resource by one of the roles, and whether it was allowed."""

    role: str
    action: str
    resource: str
    allowed: bool


def read(path: Path, role_names: Mapping[str, str], offset: int = 0) -> list[Call]:
    """The calls of the named roles from byte `offset` on; those of others, the user's own say, are left out."""
    roles = {name: role for role, name in role_names.items()}
    found = []
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            call = json.loads(line)
            kind, _, session = call["caller"].rpartition(":")[2].partition("/")
            role = roles.get(session.partition("/")[0]) if kind == "assumed-role" else None
            if role:
                found.append(Call(role, call["action"], call["resource"], call["allowed"]))
    return found
