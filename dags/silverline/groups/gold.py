"""Gold by write, audit, publish: answers of a batch transform job as a table of predictions."""

from typing import Any

from airflow.sdk import TaskGroup, task

from silverline.groups.silver import write_audit_publish
from silverline.platform import platform
from silverline.runs import attempt
from silverline.spec import BatchSpec


def gold(spec: BatchSpec, planned: Any, model: Any, requests: Any, scored: Any) -> Any:
    """`gold.publish`: the months have their predictions."""
    with TaskGroup("gold", tooltip="Write, audit, publish"):

        @task(doc_md="Makes tables over the requests and the answers, which the run's SQL reads.")
        def read_answers(
            plan: dict[str, Any], model: dict[str, Any], requests: dict[str, str], scored: dict[str, Any]
        ) -> dict[str, Any]:
            from silverline import predictions

            job = scored["Transform"]
            locations = {"requests": requests["prefix"], "answers": job["TransformOutput"]["S3OutputPath"]}
            return {
                "compute": plan["months"],
                "fingerprints": plan["fingerprints"],
                "parameters": {
                    **predictions.create_tables(platform(), spec, attempt(), locations),
                    "model": model["name"],
                    "job": job["TransformJobName"],
                    "scored_at": predictions.scored_at(job["TransformJobName"]),
                },
            }

        @task(doc_md="Forgets the tables that were made for the audit, whatever came of them.")
        def drop_staged() -> list[str]:
            from silverline import silver

            return silver.drop_staged(platform(), spec)

        read = read_answers(planned, model, requests, scored)
        (stage,) = spec.stages
        _, _, published = write_audit_publish(spec, stage, read)
        dropped = drop_staged()
        published >> dropped
        dropped.as_teardown(setups=read)
    return published
