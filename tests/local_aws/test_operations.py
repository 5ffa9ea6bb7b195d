"""The page of operations says what local AWS answers, and every refusal says what to use instead."""

import re
from pathlib import Path
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.logs.models import logs_backends

import operations
from local_aws.athena.models import athena_backends
from local_aws.cloudwatch.models import cloudwatch_backends
from local_aws.instead import FAMILIES
from local_aws.sagemaker.models import sagemaker_backends

PAGE = Path(__file__).parents[2] / "docs" / "local-aws-operations.md"


@pytest.fixture(scope="module")
def found(local_aws: Any) -> list[operations.Operation]:
    answered = operations.found(local_aws.url)
    for backends in (sagemaker_backends, athena_backends, cloudwatch_backends, logs_backends):
        backends[DEFAULT_ACCOUNT_ID][operations.REGION].reset()
    return answered


def test_the_page_says_what_local_aws_answers(found: list[operations.Operation], pytestconfig: pytest.Config) -> None:
    page = operations.page(found)
    if pytestconfig.getoption("renew_docs"):
        PAGE.write_text(page)
    assert page == PAGE.read_text(), f"{PAGE.name} is out of date; renew it by {operations.RENEW}"


def test_every_refusal_says_what_to_use_instead(found: list[operations.Operation]) -> None:
    assert [each.name for each in found if each.kind == "refused" and not each.instead] == []


def test_no_sentence_is_about_what_is_carried_out(found: list[operations.Operation]) -> None:
    refused = [each for each in found if each.kind == "refused"]
    unused = [
        words
        for service, families in FAMILIES.items()
        for words, _ in families
        if not any(each.service == service and re.search(words, each.name) for each in refused)
    ]
    assert unused == []
