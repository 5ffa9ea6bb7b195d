"""SageMaker's jobs of all kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import xform_name
from werkzeug import Request
from werkzeug.exceptions import NotFound

from local_aws.console import charts, log_lines
from local_aws.console.charts import Figure
from local_aws.console.clients import client, region
from local_aws.console.metrics import lines
from local_aws.console.page import Page
from local_aws.console.ranges import TimeRange

MOST = 100  # of each kind, the newest
FOLLOW_SECONDS, LIST_SECONDS = 2, 5  # where a job runs
ENDED = ("Completed", "Failed", "Stopped")
POINTS = 240  # of a chart, about
PERIODS = (1, 5, 10, 30, 60, 300, 900, 3600)


@dataclass(frozen=True)
class Kind:
    """A kind of job: its name here, what SageMaker's API calls it, and where its logs and metrics go."""

    name: str
    api: str
    group: str | None

    @property
    def start(self) -> str:
        """How the names of its own times begin."""
        return self.api.removesuffix("Job")

    def listed(self, **filters: Any) -> list[dict[str, Any]]:
        """The newest jobs that List…Jobs gives, each with the members Name, Status and Kind besides."""
        list_ = getattr(client("sagemaker"), xform_name(f"List{self.api}s"))
        newest = list_(SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST, **filters)
        return [
            {**job, "Name": job[f"{self.api}Name"], "Status": job[f"{self.api}Status"], "Kind": self.name}
            for job in newest[f"{self.api}Summaries"]
        ]

    def described(self, name: str) -> dict[str, Any]:
        """What Describe…Job says."""
        describe = getattr(client("sagemaker"), xform_name(f"Describe{self.api}"))
        found: dict[str, Any] = describe(**{f"{self.api}Name": name})
        found.pop("ResponseMetadata")
        return found


KINDS = {
    kind.name: kind
    for kind in (
        Kind("training", "TrainingJob", "/aws/sagemaker/TrainingJobs"),
        Kind("processing", "ProcessingJob", "/aws/sagemaker/ProcessingJobs"),
        Kind("transform", "TransformJob", "/aws/sagemaker/TransformJobs"),
        Kind("tuning", "HyperParameterTuningJob", None),
    )
}


def all_jobs(request: Request) -> Page:
    """The newest jobs, of one kind or status where the address says so."""
    kind, status, text = (request.args.get(name, "") for name in ("kind", "status", "contains"))
    filters = ({"StatusEquals": status} if status else {}) | ({"NameContains": text} if text else {})
    found = newest(kind, **filters)
    values = {
        "jobs": found,
        "kinds": list(KINDS),
        "statuses": ["InProgress", *ENDED, "Stopping"],
        "kind": kind,
        "status": status,
        "contains": text,
        "most": MOST,
    }
    running = any(job["Status"] not in ENDED for job in found)
    return Page("jobs.html", "Jobs", values, refresh=LIST_SECONDS if running else 0)


def newest(kind: str = "", **filters: Any) -> list[dict[str, Any]]:
    """The newest jobs of one kind, or of all."""
    chosen = [each for name, each in KINDS.items() if kind in ("", name)]
    found = [job for each in chosen for job in each.listed(**filters)]
    return sorted(found, key=lambda job: job["CreationTime"], reverse=True)


def job(request: Request, kind: str, name: str) -> Page:
    """One job: its times, its request, its log and metrics, which are followed while it runs."""
    if kind not in KINDS:
        raise NotFound(f"There is no kind of job called {kind}, only {', '.join(KINDS)}.")
    of_kind = KINDS[kind]
    described = of_kind.described(name)
    status = described[f"{of_kind.api}Status"]
    waits = kind != "tuning"  # a tuning job begins at once, and has no time for it
    started = described.get(f"{of_kind.start}StartTime", None if waits else described["CreationTime"])
    ended = described.get(f"{of_kind.start}EndTime")
    until = ended or (described.get("LastModifiedTime") if status in ENDED else None) or datetime.now(UTC)
    values = {
        "kind": kind,
        "name": name,
        "status": status,
        "job": described,
        "operation": f"Describe{of_kind.api}",
        "started": started,
        "ended": ended,
        "seconds": (until - started).total_seconds() if started else None,
        "log": log_lines.end(of_kind.group, f"{name}/") if of_kind.group else None,
        "charts": _charts(of_kind, name, started or described["CreationTime"], until),
        "children": _children(name) if kind == "tuning" else [],
        "tuning_job": described.get("TuningJobArn", "").rpartition("/")[2],
    }
    if values["children"] and (trials := _trials(values["children"])):
        values["charts"] = [("Objective of each training job", trials)]
    return Page("job.html", name, values, refresh=0 if status in ENDED else FOLLOW_SECONDS)


def _charts(kind: Kind, name: str, start: datetime, end: datetime) -> list[tuple[str, Figure]]:
    """The job's metrics, drawn: those that differ in what is before a colon (train:auc, validation:auc) together."""
    if not kind.group:
        return []
    cloudwatch, named = client("cloudwatch"), {"Name": "TrainingJobName", "Value": name}
    pages = cloudwatch.get_paginator("list_metrics")
    found = list(pages.paginate(Namespace=kind.group, Dimensions=[named]).search("Metrics[]"))
    hosts = pages.paginate(Namespace=kind.group, Dimensions=[{"Name": "Host"}]).search("Metrics[]")
    found += [metric for metric in hosts if metric["Dimensions"][0]["Value"].startswith(f"{name}/")]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for metric in found:
        metric_name = metric["MetricName"]
        title = "Utilization, %" if metric_name.endswith("Utilization") else metric_name.rpartition(":")[2]
        groups.setdefault(title, []).append(metric)
    shown = TimeRange(start - timedelta(seconds=1), end + timedelta(seconds=1), "job")
    period = next((period for period in PERIODS if shown.seconds / period <= POINTS), PERIODS[-1])
    drawn = []
    for title, metrics in sorted(groups.items()):
        entries = [
            [kind.group, metric["MetricName"], *(part for pair in metric["Dimensions"] for part in pair.values())]
            for metric in sorted(metrics, key=lambda metric: metric["MetricName"])
        ]
        series = lines({"metrics": entries, "period": period}, shown, region())
        drawn.append((title, charts.over_time(series, shown.start, shown.end)))
    return drawn


def _children(name: str) -> list[dict[str, Any]]:
    """A tuning job's training jobs, in the order in which they began."""
    pages = client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    answers = pages.paginate(HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending")
    return [job for answer in answers for job in answer["TrainingJobSummaries"]]


def _trials(children: list[dict[str, Any]]) -> Figure | None:
    objectives = {
        job["TrainingJobName"]: job["FinalHyperParameterTuningJobObjectiveMetric"]
        for job in children
        if "FinalHyperParameterTuningJobObjectiveMetric" in job
    }
    if not objectives:
        return None
    (metric, *_) = [objective["MetricName"] for objective in objectives.values()]
    return charts.points(list(objectives), [objective["Value"] for objective in objectives.values()], metric)
