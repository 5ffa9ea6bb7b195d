"""STS's requests: moto's, whose sessions keep their managed policies and tags too."""

from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse as MotoResponse

from local_aws.exceptions import NotImplementedHere

TWELVE_HOURS = 43200


class TokenResponse(MotoResponse):
    """moto's, without the operation that it only pretends to carry out."""

    def assume_role(self) -> ActionResult:
        answer = super().assume_role()
        session = answer.result["Credentials"]
        session.policy_arns = [policy["arn"] for policy in self.params.get("PolicyArns") or ()]
        session.tags = {tag["Key"]: tag["Value"] for tag in self.params.get("Tags") or ()}
        return answer

    def get_session_token(self) -> ActionResult:
        duration = self._get_int_param("DurationSeconds", TWELVE_HOURS)
        return ActionResult({"Credentials": self.backend.start_user_session(self.get_access_key(), duration)})

    def get_federation_token(self) -> ActionResult:
        raise NotImplementedHere("GetFederationToken", "Assume a role.")
