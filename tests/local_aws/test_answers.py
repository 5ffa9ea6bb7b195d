"""An answer that AWS can't give is noticed, whoever asked."""

import json
import threading
from typing import Any

import boto3
import pytest

import answers
from local_aws.athena.metadata import MetadataResponse

QUERY_ID = "QueryExecutionId"


@pytest.mark.parametrize(
    ("service", "operation", "answer", "wrong"),
    [
        ("athena", "StartQueryExecution", {QUERY_ID: "a b"}, "regular expression"),
        ("athena", "StartQueryExecution", {QUERY_ID: 1}, "int at 'queryExecutionId' can not be converted to a string"),
        ("athena", "StartQueryExecution", {QUERY_ID: None}, "null as 'QueryExecutionId'"),
        ("athena", "StartQueryExecution", {QUERY_ID: "a", "Query": 1}, "'Query' at '', which is no member of"),
        ("athena", "GetNamedQuery", {"NamedQuery": {"Name": "n"}}, "null at 'namedQuery.database' failed"),
        ("athena", "DeleteNamedQuery", [], "list at '' can not be converted to a structure"),
        ("sagemaker", "ListModels", {}, "Value null at 'models' failed"),
        ("sagemaker", "StopTrainingJob", {"Stopped": True}, "an answer that AWS gives none for"),
        ("sagemaker", "DescribeEndpoint", {"EndpointStatus": "Fine"}, "enum value set"),
        ("sagemaker", "DescribeEndpoint", {"CreationTime": "today"}, "str at 'creationTime' can not be converted"),
        ("sagemaker", "CreateHappiness", {}, "status 200 for an operation that AWS does not have"),
    ],
)
def test_an_answer_out_of_shape(service: str, operation: str, answer: Any, wrong: str) -> None:
    found = list(answers.wrongs(service, operation, 200, {}, json.dumps(answer).encode()))
    assert any(wrong in line for line in found), found


@pytest.mark.parametrize(
    ("status", "error", "wrong"),
    [
        (400, {"__type": "ValidationException"}, "without a message"),
        (400, {"__type": "Whatever", "message": "m"}, "error Whatever, which is none of"),
        (500, {"__type": "ResourceInUse", "message": "m"}, "error ResourceInUse with status 500, on AWS 400"),
        (500, {"__type": "ValidationException", "message": "m"}, "error ValidationException with status 500"),
    ],
)
def test_an_error_out_of_shape(status: int, error: Any, wrong: str) -> None:
    found = list(answers.wrongs("sagemaker", "CreateTrainingJob", status, {}, json.dumps(error).encode()))
    assert any(wrong in line for line in found), found


def test_a_page_of_html() -> None:
    found = list(answers.wrongs("sagemaker", "CreateTrainingJob", 500, {}, b"<html>"))
    assert found == ["status 500 with a body that is no JSON: b'<html>'"]


def test_a_wrong_answer_to_a_thread_fails_the_test(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MetadataResponse, "list_data_catalogs", lambda self: '{"Catalogs": []}')
    asking = threading.Thread(target=boto3.client("athena").list_data_catalogs)
    asking.start()
    asking.join()
    with pytest.raises(AssertionError, match="athena.ListDataCatalogs: 'Catalogs' at '', which is no member of"):
        answers.fail_on_wrong_ones()
