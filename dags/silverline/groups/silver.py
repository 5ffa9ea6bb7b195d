"""Silver by write, audit, publish, a stage after the other."""

from typing import Any

from airflow.sdk import Asset, TaskGroup, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from silverline.platform import platform
from silverline.runs import attempt
from silverline.spec import PipelineSpec, Spec, Stage

SHOWN = 5
"""Of the reasons why rows can't be used the most frequent ones."""


def silver(spec: PipelineSpec, planned: Any) -> tuple[Any, Any, list[Any]]:
    """The rows of every month, the task that publishes the last stage, and of each stage why rows can't be used."""
    with TaskGroup("silver", tooltip="Write, audit, publish"):
        writes: list[Any] = []
        unusable: list[Any] = []
        published: Any = None
        for stage in spec.stages:
            with TaskGroup(stage.audit):
                earlier = published
                written, audited, published = write_audit_publish(spec, stage, planned)
            if earlier is not None:
                earlier >> written
            writes.append(written)
            unusable.append(audited)

        @task(doc_md="Forgets the tables that were staged for the audit, whatever came of them.")
        def drop_staged() -> list[str]:
            from silverline import silver

            return silver.drop_staged(platform(), spec)

        @task(trigger_rule=TriggerRule.NONE_FAILED, doc_md="Rows in, joined and quarantined, of every month.")
        def count_rows(plan: dict[str, Any]) -> list[dict[str, Any]]:
            from silverline import silver

            counts = silver.row_counts(platform(), spec, list(plan["fingerprints"]))
            lost = [row for row in counts if row["rows_in"] != row["rows_out"] + row["rows_quarantined"]]
            if lost or len(counts) != len(plan["fingerprints"]):
                raise AirflowFailException(f"rows in are not rows out and quarantined: {lost or counts}")
            return counts

        dropped, counted = drop_staged(), count_rows(planned)
        published >> [dropped, counted]
        dropped.as_teardown(setups=writes)
    return counted, published, unusable


def write_audit_publish(spec: Spec, stage: Stage, planned: Any) -> tuple[Any, Any, Any]:
    """`stage`, which writes the months that are to be computed, `audit`, which says why rows can't be used, and
    `publish`, which moves the months in place."""

    @task(task_id="stage", doc_md="Writes the tables under the run's own prefix, for the months that are lacking.")
    def write(plan: dict[str, Any]) -> dict[str, str]:
        from silverline import silver

        if not plan["compute"]:
            raise AirflowSkipException("silver has every month as its files and its SQL make it: nothing to compute")
        return silver.stage(platform(), spec, stage, plan["compute"], attempt(), plan.get("parameters", {}))

    @task(
        doc_md="Runs the audit's SQL on what was staged; one broken check and nothing is published. Says how many rows "
        "can't be used, and why."
    )
    def audit(plan: dict[str, Any], staged: dict[str, str]) -> list[dict[str, Any]]:
        from silverline import silver

        unusable = silver.quarantined(platform(), stage, staged)
        lines = [f"{row['row_count']:,} rows of {row['source_table']}: {row['reason']}" for row in unusable]
        for line, row in zip(lines, unusable, strict=True):
            # Examples stay in the log: what a task raises goes out by mail.
            print(f"{line}, for example {row['first_row']} and {row['last_row']}", flush=True)
        if broken := silver.audit(platform(), spec, stage, plan["compute"], staged, plan.get("parameters", {})):
            reasons = "; ".join(f"{check['month']} {check['check_name']}: {check['detail']}" for check in broken)
            raise AirflowFailException(
                f"not published, {len(broken)} checks of audit/{stage.audit}.sql fail: {reasons}"
                + "".join(f"\nin quarantine: {line}" for line in lines[:SHOWN])
            )
        return [{name: row[name] for name in ("source_table", "reason", "row_count")} for row in unusable]

    @task(
        doc_md="Moves the months of the tables to what was audited.",
        outlets=[Asset(f"{spec.name}.{table}") for table in stage.published],
    )
    def publish(plan: dict[str, Any], staged: dict[str, str]) -> None:
        from silverline import silver

        fingerprints = {month: plan["fingerprints"][month] for month in plan["compute"]}
        if "bronze" in plan:
            _require_sources_as_planned(plan)
        silver.publish(platform(), spec, stage, fingerprints, staged)

    staged = write(planned)
    published = publish(planned, staged)
    audited = audit(planned, staged)
    audited >> published
    return staged, audited, published


def _require_sources_as_planned(plan: dict[str, Any]) -> None:
    """AirflowFailException where the months were computed from others than the plan says: Athena reads the newest
    files and tables, and the fingerprint and the lineage would tell of those before."""
    from silverline import lineage, months, sources

    read = {None, *plan["compute"], *(months.previous(month) for month in plan["compute"])}
    if changed := sources.changed(platform(), lineage.load(plan["bronze"]), read):
        raise AirflowFailException(
            f"not published, its sources have changed since the run began: {', '.join(changed)}; start another run"
        )
