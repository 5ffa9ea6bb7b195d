"""Athena's API around queries: what does not exist is an error of AWS's, what is not carried out is refused by name."""

import json
import re
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.athena.models import athena_backends
from local_aws.athena.responses import EXECUTED, KEPT_BY_MOTO, ExecutingAthenaResponse
from local_aws.instead import instead
from raw_requests import send

ARN = "arn:aws:athena:us-east-1:123456789012:workgroup/"


@pytest.fixture
def athena(local_aws: object) -> Any:
    return boto3.client("athena")


@pytest.fixture
def group(athena: Any) -> str:
    name = f"group-{uuid.uuid4().hex[:8]}"
    athena.create_work_group(Name=name, Description="first", Tags=[{"Key": "team", "Value": "a"}])
    return name


def refusal(athena: Any, operation: str, **arguments: Any) -> tuple[str, str]:
    """(code, message) of the error that the operation answers with."""
    with pytest.raises(ClientError) as refused:
        getattr(athena, operation)(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


INVALID = "InvalidRequestException"
NO_GROUP = (INVALID, "WorkGroup nope is not found.")
NO_CATALOG = (INVALID, "DataCatalog nope was not found: local Athena has AwsDataCatalog only")
NO_QUERY = (INVALID, "NamedQuery nope was not found")
NO_RESOURCE = ("ResourceNotFoundException", f"Athena Resource, {ARN}nope Does Not Exist")
NO_DATABASE = (
    "Database nope not found. (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException)"
)


@pytest.mark.parametrize(
    ("operation", "request_", "error"),
    [
        ("CreateWorkGroup", {"Name": "a b"}, (INVALID, "1 validation error detected: Value 'a b' at 'name' failed")),
        ("StartQueryExecution", {}, (INVALID, "1 validation error detected: Value null at 'queryString' failed")),
        ("ListQueryExecutions", {"MaxResults": 51}, (INVALID, "1 validation error detected: Value '51' at 'maxRes")),
        ("ListQueryExecutions", {"MaxResults": "5"}, ("SerializationException", "str at 'maxResults' can not be ")),
    ],
)
def test_a_request_that_the_model_does_not_allow(
    local_aws: Any, operation: str, request_: Any, error: tuple[str, str]
) -> None:
    status, body = send(local_aws.url, "athena", operation, request_)
    answer = {name.lower(): value for name, value in json.loads(body).items()}
    assert (status, answer["__type"].rpartition("#")[2]) == (400, error[0])
    assert answer["message"].startswith(error[1])


@pytest.mark.parametrize(
    ("operation", "arguments", "error"),
    [
        ("get_work_group", {"WorkGroup": "nope"}, NO_GROUP),
        ("update_work_group", {"WorkGroup": "nope", "Description": "x"}, NO_GROUP),
        ("delete_work_group", {"WorkGroup": "nope"}, NO_GROUP),
        ("list_query_executions", {"WorkGroup": "nope"}, NO_GROUP),
        ("list_named_queries", {"WorkGroup": "nope"}, NO_GROUP),
        ("create_named_query", {"Name": "n", "Database": "d", "QueryString": "q", "WorkGroup": "nope"}, NO_GROUP),
        ("batch_get_prepared_statement", {"PreparedStatementNames": ["st"], "WorkGroup": "nope"}, NO_GROUP),
        ("create_work_group", {"Name": "primary"}, (INVALID, "WorkGroup is already created")),
        ("delete_work_group", {"WorkGroup": "primary"}, (INVALID, "The primary WorkGroup cannot be deleted")),
        ("get_named_query", {"NamedQueryId": "nope"}, NO_QUERY),
        ("update_named_query", {"NamedQueryId": "nope", "Name": "n", "QueryString": "q"}, NO_QUERY),
        ("delete_named_query", {"NamedQueryId": "nope"}, NO_QUERY),
        ("get_data_catalog", {"Name": "nope"}, NO_CATALOG),
        ("list_databases", {"CatalogName": "nope"}, NO_CATALOG),
        ("get_database", {"CatalogName": "nope", "DatabaseName": "default"}, NO_CATALOG),
        (
            "get_database",
            {"CatalogName": "AwsDataCatalog", "DatabaseName": "nope"},
            ("MetadataException", NO_DATABASE),
        ),
        (
            "list_table_metadata",
            {"CatalogName": "AwsDataCatalog", "DatabaseName": "nope"},
            ("MetadataException", NO_DATABASE),
        ),
        (
            "get_table_metadata",
            {"CatalogName": "AwsDataCatalog", "DatabaseName": "default", "TableName": "nope"},
            ("MetadataException", NO_DATABASE.replace("Database", "Table", 1)),
        ),
        ("tag_resource", {"ResourceARN": f"{ARN}nope", "Tags": [{"Key": "k", "Value": "v"}]}, NO_RESOURCE),
        ("untag_resource", {"ResourceARN": f"{ARN}nope", "TagKeys": ["k"]}, NO_RESOURCE),
        ("list_tags_for_resource", {"ResourceARN": f"{ARN}nope"}, NO_RESOURCE),
    ],
)
def test_what_does_not_exist_is_an_error(athena: Any, operation: str, arguments: Any, error: Any) -> None:
    assert refusal(athena, operation, **arguments) == error


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_data_catalog", {"Name": "other", "Type": "LAMBDA"}),
        ("create_capacity_reservation", {"Name": "r", "TargetDpus": 24}),
        ("get_capacity_reservation", {"Name": "r"}),
        ("list_capacity_reservations", {}),
        ("start_session", {"WorkGroup": "primary", "EngineConfiguration": {"MaxConcurrentDpus": 4}}),
        ("create_notebook", {"WorkGroup": "primary", "Name": "n"}),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(athena: Any, operation: str, arguments: Any) -> None:
    name = operation.replace("_", " ").title().replace(" ", "")
    message = f"{name} is not implemented by local AWS; nothing has been done. {instead('athena', name)}"
    assert refusal(athena, operation, **arguments) == ("NotImplementedException", message)


def test_every_operation_of_the_api_is_carried_out_or_refused(athena: Any) -> None:
    assert set(athena.meta.service_model.operation_names) >= EXECUTED | KEPT_BY_MOTO
    for name in EXECUTED:
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert getattr(ExecutingAthenaResponse, method).__module__.startswith("local_aws."), name


@pytest.mark.parametrize(
    ("configuration", "named"),
    [
        ({"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}}, "PySpark engine version 3"),
        ({"ManagedQueryResultsConfiguration": {"Enabled": True}}, "ManagedQueryResultsConfiguration"),
        ({"EnableMinimumEncryptionConfiguration": True}, "EnableMinimumEncryptionConfiguration"),
        ({"ResultConfiguration": {"EncryptionConfiguration": {"EncryptionOption": "CSE_KMS"}}}, "CSE_KMS"),
    ],
)
def test_a_workgroup_that_no_query_would_obey_is_refused(
    athena: Any, group: str, configuration: Any, named: str
) -> None:
    code, message = refusal(athena, "create_work_group", Name=f"{group}-2", Configuration=configuration)
    assert code == "NotImplementedException" and named in message


def test_a_workgroup_is_updated_member_by_member(athena: Any, lake: Any, group: str) -> None:
    output = f"s3://{lake.bucket}/group/"
    athena.update_work_group(
        WorkGroup=group,
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfigurationUpdates": {"OutputLocation": output, "ExpectedBucketOwner": "123456789012"},
        },
    )
    found = athena.get_work_group(WorkGroup=group)["WorkGroup"]
    assert found["Description"] == "first"
    assert found["Configuration"]["ResultConfiguration"]["OutputLocation"] == output
    done = lake.run("select 1", WorkGroup=group)
    assert done["ResultConfiguration"]["OutputLocation"] == f"{output}{done['QueryExecutionId']}.csv"
    athena.update_work_group(
        WorkGroup=group,
        Description="",
        State="DISABLED",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "ResultConfigurationUpdates": {"RemoveExpectedBucketOwner": True},
        },
    )
    found = athena.get_work_group(WorkGroup=group)["WorkGroup"]
    assert (found["State"], found["Description"]) == ("DISABLED", "")
    assert found["Configuration"]["ResultConfiguration"] == {"OutputLocation": output}
    assert found["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert "is disabled" in refusal(athena, "start_query_execution", QueryString="select 1", WorkGroup=group)[1]


def test_a_workgroup_in_use_is_deleted_with_all_it_holds_and_only_when_asked(athena: Any, group: str) -> None:
    query = athena.create_named_query(Name="n", Database="d", QueryString="select 1", WorkGroup=group)["NamedQueryId"]
    assert refusal(athena, "delete_work_group", WorkGroup=group) == (INVALID, f"WorkGroup {group} is not empty")
    athena.delete_work_group(WorkGroup=group, RecursiveDeleteOption=True)
    assert refusal(athena, "get_named_query", NamedQueryId=query)[0] == INVALID
    athena.create_work_group(Name=group)
    assert athena.list_tags_for_resource(ResourceARN=ARN + group)["Tags"] == []


def test_a_workgroup_is_tagged(athena: Any, group: str) -> None:
    athena.tag_resource(ResourceARN=ARN + group, Tags=[{"Key": "stage", "Value": "dev"}])
    athena.untag_resource(ResourceARN=ARN + group, TagKeys=["team"])
    assert athena.list_tags_for_resource(ResourceARN=ARN + group)["Tags"] == [{"Key": "stage", "Value": "dev"}]


def test_named_queries_are_kept_changed_listed_and_deleted(athena: Any, group: str) -> None:
    wanted = {"Name": "daily", "Database": "d", "QueryString": "select 1", "WorkGroup": group}
    query = athena.create_named_query(**wanted)["NamedQueryId"]
    assert athena.get_named_query(NamedQueryId=query)["NamedQuery"] == {**wanted, "NamedQueryId": query}
    athena.update_named_query(NamedQueryId=query, Name="weekly", Description="why", QueryString="select 7")
    answer = athena.batch_get_named_query(NamedQueryIds=[query, "nope"])
    changed = {"Name": "weekly", "Description": "why", "QueryString": "select 7", "NamedQueryId": query}
    assert answer["NamedQueries"] == [wanted | changed]
    assert [missing["NamedQueryId"] for missing in answer["UnprocessedNamedQueryIds"]] == ["nope"]
    second = athena.create_named_query(**wanted)["NamedQueryId"]
    first_page = athena.list_named_queries(WorkGroup=group, MaxResults=1)
    next_page = athena.list_named_queries(WorkGroup=group, MaxResults=1, NextToken=first_page["NextToken"])
    assert first_page["NamedQueryIds"] + next_page["NamedQueryIds"] == [query, second]
    assert "NextToken" not in next_page
    athena.delete_named_query(NamedQueryId=query)
    assert athena.list_named_queries(WorkGroup=group)["NamedQueryIds"] == [second]


def test_prepared_statements_are_got_in_a_batch(athena: Any, group: str) -> None:
    athena.create_prepared_statement(StatementName="one", WorkGroup=group, QueryStatement="select ?")
    answer = athena.batch_get_prepared_statement(PreparedStatementNames=["one", "two"], WorkGroup=group)
    assert [(s["StatementName"], s["QueryStatement"]) for s in answer["PreparedStatements"]] == [("one", "select ?")]
    assert [missing["StatementName"] for missing in answer["UnprocessedPreparedStatementNames"]] == ["two"]


def test_engine_versions_and_catalogs_are_listed(athena: Any) -> None:
    versions = athena.list_engine_versions()["EngineVersions"]
    assert {version["EffectiveEngineVersion"] for version in versions} == {"Athena engine version 3"}
    assert athena.list_data_catalogs()["DataCatalogsSummary"] == [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]
    assert athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"


def test_databases_and_tables_are_those_of_glue(flights: Any) -> None:
    flights.run("create database if not exists {database}_2 comment 'made by a query'")
    catalog = {"CatalogName": "AwsDataCatalog"}
    names = [
        database["Name"]
        for page in flights.athena.get_paginator("list_databases").paginate(**catalog, MaxResults=1)
        for database in page["DatabaseList"]
    ]
    assert names == sorted(names) and {"default", flights.database, f"{flights.database}_2"} <= set(names)
    database = flights.athena.get_database(**catalog, DatabaseName=f"{flights.database}_2")["Database"]
    assert database["Description"] == "made by a query"

    table = flights.athena.get_table_metadata(**catalog, DatabaseName=flights.database, TableName="FLIGHTS")
    found = table["TableMetadata"]
    assert (found["Name"], found["TableType"]) == ("flights", "EXTERNAL_TABLE")
    assert [(column["Name"], column["Type"]) for column in found["Columns"]] == [
        ("carrier", "string"),
        ("delay", "string"),
    ]
    assert [column["Name"] for column in found["PartitionKeys"]] == ["year", "month"]
    assert found["Parameters"]["location"] == f"s3://{flights.bucket}/flights/"
    assert found["Parameters"]["serde.serialization.lib"].endswith("OpenCSVSerde")
    assert found["Parameters"]["skip.header.line.count"] == "1"
    flights.run("create view late as select * from flights")
    listed = flights.athena.list_table_metadata(**catalog, DatabaseName=flights.database, Expression="FL.*")
    assert [item["Name"] for item in listed["TableMetadataList"]] == ["flights"]
    every = flights.athena.list_table_metadata(**catalog, DatabaseName=flights.database)["TableMetadataList"]
    assert [item["Name"] for item in every] == ["flights", "late"]


def test_a_token_is_known_for_a_day_and_a_query_for_45(lake: Any) -> None:
    athena = boto3.client("athena", region_name="eu-north-1")  # where no other test has queries
    queries = athena_backends["123456789012"]["eu-north-1"].queries
    output = {"OutputLocation": f"s3://{lake.bucket}/results/"}

    def start() -> str:
        token = {"ClientRequestToken": "t" * 32, "ResultConfiguration": output}
        return str(athena.start_query_execution(QueryString="select 1", **token)["QueryExecutionId"])

    first = start()
    assert start() == first
    queries[first].submitted_at -= 25 * 3600
    second = start()
    assert second != first and list(queries) == [first, second]
    queries[first].submitted_at -= 44 * 24 * 3600
    assert start() == second and list(queries) == [second]
    assert refusal(athena, "get_query_execution", QueryExecutionId=first)[0] == INVALID
