"""Budgets' requests about tags and subscribers."""

import json

from moto.budgets.responses import BudgetsResponse as MotoResponse


class BudgetsResponse(MotoResponse):
    """moto's, with the tags of budgets and the subscribers of their notifications."""

    def create_budget(self) -> str:
        answer = str(super().create_budget())
        if tags := self._get_param("ResourceTags"):
            arn = self.backend.arn(self._get_param("AccountId"), self._get_param("Budget")["BudgetName"])
            self.backend.tag_resource(arn, tags)
        return answer

    def describe_subscribers_for_notification(self) -> str:
        members = (self._get_param(name) for name in ("AccountId", "BudgetName", "Notification"))
        return json.dumps({"Subscribers": self.backend.subscribers(*members)})

    def tag_resource(self) -> str:
        self.backend.tag_resource(self._get_param("ResourceARN"), self._get_param("ResourceTags"))
        return "{}"

    def untag_resource(self) -> str:
        self.backend.untag_resource(self._get_param("ResourceARN"), self._get_param("ResourceTagKeys"))
        return "{}"

    def list_tags_for_resource(self) -> str:
        return json.dumps({"ResourceTags": self.backend.list_tags(self._get_param("ResourceARN"))})
