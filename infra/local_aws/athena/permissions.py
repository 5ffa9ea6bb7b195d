"""What a query does to catalog and data, it does with its caller's permissions."""

from local_aws import authorization

SERVICE = "athena.amazonaws.com"
_VIA = {
    "aws:CalledVia": [SERVICE],
    "aws:CalledViaFirst": SERVICE,
    "aws:CalledViaLast": SERVICE,
    "aws:ViaAWSService": "true",
}


def require(action: str, resource: str, **conditions: str) -> None:
    """AccessDenied unless the caller of the query that this thread runs may do `action` by way of Athena."""
    known = {name.replace("_", ":"): value for name, value in conditions.items()}
    authorization.require(authorization.caller(), action, resource, {**_VIA, **known})
