"""What is watched: alarms lead to the runbook, log groups to metrics, and the saved queries are ones."""

import json
import re
import time
from typing import Any

import requests
from terraform_cli import REPOSITORY, Platform

from laptop import dashboard, log_metrics
from laptop.alarms import CHECKS, canary_alarm, finding_alarm

RUNBOOK = "infra/terraform/runbook.md"


def sorted_dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {**alarm, "Dimensions": sorted(alarm["Dimensions"], key=lambda dimension: dimension["Name"])}


def alarms(platform: Platform) -> dict[str, Any]:
    described = platform.aws.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert "NextToken" not in described
    return dict(described)


def test_every_alarm_leads_to_its_section_of_the_runbook(platform_on_local_aws: Platform) -> None:
    headings = re.findall(r"^## (.+)$", (REPOSITORY / RUNBOOK).read_text(), re.M)
    sections = {f"{RUNBOOK}#{heading.lower().replace(' ', '-')}" for heading in headings}
    found = {alarm["AlarmDescription"].split()[-1] for alarm in alarms(platform_on_local_aws)["MetricAlarms"]}
    assert found == sections - {f"{RUNBOOK}#monitoring"}  # whose alarm comes with MWAA


def test_each_alarm_tells_the_topic_but_those_of_what_tells_of_itself(platform_on_local_aws: Platform) -> None:
    found, topic = alarms(platform_on_local_aws), platform_on_local_aws.document["alarm_topic_arn"]
    canary = {name for names in platform_on_local_aws.document["endpoint_alarms"].values() for name in names}
    silent = {*canary, f"silverline-{platform_on_local_aws.environment}-failed-queries"}
    told = {alarm["AlarmName"]: (alarm["AlarmActions"], alarm["OKActions"]) for alarm in found["MetricAlarms"]}
    assert told == {name: ([], []) if name in silent else ([topic], [topic]) for name in told}
    (platform,) = found["CompositeAlarms"]
    assert platform["AlarmActions"] == platform["OKActions"] == []
    assert set(re.findall(r'ALARM\("([^"]+)"\)', platform["AlarmRule"])) == told.keys() - canary


def test_a_canary_has_the_same_alarms_as_on_a_laptop(platform_on_local_aws: Platform) -> None:
    made = {alarm["AlarmName"]: alarm for alarm in alarms(platform_on_local_aws)["MetricAlarms"]}
    for name in platform_on_local_aws.document["endpoint_alarms"]["flight_delay"]:
        wanted = sorted_dimensions(canary_alarm("flight-delay", name.rpartition("-")[2]))
        found = sorted_dimensions(made[name])
        assert {member: found[member] for member in wanted} == {**wanted, "Period": 60}


def test_what_monitoring_finds_has_the_same_alarms_as_on_a_laptop(platform_on_local_aws: Platform) -> None:
    made = {alarm["AlarmName"]: alarm for alarm in alarms(platform_on_local_aws)["MetricAlarms"]}
    environment = platform_on_local_aws.environment
    for check in CHECKS:
        wanted = sorted_dimensions(finding_alarm(environment, "flight_delay", check))
        found = sorted_dimensions(made[f"silverline-{environment}-flight-delay-{check}"])
        assert {member: found[member] for member in wanted} == wanted


def test_an_exception_that_a_job_printed_is_counted(platform_on_local_aws: Platform) -> None:
    group, now = "/aws/sagemaker/TrainingJobs", int(time.time() * 1000)
    logs, cloudwatch = platform_on_local_aws.aws.client("logs"), platform_on_local_aws.aws.client("cloudwatch")
    logs.create_log_stream(logGroupName=group, logStreamName="counted/algo-1")
    lines = ["accuracy=0.9;", "Traceback (most recent call last):", '  File "train.py", line 3, in <module>']
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="counted/algo-1", logEvents=events)
    (alarm,) = (each for each in alarms(platform_on_local_aws)["MetricAlarms"] if "training" in each["AlarmName"])
    statistics = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        StartTime=now // 1000 - 600,
        EndTime=now // 1000 + 600,
        Period=3600,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in statistics["Datapoints"]) == 1


def test_every_saved_query_runs(platform_on_local_aws: Platform) -> None:
    logs, now = platform_on_local_aws.aws.client("logs"), int(time.time())
    saved = logs.describe_query_definitions()["queryDefinitions"]
    assert len(saved) == 5
    for query in saved:
        names = {"logGroupNames": query["logGroupNames"], "queryString": query["queryString"]}
        started = logs.start_query(**names, startTime=now - 3600, endTime=now + 60)
        assert logs.get_query_results(queryId=started["queryId"])["status"] in ("Running", "Complete"), query["name"]


def test_the_dashboard_shows_metrics_that_the_alarms_watch(platform_on_local_aws: Platform) -> None:
    cloudwatch = platform_on_local_aws.aws.client("cloudwatch")
    name = f"silverline-{platform_on_local_aws.environment}"
    widgets = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])["widgets"]
    drawn = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    shown = {tuple(metric[:2]) for metric in drawn if isinstance(metric[0], str)}
    watched = {(a["Namespace"], a["MetricName"]) for a in alarms(platform_on_local_aws)["MetricAlarms"]}
    assert watched - shown <= {("AWS/Athena", "TotalExecutionTime")}


def test_what_is_counted_in_logs_is_what_a_laptop_counts(platform_on_local_aws: Platform) -> None:
    environment, pipelines = platform_on_local_aws.environment, platform_on_local_aws.document["endpoint_alarms"]
    found = platform_on_local_aws.aws.client("logs").describe_metric_filters()["metricFilters"]
    for wanted in log_metrics.filters(environment, pipelines):
        [laid] = [each for each in found if each["filterName"] == wanted["filterName"]]
        assert {member: laid[member] for member in wanted} == wanted


def test_every_widget_of_the_dashboard_is_drawn_in_a_browser(platform_on_local_aws: Platform) -> None:
    page = f"{platform_on_local_aws.aws.url}/_dashboard/silverline-{platform_on_local_aws.environment}"
    html = requests.get(page, timeout=60).text
    pipelines = platform_on_local_aws.document["endpoint_alarms"]
    widgets = dashboard.body(platform_on_local_aws.environment, pipelines, [])["widgets"]
    assert html.count('<section class="widget') == len(widgets)
    assert 'class="trouble"' not in html and "Not drawn here" not in html


def test_the_dashboard_is_the_one_that_a_laptop_has(platform_on_local_aws: Platform) -> None:
    cloudwatch, environment = platform_on_local_aws.aws.client("cloudwatch"), platform_on_local_aws.environment
    laid = json.loads(cloudwatch.get_dashboard(DashboardName=f"silverline-{environment}")["DashboardBody"])
    shown = laid["widgets"][0]["properties"]["alarms"]
    pipelines = platform_on_local_aws.document["endpoint_alarms"]
    assert laid == dashboard.body(environment, pipelines, shown)
    watched = {
        arn for alarm in alarms(platform_on_local_aws)["MetricAlarms"] if "canary" not in (arn := alarm["AlarmArn"])
    }
    assert set(shown) == watched
