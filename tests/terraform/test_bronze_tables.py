"""The bronze tables that Terraform makes are those of a laptop, and take files as they come."""

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


def test_a_file_that_comes_is_in_its_table_with_nothing_registered(platform_on_local_aws: Platform) -> None:
    document, s3 = platform_on_local_aws.document, platform_on_local_aws.aws.client("s3")
    key = "weather/year=2013/month=02/came.json"
    s3.put_object(Bucket=document["bronze_bucket"], Key=key, Body=b'{"origin": "JFK", "temp": "39.0"}\n')
    athena = platform_on_local_aws.aws.client("athena")
    query = athena.start_query_execution(
        QueryString="select origin, temp, year, month from weather where year = '2013' and month = '02'",
        QueryExecutionContext={"Database": document["bronze_database"]},
        WorkGroup=document["athena_workgroup"],
    )["QueryExecutionId"]
    execution = finished(athena, query)
    assert execution["Status"]["State"] == "SUCCEEDED", execution
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    assert [value["VarCharValue"] for value in rows[1]["Data"]] == ["JFK", "39.0", "2013", "02"]
    assert execution["ResultConfiguration"]["EncryptionConfiguration"]["KmsKey"] == document["kms_key_arn"]
    s3.delete_object(Bucket=document["bronze_bucket"], Key=key)


def finished(athena: Any, query: str) -> dict[str, Any]:
    for _ in range(3000):
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return execution
    raise TimeoutError(f"query {query} has not ended")
