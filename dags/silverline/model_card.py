"""The model card: what a model is for, how good it is and what it was made of, as a page and in SageMaker's schema."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from silverline.spec import PipelineSpec


def page(
    spec: PipelineSpec,
    gated: Mapping[str, Any],
    comparison: Mapping[str, Any],
    plots: Mapping[str, bytes],
    facts: Mapping[str, str],
    made_of: Mapping[str, Any],
) -> str:
    """The card as one HTML file, its plots in it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=True
    )
    environment.filters["title_case"] = lambda name: name.replace("_", " ")
    environment.filters["number"] = lambda value: f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
    return environment.get_template("model_card.html").render(
        spec=spec,
        gated=gated,
        models=comparison["models"],
        metrics=list(comparison["models"]["challenger"]),
        slices=comparison.get("slices", {}),
        plots={name: base64.b64encode(image).decode() for name, image in plots.items()},
        facts=facts,
        made_of=made_of,
    )


# https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
def document(
    spec: PipelineSpec, gated: Mapping[str, Any], comparison: Mapping[str, Any], made_of: Mapping[str, Any]
) -> str:
    """The card as a model package carries it, in SageMaker's schema."""
    return json.dumps(
        {
            "model_overview": {"model_creator": spec.owner, "model_artifact": [gated["model_artifacts"]]},
            "intended_uses": {"purpose_of_model": f"{spec.description} It {gated['answers']}."},
            "training_details": {
                **({"training_observations": made_of["tuning"]["sentence"][:1024]} if "tuning" in made_of else {}),
                "training_job_details": {
                    "training_arn": made_of["training_job"]["arn"],
                    "training_datasets": [channel["location"] for channel in made_of["data"].values()],
                    "training_environment": {"container_image": [made_of["image"]]},
                    "user_provided_hyper_parameters": [
                        {"name": name, "value": str(value)} for name, value in made_of["hyperparameters"].items()
                    ],
                },
            },
            "evaluation_details": [
                {
                    "name": name.replace("_", " "),
                    "evaluation_observation": " ".join(gated["reasons"])[:2096],
                    "metric_groups": [
                        {
                            "name": "test",
                            "metric_data": [
                                {"name": metric, "type": "number", "value": value["value"]}
                                for metric, value in values.items()
                            ],
                        }
                    ],
                }
                for name, values in comparison["models"].items()
            ],
        }
    )
