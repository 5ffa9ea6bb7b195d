"""moto's IAM, which also knows all policies of a principal."""

import json
from typing import Any

from moto.iam.models import IAMBackend, iam_backends

from local_aws.iam.exceptions import NotImplementedHere


class SimulatingIAMBackend(IAMBackend):
    """moto's IAM, which also knows all policies of a principal."""

    def policies_of(self, arn: str) -> list[dict[str, Any]]:
        """The documents of the role's or user's own and attached policies, the user's groups' included; NoSuchEntity
        where there is no such principal."""
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        if kind not in ("role", "user"):
            raise NotImplementedHere(f"SimulatePrincipalPolicy for {arn}, which is no role and no user,")
        principal = self.get_role(name) if kind == "role" else self.get_user(name)
        if getattr(principal, "permissions_boundary_arn", None):
            raise NotImplementedHere("SimulatePrincipalPolicy for a principal with a permissions boundary")
        holders: list[Any] = [principal, *(self.get_groups_for_user(name) if kind == "user" else ())]
        documents = [document for holder in holders for document in holder.policies.values()]
        documents += [
            next(version.document for version in policy.versions if version.is_default)
            for holder in holders
            for policy in holder.managed_policies.values()
        ]
        return [json.loads(document) for document in documents]


def install() -> None:
    """Put the simulating backend in moto's place."""
    iam_backends.clear()
    iam_backends.backend = SimulatingIAMBackend
