"""/_console/: what there is of endpoints, tables and queries, and who may look."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from console_pages import Pages, shown
from own_server import INFRA, OwnServer
from sagemaker_endpoints import Endpoints
from sagemaker_requests import eventually

pytestmark = pytest.mark.long(40)

HTML = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def pages(local_aws: Any) -> Pages:
    return Pages(local_aws.url)


@pytest.fixture(scope="module")
def endpoint(local_aws: Any) -> Iterator[str]:
    """An endpoint that captures what it is asked, and has been asked for one flight."""
    endpoints, name = Endpoints(), f"console-{uuid.uuid4().hex[:8]}"
    endpoints.model(name)
    endpoints.config(name, capture=True, **{name: 1})
    endpoints.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoints.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    endpoints.invoke(name, flight="<UA 1>")
    yield name
    endpoints.sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoints_page_has_its_variants_alarms_log_and_a_request_that_it_was_really_sent(
    pages: Pages, endpoint: str
) -> None:
    alarm: Any = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Statistic": "Sum", "Period": 60}
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"busy-{endpoint}",
        **alarm,
        Dimensions=dimensions,
        EvaluationPeriods=1,
        Threshold=1e6,
        ComparisonOperator="GreaterThanThreshold",
    )
    body = '{"flight": "<UA 1>"}'
    html = eventually(lambda: pages.get(f"/_console/endpoints/{endpoint}"), lambda page: body in shown(page))
    text = shown(html)
    assert f"{endpoint} InService" in text and f"variant-{endpoint} {endpoint} ml.m5.large 1 of 1 1.0" in text
    assert f"busy-{endpoint}" in text and "Listening at" in text and '"CaptureMode": "Input"' in text
    assert 'value="application/json"' in html and "The newest captured request, from s3://" in text
    assert f'href="/_console/endpoints/{endpoint}"' in pages.get("/_console/endpoints")


def test_an_endpoint_whose_configuration_is_gone_is_shown_without_it(pages: Pages, endpoint: str) -> None:
    sagemaker, name = boto3.client("sagemaker"), f"console-{uuid.uuid4().hex[:8]}"
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "v", "ModelName": endpoint, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    text = shown(pages.get(f"/_console/endpoints/{name}"))
    assert f"{name} InService" in text and "v – – 1 of 1 1.0" in text and "ValidationException Could not find" in text
    sagemaker.delete_endpoint(EndpointName=name)


def test_trying_an_endpoint_shows_status_body_and_time(pages: Pages, endpoint: str) -> None:
    form = {"body": '{"a": 1}', "content_type": "application/json"}
    text = shown(pages.post(f"/_console/endpoints/{endpoint}", **form).text)
    assert "HTTP 200" in text and "s · application/json" in text and f'"version": "{endpoint}"' in text
    refused = shown(pages.post(f"/_console/endpoints/{endpoint}", **form | {"body": '{"refuse": 1}'}).text)
    assert "ModelError Received client error (422)" in refused and "field x is missing" in refused


def test_an_endpoint_that_does_not_begin_says_why(pages: Pages) -> None:
    endpoints, name = Endpoints(), f"console-{uuid.uuid4().hex[:8]}"
    assert endpoints.create(name, "raise RuntimeError('no <model>')")["EndpointStatus"] == "Failed"
    text = shown(pages.get(f"/_console/endpoints/{name}"))
    assert f"{name} Failed FailureReason" in text and "no <model>" in text


def test_a_tables_page_has_columns_partitions_and_a_preview(pages: Pages, flights: Any) -> None:
    assert f'href="/_console/tables/{flights.database}/flights"' in pages.get("/_console/tables")
    text = shown(pages.get(f"/_console/tables/{flights.database}/flights"))
    assert "carrier string" in text and "month partition key string" in text
    assert f"2013 01 s3://{flights.bucket}/flights/year=2013/month=01" in text
    group = workgroup(flights)
    answer = pages.post(f"/_console/tables/{flights.database}/flights", workgroup=group)
    assert answer.status_code == 303
    result = ended(pages, answer.headers["Location"])
    assert "Result 3 rows" in result and "DL -3.5 2013 02" in result


def test_a_table_whose_name_is_html_is_shown_as_text(pages: Pages, lake: Any) -> None:
    columns = [{"Name": HTML, "Type": "string", "Comment": HTML}]
    lake.glue.create_table(
        DatabaseName=lake.database,
        TableInput={"Name": "<b>t", "Description": HTML, "StorageDescriptor": {"Columns": columns, "Location": HTML}},
    )
    for page in ("/_console/tables", f"/_console/tables/{lake.database}/%3Cb%3Et"):
        html = pages.get(page)
        assert "<b>t" in shown(html) and "<b>t" not in html and HTML in shown(html) and HTML not in html


def test_a_query_is_run_and_its_result_is_a_table(pages: Pages, flights: Any) -> None:
    sql = f"select carrier, '{HTML.replace(chr(39), chr(39) * 2)}' as html, nullif(1, 1) as none from flights"
    answer = pages.post("/_console/queries", sql=sql, workgroup=workgroup(flights), database=flights.database)
    text = ended(pages, answer.headers["Location"])
    assert "Query SUCCEEDED" in text and "Result 3 rows carrier html none" in text and f"DL {HTML} null" in text
    html = pages.get(answer.headers["Location"])
    assert HTML not in html and f"{HTML} null" in text
    again = pages.get("/_console/queries", **{"from": answer.headers["Location"].rpartition("/")[2]})
    assert f"{sql} Workgroup" in shown(again)


def test_a_query_that_fails_says_why(pages: Pages, flights: Any) -> None:
    group = workgroup(flights)
    answer = pages.post(
        "/_console/queries", sql="select nothing from flights", workgroup=group, database=flights.database
    )
    reason = "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved"
    assert reason in ended(pages, answer.headers["Location"])
    assert reason in shown(pages.get("/_console/queries"))
    refused = pages.post("/_console/queries", sql="selekt", workgroup=group)
    assert refused.status_code == 400 and "400 InvalidRequestException" in shown(refused.text)


def workgroup(lake: Any) -> str:
    """A workgroup whose results go into the lake."""
    location = {"OutputLocation": f"s3://{lake.bucket}/results/"}
    lake.athena.create_work_group(Name=lake.bucket, Configuration={"ResultConfiguration": location})
    return lake.bucket


def ended(pages: Pages, path: str) -> str:
    """What a query's page shows once it does not look again."""
    return shown(eventually(lambda: pages.get(path), lambda page: 'data-refresh="0"' in page))


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/_console/jobs/training/nothing", 400, "ValidationException Requested resource not found."),
        ("/_console/jobs/painting/nothing", 404, "There is no kind of job called painting, only training"),
        ("/_console/endpoints/nothing", 400, "ValidationException Could not find endpoint"),
        ("/_console/tables/nothing/nothing", 400, "EntityNotFoundException Database nothing not found."),
        ("/_console/queries/nothing", 400, "InvalidRequestException"),
        ("/_console/nothing", 404, "404 Not Found"),
        ("/_console/static/nothing.js", 404, "There is no file nothing.js."),
    ],
)
def test_what_is_not_there_is_a_page_with_awss_code_and_message(
    pages: Pages, path: str, status: int, message: str
) -> None:
    assert message in shown(pages.get(path, status))


