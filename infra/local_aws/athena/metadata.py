"""Athena's API about the data catalog: Glue's databases and tables, as Athena describes them."""

import json
import re
from typing import Any

from local_aws.athena.exceptions import InvalidRequestException, MetadataException, not_found
from local_aws.athena.stores import MotoCatalog
from local_aws.athena.workgroups import WorkGroupResponse, page

CATALOG = "AwsDataCatalog"


class MetadataResponse(WorkGroupResponse):
    """Requests about the one data catalog there is, and what is in it."""

    def list_data_catalogs(self) -> str:
        return json.dumps({"DataCatalogsSummary": [{"CatalogName": CATALOG, "Type": "GLUE"}]})

    def get_data_catalog(self) -> str:
        self._check_catalog(self._get_param("Name"))
        parameters = {"catalog-id": self.current_account}
        return json.dumps({"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": parameters}})

    def get_database(self) -> str:
        return json.dumps({"Database": self._database()})

    def list_databases(self) -> str:
        catalog = self._catalog()
        names, following = self._page(catalog.databases())
        return json.dumps({"DatabaseList": [_database(catalog.database(name), name) for name in names], **following})

    def get_table_metadata(self) -> str:
        database, name = self._database()["Name"], self._get_param("TableName").lower()
        found = self._catalog().table_description(database, name)
        if found is None:
            raise not_found(f"Table {name}")
        return json.dumps({"TableMetadata": _table(found)})

    def list_table_metadata(self) -> str:
        catalog, database = self._catalog(), self._database()["Name"]
        expression = self._get_param("Expression") or ".*"
        try:
            wanted = re.compile(expression, re.IGNORECASE)
        except re.error as error:
            raise InvalidRequestException(f"Expression {expression} is not a regular expression: {error}") from error
        described = catalog.table_descriptions(database)
        names, following = self._page([name for name in described if wanted.fullmatch(name)])
        return json.dumps({"TableMetadataList": [_table(described[name]) for name in names], **following})

    def _catalog(self) -> MotoCatalog:
        self._check_catalog(self._get_param("CatalogName"))
        return MotoCatalog(self.backend.catalog.glue, MetadataException)

    def _check_catalog(self, name: str) -> None:
        if name.lower() != CATALOG.lower():
            raise InvalidRequestException(f"DataCatalog {name} was not found: local Athena has {CATALOG} only")

    def _database(self) -> dict[str, Any]:
        catalog, name = self._catalog(), self._get_param("DatabaseName").lower()
        if not catalog.has_database(name):
            raise not_found(f"Database {name}")
        return _database(catalog.database(name), name)

    def _page(self, names: list[str]) -> tuple[list[str], dict[str, str]]:
        return page(names, int(self._get_param("MaxResults") or 50), self._get_param("NextToken"))


def _database(description: dict[str, Any], name: str) -> dict[str, Any]:
    found = {"Name": name, "Description": description.get("Description"), "Parameters": description.get("Parameters")}
    return {member: value for member, value in found.items() if value}


def _table(description: dict[str, Any]) -> dict[str, Any]:
    """TableMetadata: Athena puts Glue's storage descriptor among the parameters."""
    storage = description.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = {
        **(description.get("Parameters") or {}),
        "inputformat": storage.get("InputFormat"),
        "location": storage.get("Location"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()},
    }
    found = {
        "Name": description["Name"],
        "CreateTime": description["CreateTime"].timestamp(),
        "TableType": description.get("TableType"),
        "Columns": _columns(storage.get("Columns")),
        "PartitionKeys": _columns(description.get("PartitionKeys")),
        "Parameters": {name: value for name, value in parameters.items() if value is not None},
    }
    return {member: value for member, value in found.items() if value is not None}


def _columns(columns: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    wanted = ("Name", "Type", "Comment")
    return [{member: column[member] for member in wanted if column.get(member)} for column in columns or []]
