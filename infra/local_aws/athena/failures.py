"""How a query fails."""


class QueryFailed(Exception):
    """The query ends as FAILED; the message is its StateChangeReason, worded as Athena words it."""


def unsupported(what: str, instead: str) -> QueryFailed:
    """The failure of a query that needs something local Athena does not do: names it, and says what to use instead."""
    return QueryFailed(f"NOT_SUPPORTED: local Athena does not support {what}; {instead}")
