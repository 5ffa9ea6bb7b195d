"""Athena's API about workgroups, their tags, and the named queries in them."""

import json
from typing import Any, cast

from moto.athena.models import NamedQuery
from moto.athena.responses import AthenaResponse

from local_aws.athena.exceptions import InvalidRequestException, ResourceNotFoundException
from local_aws.athena.models import ExecutingAthenaBackend, athena_backends
from local_aws.athena.settings import ENGINE, checked


def page(items: list[Any], limit: int, token: str | None) -> tuple[list[Any], dict[str, str]]:
    """A page of `items`, and the NextToken member of the answer, empty on the last page."""
    if token and not token.isdecimal():
        raise InvalidRequestException(f"NextToken {token} is not one that this operation gave out")
    start = int(token or 0)
    following = {"NextToken": str(start + limit)} if start + limit < len(items) else {}
    return items[start : start + limit], following


def updated(current: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
    """`current` after `updates`, in which members Remove... take away and members ...Updates go one level down."""
    found = dict(current)
    for name, value in updates.items():
        if name.endswith("Updates"):
            kept = name.removesuffix("Updates")
            found[kept] = updated(found.get(kept) or {}, value)
        elif not name.startswith("Remove"):
            found[name] = value
        elif value:
            found.pop(name.removeprefix("Remove"), None)
    return found


class WorkGroupResponse(AthenaResponse):
    """Requests about workgroups, their tags, and their named queries."""

    @property
    def backend(self) -> ExecutingAthenaBackend:
        return cast(ExecutingAthenaBackend, athena_backends[self.current_account][self.region])

    def create_work_group(self) -> str:
        name, configuration = self._get_param("Name"), self._get_param("Configuration") or {}
        if name in self.backend.work_groups:
            raise InvalidRequestException("WorkGroup is already created")
        self.backend.create_work_group(name, checked(configuration), self._get_param("Description") or "", self._tags())
        return "{}"

    def get_work_group(self) -> str:
        group = self.backend.known_work_group(self._get_param("WorkGroup"))
        return json.dumps({"WorkGroup": self.backend.get_work_group(group.name)})

    def update_work_group(self) -> str:
        group = self.backend.known_work_group(self._get_param("WorkGroup"))
        updates = self._get_param("ConfigurationUpdates") or {}
        group.configuration = checked(updated(group.configuration, updates))
        group.state = self._get_param("State") or group.state
        description = self._get_param("Description")
        group.description = group.description if description is None else description
        return "{}"

    def delete_work_group(self) -> str:
        group = self.backend.known_work_group(self._get_param("WorkGroup"))
        if group.name == "primary":
            raise InvalidRequestException("The primary WorkGroup cannot be deleted")
        if not self._get_param("RecursiveDeleteOption") and self.backend.is_used(group):
            raise InvalidRequestException(f"WorkGroup {group.name} is not empty")
        self.backend.delete_work_group(group.name)
        return "{}"

    def list_engine_versions(self) -> str:
        versions = [{"SelectedEngineVersion": name, "EffectiveEngineVersion": ENGINE} for name in ("AUTO", ENGINE)]
        return json.dumps({"EngineVersions": versions})

    def list_tags_for_resource(self) -> str:
        return json.dumps(self.backend.tagger.list_tags_for_resource(self._tagged_arn()))

    def tag_resource(self) -> str:
        self.backend.tagger.tag_resource(self._tagged_arn(), self._tags())
        return "{}"

    def untag_resource(self) -> str:
        self.backend.tagger.untag_resource_using_names(self._tagged_arn(), self._get_param("TagKeys"))
        return "{}"

    def _tags(self) -> list[dict[str, str]]:
        tags = self._get_param("Tags") or []
        if any(tag.get("Key") is None for tag in tags):  # Athena's model does not say so
            raise InvalidRequestException("A tag needs a Key")
        return [{"Key": tag["Key"], "Value": tag.get("Value") or ""} for tag in tags]

    def _tagged_arn(self) -> str:
        arn = str(self._get_param("ResourceARN"))
        if arn not in {group.arn for group in self.backend.work_groups.values()}:
            raise ResourceNotFoundException(f"Athena Resource, {arn} Does Not Exist")
        return arn

    def create_named_query(self) -> str:
        group = self.backend.work_group(self._get_param("WorkGroup") or "primary")
        members = (self._get_param(name) for name in ("Name", "Description", "Database", "QueryString"))
        return json.dumps({"NamedQueryId": self.backend.create_named_query(*members, workgroup=group.name)})

    def get_named_query(self) -> str:
        return json.dumps({"NamedQuery": _described(self._named_query())})

    def batch_get_named_query(self) -> str:
        ids, known = self._get_param("NamedQueryIds"), self.backend.named_queries
        missing = [
            {"NamedQueryId": i, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {i} was not found"}
            for i in ids
            if i not in known
        ]
        found = [_described(known[i]) for i in ids if i in known]
        return json.dumps({"NamedQueries": found, "UnprocessedNamedQueryIds": missing})

    def update_named_query(self) -> str:
        query = self._named_query()
        query.name, query.query_string = self._get_param("Name"), self._get_param("QueryString")
        description = self._get_param("Description")
        query.description = query.description if description is None else description
        return "{}"

    def delete_named_query(self) -> str:
        del self.backend.named_queries[self._named_query().id]
        return "{}"

    def list_named_queries(self) -> str:
        group = self.backend.work_group(self._get_param("WorkGroup") or "primary")
        ids = [query.id for query in self.backend.named_queries.values() if query.workgroup is group]
        found, following = page(ids, int(self._get_param("MaxResults") or 50), self._get_param("NextToken"))
        return json.dumps({"NamedQueryIds": found, **following})

    def _named_query(self) -> NamedQuery:
        query_id = self._get_param("NamedQueryId")
        if query_id not in self.backend.named_queries:
            raise InvalidRequestException(f"NamedQuery {query_id} was not found")
        return self.backend.named_queries[query_id]


def _described(query: NamedQuery) -> dict[str, str]:
    members = {"NamedQueryId": query.id, "Name": query.name, "Database": query.database}
    members |= {"QueryString": query.query_string, "WorkGroup": query.workgroup.name}
    return members | ({"Description": query.description} if query.description else {})
