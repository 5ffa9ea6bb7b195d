"""Whether a pipeline is well: what monitoring looks at. Nothing here changes anything in AWS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from silverline import bronze, cloudwatch, costs, evaluation, jobs, months, rollout, silver, sources, sql, traffic
from silverline.metrics import NAMESPACE
from silverline.platform import Platform
from silverline.sagemaker_requests import VARIANT
from silverline.spec import PipelineSpec

REMEMBERED = timedelta(days=14)
"""How far back a run is looked for."""
INVOCATIONS = timedelta(hours=2)
"""How far back at most the endpoint's are counted, whenever was looked before: a day's would hide an outage."""
NEVER = datetime.min.replace(tzinfo=UTC)
MONTHS = 6
"""Of how many months the rows are counted that can't be used."""


@dataclass(frozen=True)
class Look:
    """At which pipeline is looked, and from when on: since the last time that all was looked at. `is_running` says of a
    DAG whether it has a run that waits or goes on."""

    platform: Platform
    spec: PipelineSpec
    since: datetime
    now: datetime
    is_running: Callable[[str], bool]


@dataclass(frozen=True)
class Finding:
    """What was seen, in a sentence and in numbers, of the whole and of each feature, and whether that is well: None
    where too little was seen to say so."""

    check: str
    is_well: bool | None
    sentence: str
    values: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def look_at_bronze(look: Look) -> Finding:
    """How old the newest raw file is, and how long files have been waiting for a run; nothing is said of a pipeline
    that has never published a month: nobody has begun to use it."""
    spec, place = look.spec, look.platform
    published = silver.published_at(place, spec.feature_table)
    if not published:
        return Finding("bronze", None, "no run has published anything yet")
    tables = (*spec.monthly_sources, *spec.reference_sources)
    listed = list(bronze.newest_versions(place, tables))
    if tables and not listed:
        return Finding("bronze", False, f"bronze has no file of {', '.join(tables)}")
    waiting = _waiting(look, listed, published)
    longest = look.now - min(waiting.values(), default=look.now)
    values, too_old = {"WaitingHours": _hours(longest)}, False
    said = f"it is made of {', '.join(spec.silver_sources)}"
    if listed:
        age = look.now - max(item["LastModified"] for _, item in listed)
        values["BronzeAgeHours"] = _hours(age)
        said = f"the newest raw file came {_hours(age):.1f} hours ago"
        too_old = spec.watch.bronze_age is not None and age > spec.watch.bronze_age
    if waiting:
        said += f", and silver is without {', '.join(waiting)} as its sources are, for {_hours(longest):.1f} hours"
    return Finding("bronze", not too_old and longest <= spec.watch.waiting, said, values)


def look_at_runs(look: Look) -> Finding:
    """Whether the last run of the pipeline's own DAG was well and in time, and how long ago one was."""
    seen = _runs(look, look.now - REMEMBERED)
    succeeded, failed = (max((time for time, value in seen[name] if value > 0), default=None) for name in RUNS[:2])
    if succeeded is None and failed is None:
        return Finding("runs", True, f"no run has ended in the last {REMEMBERED.days} days")
    since = look.now - (succeeded or look.now - REMEMBERED)
    values = {"HoursSinceSuccess": _hours(since)}
    if failed and (succeeded is None or failed >= succeeded):
        return Finding("runs", False, f"the last run failed, about {failed:%Y-%m-%d %H:%M} UTC", values)
    took = timedelta(seconds=max((value for time, value in seen["RunSeconds"] if time == succeeded), default=0.0))
    said = f"the last run was well, {_hours(since):.1f} hours ago"
    if took > look.spec.late_after:
        return Finding("runs", False, f"{said}, and late: it took {_hours(took):.1f} hours", values)
    return Finding("runs", True, said, values)


def look_at_jobs(look: Look) -> Finding:
    """Which of the pipeline's SageMaker jobs have failed since."""
    failed = jobs.failed_since(look.spec.aws_name, look.since)
    said = f"failed: {', '.join(failed)}" if failed else "no job has failed"
    return Finding("jobs", not failed, f"{said} since {look.since:%Y-%m-%d %H:%M} UTC", {"FailedJobs": len(failed)})


