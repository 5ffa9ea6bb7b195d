"""moto's IAM, which also knows all policies of a principal."""

from moto.iam.models import IAMBackend, iam_backends

from local_aws.authorization import documents
from local_aws.iam.exceptions import NotImplementedHere


class SimulatingIAMBackend(IAMBackend):
    """moto's IAM, which also knows all policies of a principal."""

    def policies_of(self, arn: str) -> tuple[list[str], list[str] | None]:
        """The documents of the role's or user's own and attached policies, the user's groups' included, and that of its
        permissions boundary, if it has one; NoSuchEntity where there is no such principal."""
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        if kind not in ("role", "user"):
            raise NotImplementedHere(f"SimulatePrincipalPolicy for {arn}, which is no role and no user,")
        holder = self.get_role(name) if kind == "role" else self.get_user(name)
        return documents.identity_policies(self, holder), documents.boundary_of(self, holder)


def install() -> None:
    """Put the simulating backend in moto's place."""
    iam_backends.clear()
    iam_backends.backend = SimulatingIAMBackend
