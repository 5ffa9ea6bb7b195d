"""Who says that a model may be deployed: the gate, or a person."""

from typing import Any

from airflow.sdk import TaskGroup, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from silverline.runs import backfilled_month
from silverline.spec import PipelineSpec

QUESTION = """\
{% set gated = ti.xcom_pull('evaluate.gate') -%}
{% for reason in gated['reasons'] -%}
- {{ reason }}
{% endfor %}
| test split |{% for model in gated['metrics'] %} {{ model | replace('_', ' ') }} |{% endfor %}
|---|{{ '---|' * gated['metrics'] | length }}
{% for metric in gated['metrics']['challenger'] -%}
| {{ metric | replace('_', ' ') }} |{% for found in gated['metrics'].values() %} {% if metric in found -%}
{{ '%.4f' | format(found[metric]['value']) }}
{%- if 'low' in found[metric] %} ({{ '%.4f to %.4f' | format(found[metric]['low'], found[metric]['high']) }}){% endif %}
{%- endif %} |{% endfor %}
{% endfor %}
- it {{ gated['answers'] }}
- model package: {{ ti.xcom_pull('register.register') }}
- model card: {{ gated['evaluation'] }}model_card.html
- champion: {{ gated['champion'] or 'none' }}
"""


def approve(spec: PipelineSpec, gated: Any, registered: Any) -> Any:
    """`approve.decide`: model package and archive of a model that may be deployed; skipped with all after it else."""
    with TaskGroup("approve", tooltip="The gate, or a person in Airflow or in SageMaker's registry"):

        @task(
            trigger_rule=TriggerRule.NONE_FAILED,
            doc_md="Goes on with the model package that is Approved in the registry; skips all that would deploy it "
            "where it isn't, and where a backfill comes to a month before that of the model in service.",
        )
        def decide(gated: dict[str, Any], package: str) -> dict[str, str]:
            from silverline import champion, model_packages

            status, description = model_packages.approval(package)
            if status == model_packages.PENDING and spec.approval == "gate" and gated["decision"] == "promote":
                status, description = model_packages.APPROVED, f"by the gate: {'; '.join(gated['reasons'])}"
                model_packages.decide(package, status, description)
            if status != model_packages.APPROVED:
                reason = description or f"the gate says {gated['decision']}"
                raise AirflowSkipException(
                    f"{package} is {status}, nothing is deployed: {reason}; to deploy it all the same, approve it in "
                    "the registry and clear this task and all after it"
                )
            month = backfilled_month(get_current_context()["dag_run"])
            if month and (served := champion.later_in_service(spec, month)):
                raise AirflowSkipException(f"{package} is of {month}, and not deployed: {served} is later")
            return {"package": package, "model_artifacts": gated["model_artifacts"]}

        decided = decide(gated, registered)
        if spec.approval == "person":
            from silverline.approval import ModelApprovalOperator

            ask = ModelApprovalOperator(
                task_id="ask",
                doc_md="Asks whether the model may be deployed, in Airflow and in SageMaker's registry: the first "
                "answer in either counts.",
                subject=f"May this model of {spec.name} be deployed?",
                body=QUESTION,
                package="{{ ti.xcom_pull('register.register') }}",
                decision="{{ ti.xcom_pull('evaluate.gate')['decision'] }}",
                approval_timeout=spec.approval_timeout,
            )
            registered >> ask >> decided
    return decided
