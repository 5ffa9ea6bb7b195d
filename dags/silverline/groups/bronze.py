"""What has come of that which a pipeline is made of, and what is to be done about it."""

from typing import Any

from airflow.sdk import TaskGroup, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from silverline import months
from silverline.platform import platform
from silverline.runs import backfilled_month
from silverline.spec import PipelineSpec


def bronze(spec: PipelineSpec) -> Any:
    """`bronze.plan`: the months to compute and the splits, as `plan` of what follows."""
    with TaskGroup("bronze", tooltip="The raw files that have come, and the silver tables of other pipelines"):

        @task(doc_md="Which months silver lacks or has from other files, and which ones train, validate and test.")
        def plan() -> dict[str, Any]:
            from silverline import bronze, datasets, lineage, silver, sources, sql

            context = get_current_context()
            # Airflow counts a backfill's runs apart: `max_active_runs` of the DAG doesn't hold them.
            if context["ti"].get_dr_count(spec.name, states=["running"]) > 1:
                raise AirflowFailException(
                    "another run goes on, and two would publish the same months and update the same endpoint; start "
                    "this one again when that has ended, and a backfill with `--max-active-runs 1`"
                )
            place, params = platform(), context["params"]
            files = bronze.files(place, (*spec.monthly_sources, *spec.reference_sources))
            if misplaced := bronze.misplaced(place, files, spec.monthly_sources):
                raise AirflowFailException(
                    f"in no folder of a month, where nobody reads them: {', '.join(misplaced)}. Move them to "
                    f"<table>/year=yyyy/month=mm/, a year from {bronze.YEARS[0]} to the next one; or delete them"
                )
            inventory, monthly = sources.inventory(place, spec, files), sources.monthly(spec)
            published, made = silver.published_months(place, spec.feature_table), silver.made_months(place, spec)
            try:
                references = bronze.references(place, files, spec.reference_sources)
                as_of = backfilled_month(context["dag_run"]) or params["as_of"]
                as_of = months.choose_as_of(as_of, inventory, monthly)
                first = min(inventory)
                splits = months.splits(first, as_of, params.get("test_months", 1), spec.split_by)
            except (ValueError, FileNotFoundError) as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence
            if missing := months.missing(inventory, published, monthly, as_of, spec.split_by):
                raise AirflowFailException(f"put these back, silver stays as it is: {'; '.join(missing)}")
            digest = sql.digest(spec.name)
            wanted = {
                month: months.fingerprint(month, inventory, references, digest)
                for month in months.counted(first, as_of, inventory, spec.split_by)
            }
            compute = [month for month in wanted if made.get(month) != wanted[month]]
            read = {None, *compute, *(months.previous(month) for month in compute)} if compute else set()
            if broken := bronze.broken_headers(place, [file for file in files if file.month in read]):
                raise AirflowFailException(
                    f"silver stays as it is, files break their contract: {'; '.join(broken)}. Deliver them anew, or "
                    "change the contract and the SQL that reads them"
                )
            manifest = sources.manifest(place, spec, files, as_of)
            root = f"s3://{place.bronze_bucket}"
            tables = (*spec.monthly_sources, *spec.reference_sources)
            datasets.record(
                [f"{root}/{file['key']}" for file in manifest["files"]], [f"{root}/{table}/" for table in tables]
            )
            return {
                "as_of": as_of,
                "bronze": lineage.store(place, spec.name, manifest),
                "sql_digest": digest,
                "fingerprints": wanted,
                "compute": compute,
                "splits": {name: list(cut) for name, cut in splits.items()},
            }

        planned = plan()
    return planned
