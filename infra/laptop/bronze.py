"""The bronze tables of glue_like_sql, made in the local catalog as infra/terraform/glue.tf makes them on AWS."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from laptop.services import ServiceError
from laptop.settings import REPOSITORY
from silverline import catalog

SCHEMA = REPOSITORY / "infra" / "bronze_table.schema.json"
SQL_FOLDER = REPOSITORY / "glue_like_sql"
SERDES: dict[str, dict[str, Any]] = {
    "csv": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde", "Parameters": {}},
    "json": {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"ignore.malformed.json": "true"},
    },
}
PROPERTIES: dict[str, dict[str, str]] = {"csv": {"skip.header.line.count": "1"}, "json": {}}
# Athena works out the months by itself: nothing has to be registered when files come.
MONTH_PROJECTION = {
    "projection.enabled": "true",
    "projection.year.type": "date",
    "projection.year.format": "yyyy",
    "projection.year.range": "1900,NOW+1YEARS",
    "projection.year.interval": "1",
    "projection.year.interval.unit": "YEARS",
    "projection.month.type": "integer",
    "projection.month.range": "1,12",
    "projection.month.digits": "2",
}


def tables() -> dict[str, dict[str, Any]]:
    """What the files glue_like_sql/*/bronze/*.json say, by table; ServiceError where one has another form."""
    return {path.stem: contract(path) for path in sorted(SQL_FOLDER.glob("*/bronze/*.json"))}


def contract(path: Path) -> dict[str, Any]:
    """What the file says of its table; ServiceError with the place and the reason where it has another form."""
    where = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    except json.JSONDecodeError as error:
        raise ServiceError(f"{where} is no JSON: {error}") from None
    except jsonschema.ValidationError as error:
        place = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise ServiceError(f"{where}{' at ' if place else ''}{place}: {error.message}") from None
    return found


def table_input(name: str, table: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """TableInput of Glue for the files under `name`/ in `bucket`."""
    return {
        "Name": name,
        "Description": table["description"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": table["format"],
            **PROPERTIES[table["format"]],
            **(MONTH_PROJECTION if table["partitioned"] else {}),
        },
        "StorageDescriptor": {
            "Location": f"s3://{bucket}/{name}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": SERDES[table["format"]],
            "Columns": [{"Name": column["name"], "Type": column["type"]} for column in table["columns"]],
        },
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in ("year", "month") if table["partitioned"]],
    }


def create_or_update(name: str, table: Mapping[str, Any], database: str, bucket: str) -> None:
    """Make the table in Glue, or make it again as it is described today."""
    catalog.create_or_update_table(database, table_input(name, table, bucket))
