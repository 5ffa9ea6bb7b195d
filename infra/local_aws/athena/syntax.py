"""What the rules of translation are made of: calls of DuckDB, refusals, and what a node knows of its operands."""

from collections.abc import Callable

from sqlglot import exp

from local_aws.athena.failures import unsupported

Rule = Callable[[exp.Expr], exp.Expr]
_TYPES = "operand types"  # the key in a node's meta


def call(name: str, *arguments: exp.Expr | None) -> exp.Expr:
    """A call of the DuckDB function or macro `name`."""
    return exp.Anonymous(this=name, expressions=[argument for argument in arguments if argument is not None])


def macro(name: str, *parts: str) -> Rule:
    """The rule that makes a node a call of `name` with those of its parts."""
    return lambda node: call(name, *(node.args.get(part) for part in parts))


def refused(what: str, instead: str) -> Rule:
    """The rule that fails the query for having the node."""

    def refuse(node: exp.Expr) -> exp.Expr:
        raise unsupported(what, instead)

    return refuse


def operand_types(node: exp.Expr) -> list[str]:
    """DuckDB's types of the node's operands, in their order; empty texts where they are not known."""
    found: list[str] | None = node.meta.get(_TYPES)
    return found if found else [""] * max(2, len(node.expressions))


def set_operand_types(node: exp.Expr, types: list[str]) -> None:
    """Let `node`, and its copies, know the types of its operands."""
    node.meta[_TYPES] = types
