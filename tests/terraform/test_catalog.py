"""The bronze tables that Terraform lays are those of the local start-up, and take files as they come."""

from typing import Any

from terraform_cli import Platform

from laptop import bronze


def test_terraform_and_the_local_start_up_lay_the_same_tables(platform_on_local_aws: Platform) -> None:
    document, glue = platform_on_local_aws.document, platform_on_local_aws.aws.client("glue")
    laid = {table["Name"]: table for table in glue.get_tables(DatabaseName=document["bronze_database"])["TableList"]}
    assert laid.keys() == bronze.tables().keys()
    for name, table in bronze.tables().items():
        wanted = bronze.table_input(name, table, document["bronze_bucket"])
        assert same(wanted, laid[name])


def same(wanted: Any, found: Any) -> bool:
    """Whether all that is wanted was found, and in the order of lists."""
    if isinstance(wanted, dict):
        return all(same(value, found.get(name) or {}) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found or []) and all(map(same, wanted, found or []))
    return bool(wanted == found)


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