def look_at_orphans(look: Look) -> Finding:
    """Which of the pipeline's SageMaker jobs go on, and cost money, though no run waits for them."""
    left = jobs.orphans(look.platform, look.spec.aws_name, look.is_running)
    said = f"nobody waits for {', '.join(left)}" if left else "no job goes on that nobody waits for"
    return Finding("orphans", not left, said, {"OrphanedJobs": len(left)})


def look_at_silver(look: Look) -> Finding:
    """How many rows of the newest month can't be used, beside those of the months before."""
    published = sorted(silver.published_months(look.platform, look.spec.feature_table))
    if not published:
        return Finding("silver", True, "silver has no month yet")
    counted = published[-MONTHS:]
    counts = {
        row["month"]: 100.0 * row["rows_quarantined"] / max(1, row["rows_in"])
        for row in silver.row_counts(look.platform, look.spec, counted)
    }
    newest, *earlier = (counts[month] for month in reversed(counted))
    said = f"{newest:.2f} % of the rows of {published[-1]} can't be used"
    if earlier:
        said += f"; of the {len(earlier)} months before, {min(earlier):.2f} to {max(earlier):.2f} %"
    limit = look.spec.watch.quarantined_percent
    return Finding("silver", newest <= limit, said, {"QuarantinedPercent": newest})


def look_at_endpoint(look: Look) -> Finding:
    """Whether the endpoint serves, how many invocations it has failed, and how slow the slowest hundredth was."""
    endpoint = rollout.describe(look.spec.aws_name)
    if endpoint is None:
        return Finding("endpoint", True, "nothing has been deployed")
    status = endpoint["EndpointStatus"]
    if status == "Creating":
        return Finding("endpoint", None, "it is being created")
    serves = status in ("InService", "Updating", "SystemUpdating", "RollingBack")
    since = max(look.since, look.now - INVOCATIONS)
    found = _invocations(look, since, endpoint["ProductionVariants"][0]["VariantName"] if serves else VARIANT)
    percent = 100.0 * found["errors"] / max(1.0, found["invocations"])
    monthly = _monthly_cost(endpoint)
    values = {
        "EndpointInService": float(serves),
        **({} if monthly is None else {"EndpointMonthlyCost": monthly}),
        "Invocations": found["invocations"],
        "ErrorPercent": percent,
        **({"LatencyP99Milliseconds": found["latency"] / 1000} if found["invocations"] else {}),
    }
    said = f"{status}; {found['invocations']:.0f} invocations since {since:%Y-%m-%d %H:%M} UTC, {percent:.2f} % 5xx"
    return Finding("endpoint", serves and percent <= look.spec.watch.error_percent, said, values)


def look_at_traffic(look: Look) -> Finding:
    """How far what the endpoint was asked lies from what its model has learned from."""
    spec, watch = look.spec, look.spec.watch
    model = traffic.served(look.platform, spec)
    if model is None:
        return Finding("traffic", True, "no model of the registry is served")
    start = max(model.since, look.now - watch.traffic)
    table = traffic.create_or_update_table(look.platform, spec)
    profile = traffic.profile(look.platform, spec, model)
    counted = traffic.counts(look.platform, spec, profile, table, start, look.now)
    records = sum(counted[-1]["counts"]) + counted[-1]["missing"]
    asked = f"{records} records since {start:%Y-%m-%d %H:%M} UTC to version {model.version}"
    if records < watch.least_records:
        few = f"fewer than the {watch.least_records} of which anything is said"
        return Finding("traffic", None, f"{asked}, {few}", {"CapturedRecords": records})
    found = traffic.distances(profile["bins"], counted)
    prediction = found.pop(traffic.PREDICTION)
    drifted = sorted(
        (name for name in found if found[name].psi > watch.feature_limit), key=lambda name: -found[name].psi
    )
    values = {
        "CapturedRecords": float(records),
        "PredictionDrift": prediction.psi,
        "DriftedFeatures": float(len(drifted)),
    }
    is_well = prediction.psi <= watch.prediction_limit and len(drifted) <= watch.drifted_features * len(found)
    worst = ", ".join(f"{name} {found[name].psi:.2f}" for name in drifted[:3])
    said = f"{asked}; PSI of the prediction {prediction.psi:.2f}, of {len(drifted)} of {len(found)} features above "
    said += f"{watch.feature_limit:g}{f' ({worst})' if worst else ''}"
    features = {
        name: {
            "FeatureDrift": one.psi,
            "FeatureDivergence": one.jensen_shannon,
            "MissingPercent": one.missing_percent,
            "UnseenPercent": one.unseen_percent,
        }
        for name, one in found.items()
    }
    return Finding("traffic", is_well, said, values, features)


