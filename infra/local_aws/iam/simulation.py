"""What iam:SimulatePrincipalPolicy and iam:SimulateCustomPolicy answer."""

from typing import Any

from local_aws.authorization.policies import Inquiry, Policies, decide, statements


def result(inquiry: Inquiry, policies: Policies) -> dict[str, Any]:
    """The EvaluationResult of one action on one resource, with the condition keys that it would take to be sure."""
    decision = decide(inquiry, policies)
    refused = "explicitDeny" if decision.explicit else "implicitDeny"
    return {
        "EvalActionName": inquiry.action,
        "EvalResourceName": inquiry.resource,
        "EvalDecision": "allowed" if decision.allowed else refused,
        "MissingContextValues": sorted(name for name in _asked(inquiry, policies) if name.lower() not in inquiry.keys),
    }


def _asked(inquiry: Inquiry, policies: Policies) -> set[str]:
    """The condition keys in the statements about the action on the resource, as they are spelt there."""
    documents = [*policies.identity, *(policies.boundary or ())]
    about = [one for document in documents for one in statements(document) if one.concerns(inquiry)]
    return {key for statement in about for by_key in statement.condition.values() for key in by_key}
