"""The deploy group of a pipeline, run by Airflow's services on local AWS under a load of requests: a good model, and
bad ones; the tests build on each other, in this order."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker_endpoints import asked_all_the_time
from sagemaker_requests import BUCKET, IMAGE, archive, bucket_client

from airflow_services import run, serving
from laptop import airflow, alarms, platform
from silverline.sagemaker_requests import SERVING

pytestmark = [pytest.mark.timeout(600), pytest.mark.long(120)]
NAME = "corner-shop"
INFERENCE = """
    import json, pathlib

    def model_fn(model_dir):
        return json.loads(pathlib.Path(model_dir, "model.json").read_text())

    def input_fn(body, content_type):
        return json.loads(body)

    def predict_fn(rows, model):
        if model["broken"]:
            raise RuntimeError("this model is broken")
        return [model["name"] for row in rows]

    def output_fn(answers, accept):
        return json.dumps(answers), accept
"""


@pytest.fixture(scope="module")
def deploy(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, str]]]:
    """Runs the DAG of corner_shop.py with a model; returns the states of its tasks."""
    bucket_client()
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName=NAME)
    document = platform.apply()
    document["endpoint_alarms"]["corner_shop"] = alarms.create_or_update("tests", NAME)
    dag_file = Path(__file__).parent / "corner_shop.py"
    with serving(dag_file, tmp_path_factory.mktemp("roll_out"), local_aws.url, airflow.Api) as api:

        def deploy(package: str, canary_seconds: int = 1) -> dict[str, str]:
            value = json.dumps({**document, "canary_seconds": canary_seconds})
            boto3.client("ssm").put_parameter(Name="/silverline/local/platform", Value=value, Overwrite=True)
            _, states = run(api, dag_file.stem, package=package, model_artifacts=artifacts(package))
            return {task_id.removeprefix("deploy."): state for task_id, state in states.items()}

        yield deploy


def model(name: str, golden_answer: str = "", broken: bool = False) -> str:
    """The approved package of a model that answers its name, beside what its training job says that it answers."""
    golden = json.dumps({"request": [{"row": 1}], "response": [golden_answer or name]})
    files = {"model.json": json.dumps({"name": name, "broken": broken}), "code/inference.py": INFERENCE}
    for key, content in {"model": files, "output": {"golden.json": golden}}.items():
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"shop/{name}/{key}.tar.gz", Body=archive(content))
    return boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName=NAME,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [
                {
                    "Image": IMAGE,
                    "ModelDataUrl": f"s3://{BUCKET}/shop/{name}/model.tar.gz",
                    "Environment": {**SERVING, "SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
                }
            ],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]


def described(package: str) -> Any:
    return boto3.client("sagemaker").describe_model_package(ModelPackageName=package)


def artifacts(package: str) -> str:
    return str(described(package)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])


def ask() -> str:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=NAME, ContentType="application/json", Body=b"[{}]"
    )
    return str(json.load(answer["Body"])[0])


def served() -> tuple[str, str]:
    """The endpoint's status, and the model package that it serves."""
    sagemaker = boto3.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=NAME)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return endpoint["EndpointStatus"], model["PrimaryContainer"]["ModelPackageName"]


def test_a_first_model_that_gives_wrong_answers_leaves_no_endpoint(deploy: Any) -> None:
    states = deploy(package := model("zero", golden_answer="nought"))
    assert (states["roll_out"], states["smoke_test"], states["settle"]) == ("success", "failed", "success")
    assert boto3.client("sagemaker").list_endpoints(NameContains=NAME)["Endpoints"] == []
    assert described(package)["ModelApprovalStatus"] == "Rejected"


def test_a_first_model_is_served_by_two_instances(deploy: Any) -> None:
    states = deploy(package := model("one"))
    assert set(states.values()) == {"success"}
    (variant,) = boto3.client("sagemaker").describe_endpoint(EndpointName=NAME)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], served(), ask()) == (2, ("InService", package), "one")


def test_no_request_fails_while_a_good_model_is_rolled_out(deploy: Any, record_property: Any) -> None:
    with asked_all_the_time(ask) as answers:
        states = deploy(package := model("two"))
    record_property("good roll-out", dict(answers))
    assert set(states.values()) == {"success"}
    assert set(answers) == {"one", "two"}
    assert (served(), described(package)["ModelApprovalStatus"]) == (("InService", package), "Approved")


def test_beside_what_is_served_so_many_models_stay_as_the_spec_says() -> None:
    sagemaker = boto3.client("sagemaker")
    configs = sagemaker.list_endpoint_configs(NameContains=NAME)["EndpointConfigs"]
    models = [model["ModelName"] for model in sagemaker.list_models(NameContains=NAME)["Models"]]
    packages = [sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelPackageName"] for name in models]
    assert len(configs) == 2
    assert sorted(package.rpartition("/")[2] for package in packages) == ["2", "3"]  # the first was no good


def test_a_model_that_gives_wrong_answers_goes_and_no_request_fails(deploy: Any, record_property: Any) -> None:
    before = served()
    with asked_all_the_time(ask) as answers:
        states = deploy(package := model("three", golden_answer="3"))
    record_property("failed smoke test", dict(answers))
    assert (states["roll_out"], states["smoke_test"], states["settle"]) == ("success", "failed", "success")
    assert (set(answers), served()) == ({"two", "three"}, before)
    assert described(package)["ApprovalDescription"] == (
        "endpoint corner-shop: 1 wrong answers; the first: answer[0] is 'three', the training job computed '3'"
    )


def test_an_alarm_takes_a_failing_model_back_and_only_the_canarys_share_of_requests_fails(
    deploy: Any, record_property: Any
) -> None:
    before, has_failed = served(), []

    def ask_and_note() -> str:
        try:
            answer = ask()
        except ClientError:
            has_failed.append(True)
            raise
        has_failed.append(False)
        return answer

    with asked_all_the_time(ask_and_note) as answers:
        states = deploy(package := model("four", broken=True), canary_seconds=60)
    # Of all requests there are many before the canary and after it, of which none can fail.
    canary = has_failed[has_failed.index(True) : len(has_failed) - has_failed[::-1].index(True)]
    record_property(
        "alarm",
        f"{answers['two']} answered by the model before; of {len(canary)} beside the canary {sum(canary)} failed",
    )
    assert (states["roll_out"], states["smoke_test"], states["settle"]) == ("failed", "upstream_failed", "success")
    assert (len(answers), served()) == (2, before)
    assert 0.3 < sum(canary) / len(canary) < 0.7  # it is to get half of them
    assert described(package)["ModelApprovalStatus"] == "Rejected"
    assert "are in ALARM: tests-corner-shop-canary-5xx" in described(package)["ApprovalDescription"]