def look_at_scores(look: Look) -> Finding:
    """How far the newest month that a batch has scored lies from what its model has learned from or was tested on."""
    spec, watch = look.spec, look.spec.watch
    if watch.scored is None:
        return Finding("scores", True, "no batch is watched: `watch.scored` of the spec")
    model = traffic.served(look.platform, spec)
    if model is None:
        return Finding("scores", True, "no model of the registry is served")
    profile = traffic.profile(look.platform, spec, model)
    counted = traffic.scored(look.platform, spec, profile, model)
    rows = sum(counted["counts"]) + counted["missing"] if counted else 0
    said = f"{rows} rows of the newest scored month are by version {model.version}"
    if counted is None or rows < watch.least_records:
        few = f"fewer than the {watch.least_records} of which anything is said"
        return Finding("scores", None, f"{said}, {few}", {"ScoredRecords": rows})
    found = traffic.distances(profile["bins"][-1:], [counted])[traffic.PREDICTION]
    values = {"ScoredRecords": float(rows), "ScoredDrift": found.psi}
    return Finding(
        "scores", found.psi <= watch.prediction_limit, f"{said}; PSI of the prediction {found.psi:.2f}", values
    )


def look_at_quality(look: Look) -> Finding:
    """How well the model has answered the questions whose outcome is known by now, beside how it did in the test."""
    spec, watch = look.spec, look.spec.watch
    model = traffic.served(look.platform, spec)
    if model is None:
        return Finding("quality", True, "no model of the registry is served")
    table = traffic.create_or_update_table(look.platform, spec)
    start = max(model.since, look.now - watch.traffic)
    found = traffic.live_quality(look.platform, spec, table, start, look.now)
    if found is None:
        return Finding("quality", True, f"glue_like_sql/{spec.name}/monitoring/labels.sql isn't there to say what came")
    known = f"of {found['row_count']} answers of version {model.version} the outcome is known"
    values = {"LabelledRecords": float(found["row_count"])}
    if found["row_count"] < watch.least_records:
        return Finding(
            "quality", None, f"{known}, fewer than the {watch.least_records} of which anything is said", values
        )
    if found["base_log_loss"] is None:
        return Finding("quality", None, f"{known}, and it is the same of all: nothing to tell apart", values)
    models = evaluation.read(model.evaluation)["models"]
    tested = _explained(*(models[name]["log_loss"]["value"] for name in ("challenger", "base_rate")))
    live = _explained(found["log_loss"], found["base_log_loss"])
    values |= {
        "LiveLogLoss": found["log_loss"],
        "LiveD2LogLoss": live,
        "LiveCalibrationError": found["calibration_error"],
        **({} if found["roc_auc"] is None else {"LiveRocAuc": found["roc_auc"]}),
    }
    said = f"{known}; log loss {found['log_loss']:.4f}, {live:.0%} below the base rate's, in the test {tested:.0%}"
    return Finding("quality", live >= tested - watch.worse, said, values)


def _explained(log_loss: float, base_rates: float) -> float:
    """D², the share of log loss that knowing only the base rate leaves and the model doesn't: months are not equally
    hard. https://scikit-learn.org/stable/modules/generated/sklearn.metrics.d2_log_loss_score.html"""
    return 1.0 - log_loss / base_rates


