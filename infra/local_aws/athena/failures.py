"""How a query fails."""


class QueryFailed(Exception):
    """The query ends as FAILED; the message is its StateChangeReason, worded as Athena words it."""


class MalformedQuery(QueryFailed):
    """The query is no statement that Athena can read: StartQueryExecution refuses it with this message."""


class NotAuthorized(QueryFailed):
    """The query's caller may not do to the catalog what the query does; `said` is Glue's message."""

    def __init__(self, said: str) -> None:
        super().__init__(f"Insufficient permissions to execute the query. {said}")
        self.said = said


class QueryCancelled(Exception):
    """The query ends as CANCELLED; the message is its StateChangeReason."""


def unsupported(what: str, instead: str) -> QueryFailed:
    """The failure of a query that needs something local Athena does not do: names it, and says what to use instead."""
    return QueryFailed(f"NOT_SUPPORTED: local Athena does not support {what}; {instead}")


def no_iceberg(what: str) -> QueryFailed:
    """The failure of a query that is about Iceberg tables, by whichever of the ways to ask for them."""
    return unsupported(
        f"Iceberg tables ({what})",
        "use Parquet tables: CREATE TABLE AS, INSERT INTO, and a partition's new location to replace its rows",
    )


# Where a reason begins with none of these, it is 1000: "User error".
_ERROR_TYPES = {
    "GENERIC_INTERNAL_ERROR": 200,
    "EXCEEDED_LOCAL_MEMORY_LIMIT": 0,
    "Access denied when writing output": 401,
    "Permission denied on S3 path": 1306,
    "INVALID_CAST_ARGUMENT": 1001,
    "DIVISION_BY_ZERO": 1001,
    "NUMERIC_VALUE_OUT_OF_RANGE": 1001,
    "HIVE_BAD_DATA": 1001,
    "FAILED: ": 1003,
    "HIVE_INVALID_METADATA": 1004,
    "COLUMN_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1006,
    "AMBIGUOUS_NAME": 1006,
    "EXPRESSION_NOT_AGGREGATE": 1006,
    "SYNTAX_ERROR": 1006,
    "INVALID_PARAMETER_USAGE": 1100,
    "INVALID_TABLE_PROPERTY": 1103,
    "INVALID_FUNCTION_ARGUMENT": 1114,
    "INVALID_VIEW": 1115,
    "TABLE_NOT_FOUND": 1118,
    "NOT_SUPPORTED": 1200,
    "SCHEMA_NOT_FOUND": 1301,
    "HIVE_CANNOT_OPEN_SPLIT": 1302,
    "FUNCTION_NOT_FOUND": 1303,
    "PERMISSION_DENIED": 1306,
}
_SYSTEM = (0, 200)


def not_written(uri: str) -> QueryFailed:
    """The failure of a query that may not write the object `uri`."""
    return QueryFailed(
        f"Access denied when writing output to url: {uri} . Please ensure you are allowed to access the S3 bucket. If "
        "you are encrypting query results with KMS key, please ensure you are allowed to access your KMS key"
    )


def athena_error(reason: str) -> dict[str, object]:
    """AthenaError of GetQueryExecution for a query that failed for `reason`: category and type of Athena's catalog."""
    kind = next((number for prefix, number in _ERROR_TYPES.items() if reason.startswith(prefix)), 1000)
    return {
        "ErrorCategory": 1 if kind in _SYSTEM else 2,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": reason,
    }
