"""Registers an evaluated model: lineage, model card and model package, in this order."""

import hashlib
from collections.abc import Mapping
from typing import Any

from silverline import evaluation, lineage, model_card, model_packages, objects
from silverline.platform import Platform
from silverline.spec import PipelineSpec

CARD = "model_card.html"


def register(
    platform: Platform,
    spec: PipelineSpec,
    plan: Mapping[str, Any],
    silver_runs: Mapping[str, str],
    gated: Mapping[str, Any],
    chosen: Mapping[str, Any] | None = None,
) -> str:
    """The ARN of the model package of the model that was `gated`; its card is beside its evaluation. `silver_runs` says
    which run computed each of its months, `chosen` which tuning job its hyperparameters come from, if any."""
    made_of = lineage.trained(plan, silver_runs, gated["model_artifacts"])
    metadata = evaluation.read_outputs(gated["model_artifacts"])["metadata"]
    made_of |= {name: metadata[name] for name in ("hyperparameters", "threshold", "versions") if name in metadata}
    if chosen and chosen["tuning_job"]:
        made_of["tuning"] = chosen
    facts = {"lineage": lineage.store(platform, spec.name, made_of), **flat(made_of)}

    address = gated["evaluation"]
    metrics = objects.read(f"{address}evaluation.json")
    comparison = evaluation.read(address)
    plots = {
        key.rpartition("/")[2].removesuffix(".png"): objects.read(key)
        for key in objects.etags(f"{address}plots/")
        if key.endswith(".png")
    }
    page = model_card.page(spec, gated, comparison, plots, facts, made_of)
    objects.write(f"{address}{CARD}", page.encode(), "text/html; charset=utf-8")
    request = model_packages.model_package(
        platform,
        spec,
        gated,
        {**facts, "model_card": f"{address}{CARD}"},
        hashlib.sha256(metrics).hexdigest(),
        model_card.document(spec, gated, comparison, made_of),
    )
    return model_packages.register(request)


def flat(made_of: Mapping[str, Any]) -> dict[str, str]:
    """The lineage as names and short texts, as the registry shows it."""
    return {
        "bronze": made_of["bronze"],
        "as_of": made_of["as_of"],
        "data_version": made_of["data_version"],
        **{f"data.{name}": channel["location"] for name, channel in made_of["data"].items()},
        "sql_digest": made_of["sql_digest"],
        "silver_runs": " ".join(sorted(set(made_of["silver_runs"].values()))),
        "source": made_of["source"]["location"],
        "source_sha256": made_of["source"]["sha256"],
        "git_commit": made_of["git_commit"],
        "image": made_of["image"],
        "training_job": made_of["training_job"]["arn"],
        **({"tuning_job": made_of["tuning"]["tuning_job"]["arn"]} if "tuning" in made_of else {}),
        "model_sha256": made_of["model"]["sha256"],
        **({"threshold": str(made_of["threshold"])} if "threshold" in made_of else {}),
        **{f"version.{name}": version for name, version in made_of["versions"].items()},
        **{f"hyperparameter.{name}": str(value) for name, value in made_of["hyperparameters"].items()},
    }
