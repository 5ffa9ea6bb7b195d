"""The Glue table that a CREATE EXTERNAL TABLE describes."""

from typing import Any

from sqlglot import exp

from local_aws.athena.data_types import duckdb_type
from local_aws.athena.failures import QueryFailed, no_iceberg, unsupported
from local_aws.athena.objects import split_uri
from local_aws.athena.storage import storage_descriptor


def table_input(name: str, expression: exp.Create, properties: exp.Properties) -> dict[str, Any]:
    """TableInput of the table `name`; QueryFailed where Athena can't have it so."""
    if not isinstance(expression.this, exp.Schema):
        raise QueryFailed("FAILED: ParseException line 1:1 missing column list")
    location, file_format, serde, delimited, keys = "", "TEXTFILE", None, None, []
    parameters = {"EXTERNAL": "TRUE", "transient_lastDdlTime": "0"}
    serde_parameters: dict[str, str] = {}
    buckets: dict[str, Any] = {}
    for prop in properties.expressions:
        match prop:
            case exp.LocationProperty():
                location = prop.this.name
            case exp.FileFormatProperty():
                file_format = prop.this.name.upper()
            case exp.RowFormatSerdeProperty():
                serde = prop.this.name
                found = prop.args.get("serde_properties")
                serde_parameters = {p.this.name: _text(p.args["value"]) for p in (found.expressions if found else [])}
            case exp.SerdeProperties():
                serde_parameters |= {p.this.name: _text(p.args["value"]) for p in prop.expressions}
            case exp.RowFormatDelimitedProperty():
                delimited = prop
            case exp.PartitionedByProperty():
                keys = [_column(definition) for definition in prop.this.expressions]
            case exp.SchemaCommentProperty():
                parameters["comment"] = prop.this.name
            case exp.ExternalProperty():
                pass
            case exp.ClusteredByProperty():
                buckets = {
                    "BucketColumns": [column.name.lower() for column in prop.expressions],
                    "NumberOfBuckets": int(prop.args["buckets"].name),
                }
            case exp.Property() if type(prop) is exp.Property:
                parameters[prop.this.name] = _text(prop.args["value"])
            case _:
                raise unsupported(f"{prop.sql(dialect='hive')} in CREATE EXTERNAL TABLE", "leave it out")
    if not location:
        raise QueryFailed(
            "FAILED: SemanticException No location specified. An external table must have a LOCATION 's3://...'"
        )
    split_uri(location)
    if file_format not in ("PARQUET", "ORC", "AVRO", "TEXTFILE", "JSON", "INPUTFORMAT"):
        raise unsupported(f"STORED AS {file_format}", "use PARQUET, ORC, AVRO or TEXTFILE")
    if parameters.get("table_type", "").upper() == "ICEBERG":
        raise no_iceberg("'table_type'='ICEBERG'")
    descriptor = storage_descriptor(file_format, location) | buckets
    if serde:
        descriptor["SerdeInfo"] = {
            "SerializationLibrary": serde,
            "Parameters": {"serialization.format": "1"} | serde_parameters,
        }
    elif delimited is not None:
        fields = delimited.args.get("fields")
        delimiter = fields.name if fields else "\x01"
        descriptor["SerdeInfo"]["Parameters"] = {"field.delim": delimiter, "serialization.format": delimiter}
        for option, key in (("escaped", "escape.delim"), ("null", "serialization.null.format")):
            if delimited.args.get(option):
                descriptor["SerdeInfo"]["Parameters"][key] = delimited.args[option].name
    columns = [_column(definition) for definition in expression.this.expressions]
    descriptor["Columns"] = columns
    for column in [*columns, *keys]:
        duckdb_type(column["Type"])
    return {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "Retention": 0,
        "StorageDescriptor": descriptor,
        "PartitionKeys": keys,
        "Parameters": parameters,
    }


def _text(value: exp.Expr) -> str:
    """The text of a literal; Hive joins literals that stand side by side."""
    return "".join(part.name for part in value.expressions) if isinstance(value, exp.Concat) else value.name


def _column(definition: exp.ColumnDef) -> dict[str, str]:
    kind = definition.args["kind"].sql(dialect="hive").lower().replace(": ", ":").replace(", ", ",")
    column = {"Name": definition.name.lower(), "Type": kind}
    for constraint in definition.find_all(exp.CommentColumnConstraint):
        column["Comment"] = constraint.this.name
    return column
