"""IAM's requests: moto's, and SimulatePrincipalPolicy."""

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse as MotoResponse

from local_aws.iam.exceptions import NotImplementedHere
from local_aws.iam.simulation import decide


class IamResponse(MotoResponse):
    """moto's, with an operation that moto lacks."""

    def simulate_principal_policy(self) -> ActionResult:
        request = dict(self._get_params())
        refused = sorted(request.keys() - {"PolicySourceArn", "ActionNames", "ResourceArns"})
        if refused:
            raise NotImplementedHere(f"SimulatePrincipalPolicy with {', '.join(refused)}")
        policies = self.backend.policies_of(request["PolicySourceArn"])
        results = []
        for resource in request.get("ResourceArns") or ["*"]:
            for action in request["ActionNames"]:
                decision, unknown = decide(policies, action, resource)
                results.append(
                    {
                        "EvalActionName": action,
                        "EvalResourceName": resource,
                        "EvalDecision": decision,
                        "MissingContextValues": unknown,
                    }
                )
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})
