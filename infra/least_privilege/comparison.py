"""Grants beside calls: what is granted and not used, and what was tried and is not granted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from least_privilege.calls import Call
from least_privilege.grants import DOCUMENTED, Grant
from least_privilege.scenarios import LATER
from local_aws.authorization.patterns import arns_match, matches


@dataclass(frozen=True)
class Comparison:
    """`used` counts the calls of each role's actions; `unused` and `untouched` are granted and not used, whole actions
    and single resources; `refused` was tried and is not granted."""

    used: Counter[tuple[str, str]]
    unused: list[tuple[str, str]]
    untouched: list[tuple[str, str, str]]
    refused: list[tuple[str, str, str]]

    @property
    def needless(self) -> list[tuple[str, str]]:
        """The unused actions that neither AWS asks for nor a later run would use.

        A statement's actions share its resources, to some of which they don't apply: `untouched` is no fault.
        """
        return [pair for pair in self.unused if pair not in DOCUMENTED and pair not in LATER]


def compare(grants: Sequence[Grant], calls: Iterable[Call]) -> Comparison:
    """What the calls of the roles say of their grants."""
    used: Counter[tuple[str, str]] = Counter()
    touched: set[tuple[str, str, str]] = set()
    refused: set[tuple[str, str, str]] = set()
    seen: Counter[Call] = Counter(calls)
    for call, count in seen.items():
        if not call.allowed:
            refused.add((call.role, call.action, call.resource))
            continue
        for grant in grants:
            if grant.role == call.role and grant.action.lower() == call.action.lower():
                hit = [pattern for pattern in grant.resources if _covers(pattern, call.resource)]
                touched.update((grant.role, grant.action, pattern) for pattern in hit)
                used[grant.role, grant.action] += count if hit else 0
    granted = {(grant.role, grant.action) for grant in grants}
    patterns = {(grant.role, grant.action, pattern) for grant in grants for pattern in grant.resources}
    unused = sorted(pair for pair in granted if not used[pair])
    untouched = sorted(one for one in patterns - touched if one[:2] not in unused)
    return Comparison(used, unused, untouched, sorted(refused))


def _covers(pattern: str, resource: str) -> bool:
    return arns_match(pattern, resource) if pattern.startswith("arn:") else matches(pattern, resource)
