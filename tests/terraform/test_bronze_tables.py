"""The bronze tables that Terraform makes are those of a laptop."""

from typing import Any

import pytest
from terraform_cli import Platform

from laptop import bronze


@pytest.mark.parametrize("name", sorted(bronze.tables()))
def test_terraform_and_make_run_make_the_same_table(platform_on_local_aws: Platform, name: str) -> None:
    document = platform_on_local_aws.document
    glue = platform_on_local_aws.aws.client("glue")
    made = glue.get_table(DatabaseName=document["bronze_database"], Name=name)["Table"]
    wanted = bronze.table_input(name, bronze.tables()[name], document["bronze_bucket"])
    assert _like(wanted, made) == wanted


def _like(wanted: Any, made: Any) -> Any:
    """What `made` has for the members of `wanted`; where AWS leaves an empty one out, that."""
    if isinstance(wanted, list) and isinstance(made, list) and len(wanted) == len(made):
        return [_like(*pair) for pair in zip(wanted, made, strict=True)]
    if not isinstance(wanted, dict) or not isinstance(made, dict):
        return made
    if "classification" in wanted:  # of all table parameters, so that none is left over
        return made
    return {name: _like(value, made.get(name, type(value)())) for name, value in wanted.items()}
