"""Which operations local AWS carries out, found by calling each of them, and the page that says so."""

import json
from collections.abc import Iterable, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from local_aws.athena import responses as athena
from local_aws.cloudwatch import responses as cloudwatch
from local_aws.logs import responses as logs
from local_aws.sagemaker import responses as sagemaker
from local_aws.sagemakerruntime.responses import OPERATIONS, SageMakerRuntimeResponse
from local_aws.validation import service_model
from raw_requests import post, send

REGION = "ap-southeast-1"  # one that no other test uses
RENEW = ".venv/bin/python -m pytest tests/local_aws/test_operations.py --renew-docs"
TITLES = {
    "sagemaker": "SageMaker",
    "sagemaker-runtime": "SageMaker Runtime",
    "athena": "Athena",
    "cloudwatch": "CloudWatch",
    "logs": "CloudWatch Logs",
}
KINDS = {
    "real": "carried out",
    "record": "kept as a record, by moto",
    "none": "answered truthfully: nothing of the kind can be made here, so there is none",
    "refused": "refused by name, with what to use instead",
}
# What is moto's, and what of it is not what it seems.
OTHERS = {
    "S3": "buckets' policies with their conditions are obeyed; lifecycle rules are kept, and move nothing",
    "Glue": "the catalog; starting a job, a crawler, a trigger or a workflow is refused",
    "IAM, STS": "policies are enforced with `--enforce-iam`; SimulatePrincipalPolicy says what they allow",
    "EventBridge": "events reach topics and moto's other targets; rules with a schedule never fire",
    "SNS, SQS": "messages go to queues, topics and HTTP addresses; mail and SMS go nowhere",
    "SSM": "parameters; commands for instances are refused",
    "KMS": "keys encrypt and decrypt; key policies are enforced with `--enforce-iam`",
    "Application Auto Scaling": "targets and policies are kept, and scale nothing",
    "Budgets": "budgets are kept, and nothing is charged",
}


@dataclass(frozen=True)
class Operation:
    """One operation of a service's API; `instead` is said by the refusal."""

    service: str
    name: str
    kind: str
    instead: str = ""


def found(url: str) -> list[Operation]:
    """Every operation of the services made real, as local AWS at `url` answers to it."""
    return [
        _operation(service, name, _error(url, service, name))
        for service in TITLES
        for name in service_model(service).operation_names
    ]


def _operation(service: str, name: str, error: dict[str, Any]) -> Operation:
    if error.get("__type", "").rpartition("#")[2] == "NotImplementedException":
        message = str(error.get("message") or error.get("Message"))
        said = f"{name} is not implemented by local AWS; nothing has been done."
        assert message.startswith(said), message
        return Operation(service, name, "refused", message.removeprefix(said).strip())
    return Operation(service, name, _kind(service, name))


def _kind(service: str, name: str) -> str:
    kinds: dict[str, dict[str, Set[str]]] = {
        "sagemaker": {"real": sagemaker.EXECUTED, "record": sagemaker.RECORDS, "none": sagemaker.ABSENT},
        "sagemaker-runtime": {"real": SageMakerRuntimeResponse.carried_out},
        "athena": {"real": athena.EXECUTED, "record": athena.KEPT_BY_MOTO},
        "cloudwatch": {"real": cloudwatch.EXECUTED, "record": cloudwatch.KEPT_BY_MOTO},
        "logs": {"real": logs.EXECUTED, "record": logs.KEPT_BY_MOTO},
    }
    (kind,) = (kind for kind, names in kinds[service].items() if name in names)
    return kind


def _error(url: str, service: str, name: str) -> dict[str, Any]:
    """The error that a minimal request gets; empty where it gets none."""
    if service == "sagemaker-runtime":
        path = {operation: path for path, operation in OPERATIONS.items()}[name]
        status, body = post(f"{url}/endpoints/nowhere/{path}", "sagemaker", {}, b"", region=REGION)
    else:
        shape = service_model(service).operation_model(name).input_shape
        status, body = send(url, service, name, minimal(shape) if shape else {}, region=REGION)
    assert status < 500, f"{name}: {body!r}"
    return dict(json.loads(body)) if status >= 400 else {}


def minimal(shape: Any) -> Any:
    """A document with the members that the shape requires, naming nothing that there is."""
    if shape.type_name == "structure":
        return {name: minimal(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [minimal(shape.member)] * shape.metadata.get("min", 0)
    if shape.type_name == "map":
        return {}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "nowhere".ljust(shape.metadata.get("min", 0), "x")
    return False if shape.type_name == "boolean" else shape.metadata.get("min", 0)


def page(operations: list[Operation]) -> str:
    """docs/local-aws-operations.md."""
    lines = [
        *("# Operations of local AWS", "", f"    {RENEW}", ""),
        "calls every operation of these services on a local AWS, and writes this page from the answers.",
        *("", "| service | " + " | ".join(KINDS) + " | all |", "|---|" + "---:|" * (len(KINDS) + 1)),
    ]
    for service, title in TITLES.items():
        lines.append(_totals(title, [each for each in operations if each.service == service]))
    lines += [_totals("all", operations), "", *(f"- **{kind}**: {meaning}" for kind, meaning in KINDS.items())]
    for service, title in TITLES.items():
        lines += ["", f"## {title}", ""]
        for kind in KINDS:
            lines += _listed(kind, [each for each in operations if (each.service, each.kind) == (service, kind)])
    lines += [
        *("", "## The other services", ""),
        "They are moto's; an operation that moto lacks is refused by name. What to know of those that a pipeline uses:",
        *("", "| service | |", "|---|---|", *(f"| {service} | {limits} |" for service, limits in OTHERS.items())),
    ]
    return "\n".join(lines) + "\n"


def _totals(title: str, operations: list[Operation]) -> str:
    counts = [sum(each.kind == kind for each in operations) for kind in KINDS]
    return f"| {title} | {' | '.join(map(str, [*counts, len(operations)]))} |"


def _listed(kind: str, operations: list[Operation]) -> list[str]:
    if not operations:
        return []
    if kind != "refused":
        return [f"**{kind}**: {_names(operations)}", ""]
    ordered = sorted(operations, key=lambda each: (each.instead, each.name))
    return ["| refused | instead |", "|---|---|"] + [
        f"| {_names(family)} | {text} |" for text, family in groupby(ordered, key=lambda each: each.instead)
    ]


def _names(operations: Iterable[Operation]) -> str:
    return ", ".join(sorted(each.name for each in operations))
