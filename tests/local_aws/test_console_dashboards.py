"""/_dashboard/: dashboards drawn from the JSON that PutDashboard was given."""

import json
import re
import time
import uuid
from typing import Any

import boto3
import pytest
from console_pages import Pages, figures, metric, put_body, put_dashboard, put_metric, shown


@pytest.fixture(scope="module")
def pages(local_aws: Any) -> Pages:
    return Pages(local_aws.url)


@pytest.fixture
def namespace() -> str:
    return f"Console{uuid.uuid4().hex[:8]}"


def drawn(pages: Pages, *widgets: Any, **members: Any) -> list[dict[str, Any]]:
    return figures(pages.get(f"/_dashboard/{put_dashboard(*widgets, **members)}"))


def named(figure: dict[str, Any]) -> dict[str, list[float]]:
    return {line["name"]: line["y"] for line in figure["data"]}


def test_the_list_links_to_each_dashboard(pages: Pages) -> None:
    name = put_dashboard()
    assert f'<a href="/_dashboard/{name}">{name}</a>' in pages.get("/_dashboard/")


def test_a_line_has_the_values_of_each_period_by_the_widgets_statistic(pages: Pages, namespace: str) -> None:
    put_metric(namespace, "delay", [1.0, 2.0, 4.0], endpoint="a")
    put_metric(namespace, "delay", [3.0, 2.0, 0.0], endpoint="a")
    [figure] = drawn(pages, metric([namespace, "delay", "endpoint", "a"], stat="Sum", period=300))
    assert named(figure) == {"delay": [4.0, 4.0, 4.0]}
    [figure] = drawn(pages, metric([namespace, "delay", "endpoint", "a", {"stat": "Maximum", "label": "most"}]))
    assert named(figure) == {"most": [3.0, 2.0, 4.0]}


def test_a_chart_without_data_says_so(pages: Pages, namespace: str) -> None:
    [figure] = drawn(pages, metric([namespace, "nothing"]))
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["No data in this range"]


def test_points_and_dots_stand_for_what_the_metric_before_has(pages: Pages, namespace: str) -> None:
    for endpoint, value in (("a", 1.0), ("b", 2.0)):
        put_metric(namespace, "calls", [value], endpoint=endpoint, variant="v")
        put_metric(namespace, "errors", [value * 10], endpoint=endpoint, variant="v")
    full = [namespace, "calls", "endpoint", "a", "variant", "v"]
    [figure] = drawn(pages, metric(full, [".", "errors", ".", ".", ".", "."], ["...", "b", "variant", "v"]))
    assert named(figure) == {"calls a": [1.0], "errors a": [10.0], "errors b": [20.0]}


def test_metric_math_is_drawn_and_what_it_is_made_of_may_be_hidden(pages: Pages, namespace: str) -> None:
    put_metric(namespace, "calls", [200.0, 100.0])
    put_metric(namespace, "errors", [1.0, 2.0])
    [figure] = drawn(
        pages,
        metric(
            [namespace, "calls", {"id": "m1", "visible": False}],
            [namespace, "errors", {"id": "m2", "color": "#123456"}],
            [{"expression": "100 * m2 / m1", "label": "percent", "yAxis": "right"}],
            stat="Sum",
            yAxis={"left": {"label": "count", "min": 0, "max": 10}, "right": {"label": "share"}},
        ),
    )
    assert named(figure) == {"errors": [1.0, 2.0], "percent": [0.5, 2.0]}
    errors, percent = figure["data"]
    assert errors["line"]["color"] == "#123456" and percent["yaxis"] == "y2"
    assert figure["layout"]["yaxis"]["range"] == [0, 10]
    assert figure["layout"]["yaxis2"]["title"]["text"] == "share"


def test_a_search_draws_a_line_for_each_metric_that_it_finds(pages: Pages, namespace: str) -> None:
    for feature, value in (("hour", 1.0), ("temperature", 2.0)):
        put_metric(namespace, "drift", [value], feature=feature)
    [figure] = drawn(pages, metric([{"expression": f"SEARCH('{{{namespace},feature}}', 'Maximum')", "label": ""}]))
    assert named(figure) == {"hour": [1.0], "temperature": [2.0]}
    assert len({line["line"]["color"] for line in figure["data"]}) == 2


def test_areas_are_stacked_and_a_threshold_is_marked(pages: Pages, namespace: str) -> None:
    put_metric(namespace, "a", [1.0, 2.0])
    threshold = {"value": 5, "label": "too many", "fill": "above"}
    [figure] = drawn(pages, metric([namespace, "a"], stacked=True, annotations={"horizontal": [threshold]}))
    assert figure["data"][0]["stackgroup"] == "left"
    line, area = figure["layout"]["shapes"]
    assert (line["y0"], line["y1"], area["y0"]) == (5, 5, 5)
    assert figure["layout"]["annotations"][0]["text"] == "too many"


