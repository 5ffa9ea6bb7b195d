"""SageMaker's List operations: filters, order and pages, which moto applies in the wrong order or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from local_aws.sagemaker.exceptions import ValidationError

PAGE_SIZE = 10  # SageMaker's default MaxResults


def page(
    summaries: Iterable[Mapping[str, Any]],
    request: Mapping[str, Any],
    kind: str,
    keys: Mapping[str, Callable[[Mapping[str, Any]], Any]] | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """The summaries that `request` asks for, and the token of the next page; `kind` starts their `...Name` member,
    `keys` say what SortBy may name beside Name, Status and CreationTime."""
    name, status = f"{kind}Name", f"{kind}Status"
    chosen = [dict(summary) for summary in summaries if _wanted(summary, request, name, status)]
    by = {"Name": lambda summary: summary.get(name, ""), "Status": itemgetter(status), **(keys or {})}
    key: Any = by.get(request.get("SortBy", ""), itemgetter("CreationTime"))
    chosen.sort(key=key, reverse=request.get("SortOrder") == "Descending")
    return part(chosen, request)


def part[Item](items: Sequence[Item], request: Mapping[str, Any]) -> tuple[list[Item], str | None]:
    """The items of the page that `request` asks for, and the token of the next one."""
    token = request.get("NextToken", "0")
    if not token.isdecimal() or int(token) > len(items):
        raise ValidationError("The pagination token is invalid.")
    first = int(token)
    last = first + int(request.get("MaxResults", PAGE_SIZE))
    return list(items[first:last]), str(last) if last < len(items) else None


def _wanted(summary: Mapping[str, Any], request: Mapping[str, Any], name: str, status: str) -> bool:
    if request.get("NameContains", "").lower() not in summary.get(name, "").lower():
        return False
    if request.get("WarmPoolStatusEquals") or request.get("TrainingPlanArnEquals"):
        return False  # no training job here keeps its instances in a warm pool, or has a training plan's
    if "StatusEquals" in request and request["StatusEquals"] != summary[status]:
        return False
    return all(
        (bound := _time(request.get(f"{member}{side}"))) is None
        or (_utc(summary[member]) > bound if side == "After" else _utc(summary[member]) < bound)
        for member in ("CreationTime", "LastModifiedTime")
        for side in ("After", "Before")
    )


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    return _utc(value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC))


def _utc(time: datetime) -> datetime:
    """The time with its zone: moto's are in UTC without saying so."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
