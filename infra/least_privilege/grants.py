"""What the roles of a platform may do, as their policies in IAM say."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PIPELINE_ROLES = ("airflow", "sagemaker_jobs", "sagemaker_endpoint")
"""The roles that the pipeline acts as, by their members of the platform document: <role>_role_arn."""
READER = "reader"
"""The role that people look with; the document, which is the pipeline's, doesn't name it."""

_ATHENA = "https://docs.aws.amazon.com/athena/latest/ug/"
_EXECUTION_ROLES = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"
_REFUSED = "https://github.com/aws-solutions-library-samples/cloud-intelligence-dashboards-framework/issues/705"
_CREATE_MODEL = ("CreateModel asks for it", f"{_EXECUTION_ROLES}#sagemaker-roles-createmodel-perms")
# Where a part of what it writes in parts fails.
_RESULTS = ("Athena writes with it", f"{_ATHENA}federated-query-iam-access.html")
DOCUMENTED = {
    ("airflow", "athena:StopQueryExecution"): (
        "a task that is killed stops its query with it",
        "https://docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html",
    ),
    ("airflow", "glue:BatchGetPartition"): ("Athena reads partitions with it", f"{_ATHENA}security-iam-awsmanpol.html"),
    ("airflow", "glue:GetPartition"): ("Athena has refused a query without it", _REFUSED),
    ("airflow", "s3:AbortMultipartUpload"): _RESULTS,
    ("airflow", "sns:Publish"): (
        "a task that fails tells of it, and a run that is late is told of",
        "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
    ),
    (READER, "s3:AbortMultipartUpload"): _RESULTS,
    ("sagemaker_endpoint", "cloudwatch:PutMetricData"): _CREATE_MODEL,
    ("sagemaker_endpoint", "logs:DescribeLogStreams"): _CREATE_MODEL,
    ("sagemaker_jobs", "logs:DescribeLogStreams"): (
        "CreateTrainingJob asks for it",
        f"{_EXECUTION_ROLES}#sagemaker-roles-createtrainingjob-perms",
    ),
}
"""What AWS asks for of a role for what the pipeline does, and local AWS doesn't, or what no run does that ends by
itself, with the reason and a page on it: granted, although nothing here uses it."""


@dataclass(frozen=True)
class Grant:
    """One action that a statement allows a role, and the patterns of what it may be done to."""

    role: str
    policy: str
    action: str
    resources: tuple[str, ...]


def role_arns(document: Mapping[str, Any]) -> dict[str, str]:
    """The ARNs of a platform's roles: the pipeline's and the one that people look with."""
    arns = {role: str(document[f"{role}_role_arn"]) for role in PIPELINE_ROLES}
    return arns | {READER: f"{arns['airflow'].removesuffix('-airflow')}-reader"}


def role_names(document: Mapping[str, Any]) -> dict[str, str]:
    """The names in IAM of these roles."""
    return {role: arn.rpartition("/")[2] for role, arn in role_arns(document).items()}


def policies(iam: Any, role_name: str) -> dict[str, dict[str, Any]]:
    """The policies of a role: inline ones by their names, attached ones of the account by their ARNs; ValueError where
    it has one of AWS's own, which could not be taken apart here."""
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role_name)
    found = {
        name: iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        for page in pages
        for name in page["PolicyNames"]
    }
    for attached in iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        if ":aws:policy/" in arn:
            raise ValueError(
                f"{role_name} has AWS's {attached['PolicyName']}; write what it allows into one of its own"
            )
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found[arn] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return found


def replace(iam: Any, role_name: str, policy: str, document: Mapping[str, Any] | None) -> None:
    """Let the policy of a role, called as by `policies`, be `document`; with None the role is without it."""
    text = json.dumps(document)
    if not policy.startswith("arn:"):
        if document is None:
            iam.delete_role_policy(RoleName=role_name, PolicyName=policy)
        else:
            iam.put_role_policy(RoleName=role_name, PolicyName=policy, PolicyDocument=text)
    elif document is None:
        iam.detach_role_policy(RoleName=role_name, PolicyArn=policy)
    else:
        before = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=text, SetAsDefault=True)
        iam.delete_policy_version(PolicyArn=policy, VersionId=before)  # IAM keeps five
        iam.attach_role_policy(RoleName=role_name, PolicyArn=policy)


def grants(role: str, role_policies: Mapping[str, Mapping[str, Any]]) -> list[Grant]:
    """What the policies of a role allow, an action at a time; ValueError where a statement allows by exclusion."""
    found = []
    for policy, document in role_policies.items():
        for statement in _listed(document["Statement"]):
            if statement["Effect"] != "Allow":
                continue
            if "NotAction" in statement or "NotResource" in statement:
                raise ValueError(f"{policy} of {role} allows what it doesn't name: write Action and Resource")
            resources = tuple(_listed(statement["Resource"]))
            found += [Grant(role, policy, action, resources) for action in _listed(statement["Action"])]
    return found


def without(document: Mapping[str, Any], action: str) -> dict[str, Any] | None:
    """A policy that no longer allows `action`; None where it allows nothing else."""
    statements = []
    for statement in _listed(document["Statement"]):
        kept = [one for one in _listed(statement["Action"]) if one != action or statement["Effect"] != "Allow"]
        if kept:
            statements.append({**statement, "Action": kept})
    return {**document, "Statement": statements} if statements else None


def resources(granted: Iterable[Grant]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Every role with each action it may do, once and in order, and the patterns of all it may be done to."""
    found: dict[tuple[str, str], set[str]] = {}
    for grant in granted:
        found.setdefault((grant.role, grant.action), set()).update(grant.resources)
    return {pair: tuple(sorted(patterns)) for pair, patterns in sorted(found.items())}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