@pytest.mark.parametrize(("view", "kind"), [("bar", "bar"), ("pie", "pie"), ("gauge", "indicator")])
def test_other_views_draw_the_newest_value(pages: Pages, namespace: str, view: str, kind: str) -> None:
    put_metric(namespace, "a", [1.0, 7.0])
    axis = {"left": {"min": 0, "max": 10}}
    [figure] = drawn(pages, metric([namespace, "a"], view=view, yAxis=axis))
    [data] = figure["data"]
    assert data["type"] == kind
    assert 7.0 in (data.get("value"), *data.get("y", []), *data.get("values", []))


def test_a_single_value_is_a_number(pages: Pages, namespace: str) -> None:
    put_metric(namespace, "a", [1.0, 1234.5])
    name = put_dashboard(metric([namespace, "a", {"label": "so many"}], view="singleValue"))
    assert "1,234.5 so many" in shown(pages.get(f"/_dashboard/{name}"))


def test_an_alarm_widget_shows_states_and_reasons(pages: Pages) -> None:
    cloudwatch, name = boto3.client("cloudwatch"), f"alarm-{uuid.uuid4().hex[:8]}"
    common: Any = {"Namespace": "N", "MetricName": "m", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
    cloudwatch.put_metric_alarm(AlarmName=name, Statistic="Sum", ComparisonOperator="GreaterThanThreshold", **common)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="<b>it burns</b>")
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
    widget = {"type": "alarm", "properties": {"title": "Ours", "alarms": [arn + name, arn + "gone"]}}
    html = pages.get(f"/_dashboard/{put_dashboard(widget)}")
    assert f"{name} ALARM <b>it burns</b>" in shown(html) and 'class="state-alarm"' in html
    assert "gone not there There is no alarm of this name." in shown(html)
    cloudwatch.put_metric_alarm(
        AlarmName=f"{name}-0", Statistic="Sum", ComparisonOperator="LessThanThreshold", **common
    )
    properties = {"alarms": [arn + f"{name}-0", arn + name]}
    for more, order in (({}, [f"{name}-0", name]), ({"sortBy": "stateUpdatedTimestamp"}, [name, f"{name}-0"])):
        html = pages.get(f"/_dashboard/{put_dashboard({'type': 'alarm', 'properties': properties | more})}")
        assert re.findall(rf"<strong>({name}[^<]*)</strong>", html) == order
    annotations = {"alarms": [arn + name]}
    own, beside = drawn(
        pages,
        {"type": "metric", "properties": {"annotations": annotations}},
        metric(["N", "other"], annotations=annotations),
    )
    assert [line["name"] for figure in (own, beside) for line in figure["data"]] == ["m", "other"]
    assert own["layout"]["shapes"][0]["y0"] == beside["layout"]["shapes"][0]["y0"] == 1.0


def test_a_log_widget_shows_a_querys_rows_and_draws_its_bins(pages: Pages) -> None:
    logs, group = boto3.client("logs"), f"group-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    at = int(time.time() * 1000) - 60_000
    messages = [json.dumps({"level": level, "text": "<i>x</i>"}) for level in ("ERROR", "ERROR", "INFO")]
    events: Any = [{"timestamp": at, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    source = f"SOURCE '{group}' | "
    table = {"query": source + "fields level, text | filter level = 'ERROR'", "title": "Errors"}
    lines = {"query": source + "stats count(*) as n by level, bin(1h)", "view": "timeSeries"}
    bars = {"query": source + "stats count(*) as n by level", "view": "bar"}
    widgets = [{"type": "log", "properties": properties} for properties in (table, lines, bars)]
    html = pages.get(f"/_dashboard/{put_dashboard(*widgets)}")
    assert "Errors level text ERROR <i>x</i> ERROR <i>x</i>" in shown(html)
    over_time, by_level = figures(html)
    assert named(over_time) == {"ERROR": [2.0], "INFO": [1.0]}
    assert dict(zip(by_level["data"][0]["x"], by_level["data"][0]["y"], strict=True)) == {"ERROR": 2.0, "INFO": 1.0}


def test_a_text_widget_is_markdown_without_html(pages: Pages) -> None:
    text = "# Flights\n**late** [here](https://e.org) [bad](javascript:alert(1)) <script>alert(2)</script>"
    html = pages.get(f"/_dashboard/{put_dashboard({'type': 'text', 'properties': {'markdown': text}})}")
    assert "<h1>Flights</h1>" in html and "<strong>late</strong>" in html and 'href="https://e.org"' in html
    assert "<script>alert" not in html and 'href="javascript:' not in html


@pytest.mark.parametrize(
    ("widget", "message"),
    [
        ({"type": "explorer", "properties": {}}, "Widgets of type 'explorer' are not drawn here"),
        ({"type": "metric"}, "The metric widget has no object called properties."),
        (metric(["Only"]), "metric 1 is no namespace, name and pairs of a dimension's name and value"),
        (metric([".", "m"]), 'metric 1: the metric before it has no part for one of its "."'),
        (metric(["...", "m"]), 'metric 1: the metric before it has too few parts for its "..."'),
        (metric(["N", "m"], view="table"), "A view called 'table' is not drawn here"),
        (metric(["N", "m"], view="gauge"), "A gauge needs yAxis.left.min and yAxis.left.max."),
        (metric(["N", "m"], stat="Most"), "InvalidParameterValue The value Most for parameter"),
        (metric([{"expression": "SELECT AVG(m)"}]), "NotImplementedException SELECT in an expression"),
        ({"type": "log", "properties": {"query": "fields @message"}}, "does not begin with SOURCE 'a log group'"),
        (
            {"type": "log", "properties": {"query": "SOURCE 'nowhere' | fields @message"}},
            "ResourceNotFoundException The specified log group does not exist.",
        ),
        (metric(["N", "m"], sparkline=True), "Not drawn here: sparkline"),
        (metric(["N", "m"], view="pie", stacked=True), "Not drawn here: stacked"),
        (metric(["N", "m"], yAxis={"left": {"min": "0"}}), "min is '0', where a number has to be."),
        (metric(["N", "m"], annotations=[]), "annotations is [], where an object has to be."),
        (
            metric(["N", "m"], annotations={"alarms": ["a:b:c:d:e:f:gone"]}),
            "no alarm on a metric called gone.",
        ),
        (metric(["N", "m", {"accountId": "1"}]), "or of another account, are not drawn here."),
        (metric(["N", "m"], period="5m"), "its period '5m' is no number of seconds"),
    ],
)
def test_what_cannot_be_drawn_is_named_in_its_box_and_the_others_are_drawn(
    pages: Pages, namespace: str, widget: Any, message: str
) -> None:
    put_metric(namespace, "a", [1.0])
    html = pages.get(f"/_dashboard/{put_dashboard(widget, metric([namespace, 'a']))}")
    assert message in shown(html)
    assert named(figures(html)[-1]) == {"a": [1.0]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "This is no dashboard Its body is no object with an array called widgets."),
        ('{"widgets": [7]}', "This is no dashboard Widget 1 is no object: 7"),
        ('{"widgets": [{"type": "text", "x": 20, "y": 0, "width": 8}]}', "x 20 and width 8 go beyond 24 columns"),
        ('{"widgets": [{"type": "text", "width": 0}]}', "width is 0, and not a whole number from 1 to 24"),
    ],
)
def test_an_invalid_dashboard_says_what_is_wrong(pages: Pages, body: str, message: str) -> None:
    put_body("invalid", body)
    assert message in shown(pages.get("/_dashboard/invalid"))


