"""The first page: what there is at all."""

from werkzeug import Request

from local_aws.console import dashboards, endpoints, jobs
from local_aws.console.clients import client
from local_aws.console.page import Page

SHOWN = 10


def overview(request: Request) -> Page:
    """The endpoints, the newest jobs, the dashboards and the alarms that are on."""
    described = client("cloudwatch").describe_alarms(StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    values = {
        "endpoints": endpoints.newest()[:SHOWN],
        "jobs": jobs.newest()[:SHOWN],
        "dashboards": dashboards.found()[:SHOWN],
        "alarms": [(a["AlarmName"], a) for kind in ("MetricAlarms", "CompositeAlarms") for a in described[kind]],
    }
    return Page("overview.html", "Overview", values)
