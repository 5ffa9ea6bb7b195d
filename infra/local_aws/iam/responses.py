"""IAM's requests: moto's, and SimulatePrincipalPolicy."""

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse as MotoResponse

from local_aws.authorization.policies import Inquiry, Policies
from local_aws.authorization.principals import Principal, role_session, user
from local_aws.iam.exceptions import NotImplementedHere
from local_aws.iam.simulation import result

TAKEN = {"ActionNames", "ResourceArns", "ContextEntries", "PolicyInputList", "PermissionsBoundaryPolicyInputList"}


class IamResponse(MotoResponse):
    """moto's, with operations that moto lacks."""

    def simulate_principal_policy(self) -> ActionResult:
        request = self._taken("SimulatePrincipalPolicy", TAKEN | {"PolicySourceArn"})
        arn = request["PolicySourceArn"]
        own, boundary = self.backend.policies_of(arn)
        return _simulated(request, _principal(arn), own, boundary)

    def simulate_custom_policy(self) -> ActionResult:
        request = self._taken("SimulateCustomPolicy", TAKEN)
        return _simulated(request, user(f"arn:{self.partition}:iam::{self.current_account}:user/custom"), [], None)

    def _taken(self, operation: str, members: set[str]) -> dict[str, Any]:
        request = dict(self._get_params())
        if refused := sorted(request.keys() - members):
            raise NotImplementedHere(f"{operation} with {', '.join(refused)}")
        return request


def _simulated(
    request: dict[str, Any], principal: Principal, own: list[str], boundary: list[str] | None
) -> ActionResult:
    policies = Policies(
        identity=[*own, *request.get("PolicyInputList", ())],
        boundary=request.get("PermissionsBoundaryPolicyInputList", boundary),
    )
    keys = {one["ContextKeyName"].lower(): one["ContextKeyValues"] for one in request.get("ContextEntries", ())}
    results = [
        result(Inquiry(principal, action, resource, keys), policies)
        for resource in request.get("ResourceArns") or ["*"]
        for action in request["ActionNames"]
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _principal(arn: str) -> Principal:
    return role_session(arn, "simulated") if ":role/" in arn else user(arn)
