"""Local AWS' pages as a browser shows them."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from browser import browser
from console_pages import metric, put_dashboard, put_metric
from own_server import OwnServer
from sagemaker_endpoints import Endpoints

from proof.chromium import Tab

pytestmark = pytest.mark.long(30)

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def tab(chromium: Any, local_aws: Any) -> Iterator[Tab]:
    """A tab; nothing may go wrong in it, and it asks nobody but local AWS."""
    found = Tab(chromium, local_aws.url)
    yield found
    found.page.close()
    assert found.errors == []


@pytest.fixture
def namespace() -> str:
    return f"Browser{uuid.uuid4().hex[:8]}"


def test_charts_are_drawn_from_the_metrics(tab: Tab, namespace: str) -> None:
    put_metric(namespace, "calls", [3.0, 1.0, 2.0])
    put_metric(namespace, "errors", [0.0, 1.0, 0.0])
    metrics = [[namespace, "calls"], [namespace, "errors", {"label": EVIL}]]
    dial = metric(metrics[0], view="gauge", yAxis={"left": {"min": 0, "max": 5}})
    views = [metric(*metrics, view=view) for view in ("timeSeries", "bar", "pie")]
    name = put_dashboard(metric(*metrics, stacked=True, title=EVIL), *views, dial)
    page = tab.open(f"/_dashboard/{name}")
    assert page.locator("#widget-1 .scatterlayer .trace").count() == 2
    assert page.locator("#widget-2 .scatterlayer .trace").first.locator(".points path").count() == 3
    assert page.locator("#widget-3 .bars .point").count() == 2
    assert page.locator("#widget-4 .pielayer .slice").count() == 2
    assert page.locator("#widget-5 .indicatorlayer .numbers").text_content() == "2"
    assert EVIL in page.locator("#widget-1 .legend").text_content()  # as it is, and not as HTML
    assert page.locator(".widget h3").first.inner_text() == EVIL
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_dashboard_looks_again_and_keeps_its_range(tab: Tab, namespace: str) -> None:
    put_metric(namespace, "calls", [1.0])
    page = tab.open(f"/_dashboard/{put_dashboard(metric([namespace, 'calls', {'stat': 'Sum'}]))}")
    page.get_by_text("1h", exact=True).click()
    page.get_by_text("10s", exact=True).click()
    assert page.url.endswith("?range=1h&refresh=10s")
    tab.wait_for_charts()
    assert page.evaluate("() => document.querySelector('.chart').data[0].y") == [1.0]
    page.evaluate("() => { document.querySelector('.chart').first = true; }")
    put_metric(namespace, "calls", [41.0])
    page.wait_for_function("() => document.querySelector('.chart').data[0].y.at(-1) >= 41", timeout=60_000)
    assert page.evaluate("() => document.querySelector('.chart').first")  # made anew it would flicker


def test_a_page_says_when_local_aws_has_ended(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = OwnServer(tmp_path / "state", monkeypatch)
    put_metric("N", "m", [1.0])
    tab = Tab(chromium, boto3.client("s3").meta.endpoint_url)
    page = tab.open(f"/_dashboard/{put_dashboard(metric(['N', 'm']))}?refresh=10s")
    own.end("SIGTERM")
    assert "Local AWS does not answer" in page.locator("#lost").inner_text(timeout=60_000)
    assert page.locator(".chart .trace").count() == 1  # as it was
    page.close()


def test_a_query_is_typed_and_its_result_is_shown(tab: Tab, s3: Any) -> None:
    group = f"browser-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=group)
    location: Any = {"ResultConfiguration": {"OutputLocation": f"s3://{group}/"}}
    boto3.client("athena").create_work_group(Name=group, Configuration=location)
    page = tab.open("/_console/queries")
    page.locator("textarea").fill(f"select 6 * 7 as answer,\n  '{EVIL}' as html")
    page.locator("select[name=workgroup]").select_option(group)
    page.get_by_role("button", name="Run").click()
    page.locator("table.data tbody tr").wait_for(timeout=60_000)
    assert page.locator("table.data th").all_inner_texts() == ["answer", "html"]
    assert page.locator("table.data td").all_inner_texts() == ["42", EVIL]


def test_an_endpoint_is_tried_and_answers(tab: Tab, local_aws: Any) -> None:
    endpoints, name = Endpoints(), f"browser-{uuid.uuid4().hex[:8]}"
    assert endpoints.create(name)["EndpointStatus"] == "InService"
    page = tab.open(f"/_console/endpoints/{name}")
    assert page.locator("textarea").input_value() == ""
    page.locator("textarea").fill(f'{{"text": "{EVIL}"}}')
    page.get_by_role("button", name="Send").click()
    assert f'"version": "{name}"' in page.locator("#answer pre").inner_text(timeout=60_000)
    assert "HTTP 200" in page.locator("#answer").inner_text()
    assert page.locator("textarea").input_value() == f'{{"text": "{EVIL}"}}'
    endpoints.sagemaker.delete_endpoint(EndpointName=name)
