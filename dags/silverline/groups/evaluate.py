"""A SageMaker Processing job that measures the new model beside the one in service, and a decision on what it says."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import TaskGroup, get_current_context, task

from silverline import sagemaker_requests
from silverline.groups.train import Trained
from silverline.operators import ProcessingOperator
from silverline.platform import platform
from silverline.runs import POLL_SECONDS, backfilled_month
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import PipelineSpec


def evaluate(spec: PipelineSpec, planned: Any, trained: Trained) -> Any:
    """`evaluate.gate`: decision, reasons, metrics, where the evaluation lies, champion's package, model's archive."""
    with TaskGroup("evaluate", tooltip="The new model beside the one in service, on the same rows, and a decision"):

        @task(
            multiple_outputs=True,
            doc_md="The model in service, or the one approved for the last month: what has to be matched; in a "
            "backfill, of then.",
        )
        def find_champion(
            plan: dict[str, Any], split: dict[str, Any], source: str, training: dict[str, Any]
        ) -> dict[str, Any]:
            from silverline import champion, lineage

            month = backfilled_month(get_current_context()["dag_run"])
            found = champion.find_before(platform(), spec, month) if month else champion.find(platform(), spec)
            if found and not found["lineage"]:
                print("from which months the champion was made is not known: it is compared all the same", flush=True)
            made_of = lineage.load(found["lineage"]) if found and found["lineage"] else None
            return {
                "champion": found,
                # Split by their keys, rows that test never train, in whichever month.
                "seen": champion.seen(made_of, plan["splits"]) if made_of and spec.split_by == "month" else [],
                "inputs": sagemaker_requests.evaluation_inputs(
                    source=source,
                    model_data=training["Training"]["ModelArtifacts"]["S3ModelArtifacts"],
                    splits=split["prefix"],
                    champion=found["model_artifacts"] if found else None,
                ),
            }

        found = find_champion(planned, trained.split, trained.source, trained.training)
        measure = ProcessingOperator(
            task_id="evaluate",
            doc_md="AWS's scikit-learn image: sagemaker_scripts/<pipeline>/evaluate.py on the test split.",
            config=sagemaker_requests.evaluation_job(spec, name=f"{spec.aws_name}-{ATTEMPT}", inputs=found["inputs"]),
            deferrable=True,
            print_log=False,
            check_interval=POLL_SECONDS,
            execution_timeout=spec.evaluation_timeout + timedelta(minutes=10),
        )

        @task(doc_md="Draws what the evaluation has measured, and lays the pictures beside it.")
        def plot(processing: dict[str, Any]) -> list[str]:
            from silverline import evaluation, plots

            prefix = _prefix(processing)
            return evaluation.store(f"{prefix}plots/", plots.draw(evaluation.read(prefix), spec.gate))

        @task(doc_md="promote, hold or reject, with the reasons in words: a pure function of the evaluation.")
        def gate(
            training: dict[str, Any], processing: dict[str, Any], champion: dict[str, Any] | None, seen: list[str]
        ) -> dict[str, Any]:
            from silverline import evaluation
            from silverline.gate import decide

            prefix = _prefix(processing)
            comparison = evaluation.read(prefix)
            decided = decide(comparison, spec.gate, seen)
            print(f"{decided.decision}: {'; '.join(decided.reasons)}", flush=True)
            return {
                "decision": decided.decision,
                "reasons": list(decided.reasons),
                "metrics": comparison["models"],
                "answers": comparison["answers"],
                "evaluation": prefix,
                "champion": champion["package"] if champion else None,
                "model_artifacts": training["Training"]["ModelArtifacts"]["S3ModelArtifacts"],
            }

        plotted = plot(measure.output)
        gated = gate(trained.training, measure.output, found["champion"], found["seen"])
        plotted >> gated  # what is decided can be looked at
        return gated


def _prefix(processing: Mapping[str, Any]) -> str:
    (output,) = processing["Processing"]["ProcessingOutputConfig"]["Outputs"]
    return str(output["S3Output"]["S3Uri"])