CHECKS: Mapping[str, Callable[[Look], Finding]] = {
    "bronze": look_at_bronze,
    "runs": look_at_runs,
    "jobs": look_at_jobs,
    "orphans": look_at_orphans,
    "silver": look_at_silver,
    "endpoint": look_at_endpoint,
    "traffic": look_at_traffic,
    "scores": look_at_scores,
    "quality": look_at_quality,
}


def _waiting(
    look: Look, listed: Sequence[tuple[str, Mapping[str, Any]]], published: Mapping[str, datetime]
) -> dict[str, datetime]:
    """The months of which all sources are there and silver isn't, or is made of others, each with since when.

    Where only the SQL is newer nothing waits: the next run makes these months anew, and a new file starts it.
    """
    spec, place = look.spec, look.platform
    files = [bronze.as_file(table, item) for table, item in listed]
    inventory = sources.inventory(place, spec, files)
    complete = [month for month, found in inventory.items() if found.keys() >= set(sources.monthly(spec))]
    if not complete:
        return {}
    references = bronze.references(place, files, spec.reference_sources)
    digest, made = sql.digest(spec.name), silver.made_months(place, spec)
    came = [(file.table, file.month, item["LastModified"]) for file, (_, item) in zip(files, listed, strict=True)]
    for source in spec.silver_sources:
        came += [(source, month, time) for month, time in silver.published_at(place, sources.table_of(source)).items()]
    waiting = {}
    for month in months.counted(min(inventory), max(complete), inventory, spec.split_by):
        if made.get(month) == months.fingerprint(month, inventory, references, digest):
            continue
        made_of = (month, months.previous(month), None)  # None: the reference tables
        times = [time for _, of, time in came if of in made_of and time > published.get(month, NEVER)]
        if times and month not in published:  # since the last of its tables has had a file
            own = [(table, time) for table, of, time in came if of == month]
            times = [max(min(time for of, time in own if of == table) for table in {table for table, _ in own})]
        if times:
            waiting[month] = min(times)
    return waiting


RUNS = ("RunsSucceeded", "RunsFailed", "RunSeconds")


def _runs(look: Look, start: datetime) -> dict[str, list[tuple[datetime, float]]]:
    """The metrics of the pipeline's own runs, to the minute, which CloudWatch keeps for fifteen days."""
    dimensions = {"Environment": look.platform.environment, "Pipeline": look.spec.name, "Dag": look.spec.name}
    return cloudwatch.data(
        [cloudwatch.query(name, NAMESPACE, name, dimensions, "Maximum", 60) for name in RUNS], start, look.now
    )


def _invocations(look: Look, since: datetime, variant: str) -> dict[str, float]:
    dimensions = {"EndpointName": look.spec.aws_name, "VariantName": variant}
    asked = [
        cloudwatch.query("invocations", "AWS/SageMaker", "Invocations", dimensions, "Sum", 60),
        cloudwatch.query("errors", "AWS/SageMaker", "Invocation5XXErrors", dimensions, "Sum", 60),
        cloudwatch.query("latency", "AWS/SageMaker", "ModelLatency", dimensions, "p99", 60),
    ]
    found = cloudwatch.data(asked, since, look.now)
    values = {name: [value for _, value in points] for name, points in found.items()}
    return {
        "invocations": sum(values["invocations"]),
        "errors": sum(values["errors"]),
        "latency": max(values["latency"], default=0.0),  # of the worst minute
    }


def _monthly_cost(endpoint: Mapping[str, Any]) -> float | None:
    """US dollars a month of the endpoint's instances, as many as there are now; None where no price is known."""
    import boto3

    config = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {variant["VariantName"]: variant["InstanceType"] for variant in config["ProductionVariants"]}
    try:
        hourly: list[float] = [
            variant["CurrentInstanceCount"] * costs.hourly(types[variant["VariantName"]])
            for variant in endpoint["ProductionVariants"]
        ]
    except costs.UnknownPrice as unknown:
        print(f"no EndpointMonthlyCost: {unknown}", flush=True)
        return None
    return costs.HOURS * sum(hourly)


def _hours(time: timedelta) -> float:
    return time.total_seconds() / 3600