def test_what_is_left_out_of_a_dashboard_is_named(pages: Pages) -> None:
    assert "Not drawn here: variables" in shown(pages.get(f"/_dashboard/{put_dashboard(variables=[])}"))


def test_a_dashboard_that_is_not_there_is_awss_error(pages: Pages) -> None:
    assert "404 ResourceNotFound Dashboard does not exist" in shown(pages.get("/_dashboard/nowhere", 404))


def test_the_range_is_the_addresss_or_the_dashboards_own(pages: Pages, namespace: str) -> None:
    put_metric(namespace, "a", [1.0] * 30)  # two and a half hours of it
    widget = metric([namespace, "a"])
    name, hour = put_dashboard(widget), put_dashboard(widget, start="-PT1H")
    lengths = {
        which: len(figures(pages.get(f"/_dashboard/{of}", **asked))[0]["data"][0]["x"])
        for which, of, asked in [
            ("three hours", name, {}),
            ("a quarter of an hour", name, {"range": "15m"}),
            ("its own", hour, {}),
            ("not its own", hour, {"range": "3h"}),
        ]
    }
    assert lengths["three hours"] == lengths["not its own"] == 30
    assert 2 <= lengths["a quarter of an hour"] <= 4 and 10 <= lengths["its own"] <= 13
    custom = pages.get(f"/_dashboard/{name}", start="2026-01-01T00:00", end="2026-01-02T00:00", refresh="1m")
    assert figures(custom)[0]["layout"]["xaxis"]["range"] == ["2026-01-01 00:00:00", "2026-01-02 00:00:00"]
    assert 'href="?refresh=1m&amp;range=1h"' in custom and 'data-refresh="60"' in custom


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"range": "2h"}, "range=2h is none of 15m, 1h, 3h, 12h, 1d, 3d, 1w"),
        ({"refresh": "1s"}, "refresh=1s is none of off, 10s, 1m"),
        ({"start": "yesterday", "end": "2026-01-01"}, "'yesterday' is no time"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "which is not later"),
    ],
)
def test_a_range_that_is_none_is_refused(pages: Pages, asked: dict[str, str], message: str) -> None:
    assert message in shown(pages.get(f"/_dashboard/{put_dashboard()}", 400, **asked))


def test_widgets_without_a_place_stand_side_by_side_in_their_order(pages: Pages) -> None:
    text = {"type": "text", "properties": {"markdown": "x"}}
    name = put_dashboard(
        *({**text, "width": width, "height": height} for width, height in [(24, 2), (12, 3), (12, 3), (8, 1)])
    )
    html = pages.get(f"/_dashboard/{name}")
    for place in ["1 / span 24; grid-row: 1 /", "1 / span 12; grid-row: 3 /", "13 / span 12; grid-row: 3 /"]:
        assert f"grid-column: {place}" in html
    assert "grid-column: 1 / span 8; grid-row: 6 / span 1" in html
