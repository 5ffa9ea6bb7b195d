"""Where requests go."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Place:
    """A region of an account: what ARNs begin with."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a service's resource here."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def everywhere(self) -> "Place":
        """The same account, for services whose resources are in no region."""
        return replace(self, region="")
