"""/_console/jobs: SageMaker's jobs of all kinds."""

import uuid
from typing import Any

import pytest
from console_pages import Pages, figures, shown
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, IMAGE, ROLE, eventually, training_job

pytestmark = pytest.mark.long(40)

HTML = "<script>alert('x')</script>"
SCRIPT = f"""
    print("train:auc=0.75;", flush=True)
    print("validation:auc=0.5;", flush=True)
    print("{HTML}", flush=True)
    raise ValueError("column <dep_delay> is missing")
"""


@pytest.fixture(scope="module")
def pages(local_aws: Any) -> Pages:
    return Pages(local_aws.url)


def new_name() -> str:
    return f"console-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def failed_job(s3: Any, sagemaker: Any) -> str:
    """A training job that has printed metrics and HTML, and failed."""
    name = new_name()
    request = training_job(s3, name, SCRIPT)
    names = ("train:auc", "validation:auc")
    definitions = [{"Name": metric, "Regex": f"{metric}=([0-9.]+)"} for metric in names]
    request["AlgorithmSpecification"]["MetricDefinitions"] = definitions
    sagemaker.create_training_job(**request)
    eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"], lambda s: s == "Failed"
    )
    return name


def test_a_jobs_page_has_its_status_reason_request_log_and_metrics(pages: Pages, failed_job: str) -> None:
    html = pages.get(f"/_console/jobs/training/{failed_job}")
    text = shown(html)
    assert f"{failed_job} Failed" in text and "FailureReason AlgorithmError" in text
    assert '"MaxRuntimeInSeconds": 60' in text
    assert HTML in text and HTML not in html  # it is text, in the log and wherever else it is
    assert "ValueError: column <dep_delay> is missing" in text
    drawn = {line["name"]: line["y"] for figure in figures(html) for line in figure["data"]}
    assert drawn["train:auc"] == [0.75] and drawn["validation:auc"] == [0.5] and "CPUUtilization" in drawn
    assert "Final metrics train:auc 0.75 validation:auc 0.5" in text


def test_jobs_are_listed_by_kind_status_and_name(pages: Pages, failed_job: str) -> None:
    link = f'href="/_console/jobs/training/{failed_job}"'
    assert link in pages.get("/_console/jobs") and link in pages.get("/_console/")
    assert link in pages.get("/_console/jobs", kind="training", status="Failed", contains=failed_job)
    for other in ({"kind": "processing"}, {"status": "Completed"}, {"contains": "nothing"}):
        assert link not in pages.get("/_console/jobs", **other)


def test_a_jobs_page_looks_again_while_it_runs(pages: Pages, s3: Any, sagemaker: Any) -> None:
    name = new_name()
    script = 'import time\nprint("under way", flush=True)\ntime.sleep(60)'
    sagemaker.create_training_job(**training_job(s3, name, script))
    html = eventually(lambda: pages.get(f"/_console/jobs/training/{name}"), lambda page: "under way" in shown(page))
    assert 'data-refresh="2"' in html and f"{name} InProgress" in shown(html)
    sagemaker.stop_training_job(TrainingJobName=name)
    eventually(lambda: pages.get(f"/_console/jobs/training/{name}"), lambda page: 'data-refresh="0"' in page)


def ended(pages: Pages, kind: str, name: str) -> str:
    """What a job's page shows once it does not look again."""
    page = f"/_console/jobs/{kind}/{name}"
    return shown(eventually(lambda: pages.get(page), lambda html: 'data-refresh="0"' in html))


def test_a_processing_job_has_its_exit_message_and_log(pages: Pages, sagemaker: Any) -> None:
    name, program = new_name(), "import sys; print('scored', 6 * 7); sys.exit('no <rows>')"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", program]},
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
    )
    text = ended(pages, "processing", name)
    assert f"{name} Failed" in text and "scored 42" in text and "no <rows>" in text


def test_a_transform_job_has_its_output_and_log(pages: Pages, s3: Any, sagemaker: Any) -> None:
    name = new_name()
    Endpoints().model(name)
    s3.put_object(Bucket=BUCKET, Key=f"{name}/a.json", Body=b'{"x": 1}')
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": source, "ContentType": "application/json"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scored/{name}/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    text = ended(pages, "transform", name)
    assert f"{name} Completed" in text and f"Output s3://{BUCKET}/scored/{name}/" in text and "gunicorn" in text


def test_a_tuning_job_has_its_training_jobs_and_leads_to_them(pages: Pages, s3: Any, sagemaker: Any) -> None:
    name = new_name()
    script = "import sys\nprint('auc=' + sys.argv[sys.argv.index('--depth') + 1] + ';')"
    training = training_job(s3, name, script)
    specification = training["AlgorithmSpecification"]
    specification["MetricDefinitions"] = [{"Name": "auc", "Regex": "auc=(.*);"}]
    objective = {"Type": "Maximize", "MetricName": "auc"}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "depth", "Values": ["2", "3"]}]},
        },
        TrainingJobDefinition={
            "RoleArn": ROLE,
            "AlgorithmSpecification": specification,
            "StaticHyperParameters": training["HyperParameters"],
            **{key: training[key] for key in ("OutputDataConfig", "ResourceConfig", "StoppingCondition")},
        },
    )
    text = ended(pages, "tuning", name)
    assert "best Completed 3 depth=3" in text and "Completed 2 depth=2" in text
    html = pages.get(f"/_console/jobs/tuning/{name}")
    [figure] = figures(html)
    assert sorted(figure["data"][0]["y"]) == [2.0, 3.0]
    best = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)["BestTrainingJob"]
    child = f"/_console/jobs/training/{best['TrainingJobName']}"
    assert f'href="{child}"' in html and f'href="/_console/jobs/tuning/{name}"' in pages.get(child)
