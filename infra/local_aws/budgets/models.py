"""moto's Budgets, except that budgets have tags, and that their notifications' subscribers can be read."""

from collections.abc import Sequence
from typing import Any

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import BudgetsBackend
from moto.budgets.models import budgets_backends as budgets_backends
from moto.utilities.tagging_service import TaggingService


class TaggingBudgetsBackend(BudgetsBackend):
    """moto's Budgets, except that budgets have tags."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagger = TaggingService()

    def arn(self, account_id: str, name: str) -> str:
        """The ARN of a budget."""
        return f"arn:{self.partition}:budgets::{account_id}:budget/{name}"

    def delete_budget(self, account_id: str, budget_name: str) -> None:
        super().delete_budget(account_id, budget_name)
        self.tagger.delete_all_tags_for_resource(self.arn(account_id, budget_name))

    def subscribers(self, account_id: str, budget_name: str, details: dict[str, Any]) -> list[dict[str, str]]:
        """Who is told by a budget's notification; NotFoundException where it has no such one."""
        budget = self.budgets[account_id].get(budget_name)
        for notification in budget.notifications if budget else ():
            if _identity(notification.details) == _identity(details):
                return list(notification.subscribers)
        raise NotFoundException(f"Unable to find the notification of budget {budget_name}.")

    def tag_resource(self, arn: str, tags: Sequence[dict[str, str]]) -> None:
        """Add tags to a budget."""
        self.tagger.tag_resource(self.known(arn), list(tags))

    def untag_resource(self, arn: str, keys: Sequence[str]) -> None:
        """Take tags from a budget."""
        self.tagger.untag_resource_using_names(self.known(arn), list(keys))

    def list_tags(self, arn: str) -> list[dict[str, str]]:
        """The tags of a budget."""
        return list(self.tagger.list_tags_for_resource(self.known(arn))["Tags"])

    def known(self, arn: str) -> str:
        """The ARN, if it is a budget's; NotFoundException otherwise."""
        arns = {self.arn(account, name) for account, budgets in self.budgets.items() for name in budgets}
        if arn not in arns:
            raise NotFoundException(f"Unable to find the resource {arn}.")
        return arn


def _identity(details: dict[str, Any]) -> tuple[Any, ...]:
    kind = details.get("ThresholdType", "PERCENTAGE")  # what Budgets takes for none
    return details["NotificationType"], details["ComparisonOperator"], float(details["Threshold"]), kind


def install() -> None:
    """Put the tagging backend in moto's place."""
    budgets_backends.clear()
    budgets_backends.backend = TaggingBudgetsBackend