def test_pages_answer_to_this_machine_only(pages: Pages) -> None:
    port = pages.url.rpartition(":")[2]
    for host, status in [
        ("localhost", 200),
        (f"localhost:{port}", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil", 403),
    ]:
        answer = requests.get(f"{pages.url}/_console/", headers={"Host": host}, timeout=60)
        assert answer.status_code == status, host
    assert "These pages answer to 127.0.0.1 and localhost only, not to 127.0.0.1.evil." in answer.text


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "https://127.0.0.1"])
def test_a_form_is_taken_from_these_pages_only(pages: Pages, origin: str) -> None:
    answer = pages.post("/_console/queries", origin, sql="select 1")
    assert answer.status_code == 403 and "A form is taken from these pages only" in answer.text


def test_a_page_may_run_no_script_but_its_own(pages: Pages) -> None:
    answer = requests.get(f"{pages.url}/_console/", timeout=60)
    assert "default-src 'none'; script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_bucket_may_hold_keys_that_begin_as_pages_do(pages: Pages, s3: Any) -> None:
    s3.create_bucket(Bucket="of-its-own-host")
    s3.put_object(Bucket="of-its-own-host", Key="_console/", Body=b"an object")
    signed = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Host": "of-its-own-host.s3.amazonaws.com", "Authorization": signed}
    assert requests.get(f"{pages.url}/_console/", headers=headers, timeout=60).content == b"an object"


def test_pages_are_neither_judged_nor_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    own = OwnServer(tmp_path / "state", monkeypatch, "--enforce-iam", "--record-calls", str(calls))
    url = boto3.client("s3").meta.endpoint_url
    boto3.client("s3").create_bucket(Bucket="results")
    location = {"OutputLocation": "s3://results/"}
    boto3.client("athena").create_work_group(Name="g", Configuration={"ResultConfiguration": location})
    before = calls.read_text()
    pages = Pages(url)
    for path in ("/_console/", "/_dashboard/", "/_console/jobs", "/_console/tables", "/_console/queries"):
        pages.get(path)
    assert calls.read_text() == before
    answer = pages.post("/_console/queries", sql="select 1 as one", workgroup="g")
    assert "Result 1 row one 1" in ended(pages, answer.headers["Location"])
    assert '"athena:' not in calls.read_text()[len(before) :]  # what a query does in S3 is its own
    own.end("SIGTERM")


def test_local_aws_starts_without_the_pages() -> None:
    code = "import sys, local_aws.server; print([m for m in sys.modules if m.startswith('local_aws.console.')])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(INFRA)}, check=True)
    assert done.stdout.strip() == "[]"
