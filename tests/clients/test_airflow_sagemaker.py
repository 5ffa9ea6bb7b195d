"""The SageMaker operators and sensors of Airflow's Amazon provider that run no job: models, registry, endpoints, and
those that local AWS refuses. What each calls, and the error texts each relies on."""

from typing import Any

import pytest
from airflow.exceptions import AirflowException
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerAutoMLOperator,
    SageMakerConditionOperator,
    SageMakerCreateExperimentOperator,
    SageMakerCreateNotebookOperator,
    SageMakerDeleteModelOperator,
    SageMakerDeleteNotebookOperator,
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
    SageMakerRegisterModelVersionOperator,
    SageMakerStartNoteBookOperator,
    SageMakerStartPipelineOperator,
    SageMakerStopNotebookOperator,
    SageMakerStopPipelineOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import (
    SageMakerAutoMLSensor,
    SageMakerEndpointSensor,
    SageMakerPipelineSensor,
)
from airflow_tasks import MODES, run
from botocore.exceptions import ClientError
from sagemaker_requests import IMAGE, ROLE, settled
from slope_model import (
    DATA,
    endpoint_config_request,
    model_request,
    predictions,
)

pytestmark = pytest.mark.usefixtures("airflow_connection")


# Models and the registry


def test_a_model_task_creates_a_model_and_a_delete_task_removes_it(sagemaker: Any, artifacts: str) -> None:
    model = run(SageMakerModelOperator(task_id="model", config=model_request("airflow-model", artifacts)))["Model"]
    assert model["PrimaryContainer"]["ModelDataUrl"] == artifacts
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        run(SageMakerModelOperator(task_id="model", config=model_request("airflow-model", artifacts)))
    delete = SageMakerDeleteModelOperator(task_id="delete", config={"ModelName": "airflow-model"})
    run(delete)
    with pytest.raises(ClientError, match="ValidationException.*Could not find model"):
        run(delete)


def test_a_register_task_adds_versions_to_a_group_that_the_first_creates(sagemaker: Any, artifacts: str) -> None:
    arguments = {"image_uri": IMAGE, "model_url": artifacts, "package_group_name": "airflow-group"}
    versions = [
        run(SageMakerRegisterModelVersionOperator(task_id="register", package_desc="a version", **arguments))
        for _ in range(2)
    ]
    assert [arn.rpartition("/")[2] for arn in versions] == ["1", "2"]
    package = sagemaker.describe_model_package(ModelPackageName=versions[1])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_register_task_that_fails_takes_the_group_back_that_it_has_created(sagemaker: Any, artifacts: str) -> None:
    arguments = {"image_uri": "nobody/has:this", "model_url": artifacts, "package_group_name": "airflow-taken-back"}
    with pytest.raises(ClientError, match="(?s)CreateModelPackage.*nobody/has:this"):
        run(SageMakerRegisterModelVersionOperator(task_id="register", package_desc="a version", **arguments))
    assert sagemaker.list_model_package_groups(NameContains="airflow-taken-back")["ModelPackageGroupSummaryList"] == []


# Endpoints


@MODES
def test_an_endpoint_task_creates_model_configuration_and_endpoint(
    sagemaker: Any, artifacts: str, deferrable: bool
) -> None:
    name = f"airflow-{deferrable}"
    config = {
        "Model": model_request(name, artifacts),
        "EndpointConfig": endpoint_config_request(name, name),
        "Endpoint": {"EndpointName": name, "EndpointConfigName": name},
    }
    made = run(SageMakerEndpointOperator(task_id="deploy", config=config, check_interval=1, deferrable=deferrable))
    assert (made["Endpoint"]["EndpointStatus"], made["EndpointConfig"]["EndpointConfigName"]) == ("InService", name)
    assert predictions(name, 1, 2.5) == [2.0, 5.0]
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_task_updates_an_endpoint_that_exists(sagemaker: Any, model: str) -> None:
    for number in (1, 2):
        config = endpoint_config_request(f"airflow-update-{number}", model)
        run(SageMakerEndpointConfigOperator(task_id="config", config=config))
        request = {
            "EndpointName": "airflow-update",
            "EndpointConfigName": f"airflow-update-{number}",
            "Tags": [{"Key": "by", "Value": "airflow"}],
        }
        deploy = SageMakerEndpointOperator(task_id="deploy", config=request, wait_for_completion=False)
        run(deploy)
        run(SageMakerEndpointSensor(task_id="sensor", endpoint_name="airflow-update", poke_interval=0.2))
    assert deploy.operation == "update"
    assert sagemaker.describe_endpoint(EndpointName="airflow-update")["EndpointConfigName"] == "airflow-update-2"
    sagemaker.delete_endpoint(EndpointName="airflow-update")


def test_an_update_task_needs_an_endpoint_that_is_there(sagemaker: Any, endpoint: str) -> None:
    request = {"EndpointName": "airflow-absent", "EndpointConfigName": endpoint}
    with pytest.raises(ClientError, match="ValidationException.*Could not find endpoint"):
        run(SageMakerEndpointOperator(task_id="deploy", config=request, operation="update"))


@MODES
def test_an_endpoint_that_cannot_start_fails_task_and_sensor(sagemaker: Any, artifacts: str, deferrable: bool) -> None:
    name = f"airflow-lame-{deferrable}"
    model = model_request(name, artifacts)
    model["PrimaryContainer"]["Environment"] = {"SAGEMAKER_PROGRAM": "missing.py"}
    config = {
        "Model": model,
        "EndpointConfig": endpoint_config_request(name, name),
        "Endpoint": {"EndpointName": name, "EndpointConfigName": name},
    }
    deploy = SageMakerEndpointOperator(task_id="deploy", config=config, check_interval=1, deferrable=deferrable)
    with pytest.raises(Exception, match="(?i)failed"):
        run(deploy)
    reason = settled(sagemaker, name)["FailureReason"]
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: ") as failure:
        run(SageMakerEndpointSensor(task_id="sensor", endpoint_name=name, poke_interval=0.2))
    assert reason in str(failure.value)


# What local AWS refuses by name


ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/abcdefghijkl"
AUTOML = {"job_name": "a", "s3_input": DATA, "target_attribute": "y", "s3_output": DATA, "role_arn": ROLE}
REFUSED = [
    SageMakerStartPipelineOperator(task_id="task", pipeline_name="p"),
    SageMakerStopPipelineOperator(task_id="task", pipeline_exec_arn=ARN),
    SageMakerPipelineSensor(task_id="task", pipeline_exec_arn=ARN),
    SageMakerAutoMLOperator(task_id="task", **AUTOML),
    SageMakerAutoMLSensor(task_id="task", job_name="a"),
    SageMakerCreateExperimentOperator(task_id="task", name="e"),
    SageMakerCreateNotebookOperator(task_id="task", instance_name="n", instance_type="ml.t3.medium", role_arn=ROLE),
    SageMakerStartNoteBookOperator(task_id="task", instance_name="n"),
    SageMakerStopNotebookOperator(task_id="task", instance_name="n"),
    SageMakerDeleteNotebookOperator(task_id="task", instance_name="n"),
]


@pytest.mark.parametrize("task", REFUSED, ids=lambda task: type(task).__name__)
def test_a_task_for_what_is_not_carried_out_fails_saying_so(task: Any, local_aws: Any) -> None:
    with pytest.raises(ClientError, match=r"NotImplementedException.*is not implemented by local AWS"):
        run(task)


@pytest.mark.parametrize(("left", "branch"), [(0.5, ["deploy"]), (0.1, ["stop"])])
def test_a_condition_task_calls_no_aws(left: float, branch: list[str]) -> None:
    arguments = {"condition_type": "GreaterThan", "left_value": left, "right_value": 0.3}
    gate = SageMakerConditionOperator(task_id="gate", if_task_ids="deploy", else_task_ids="stop", **arguments)
    assert gate.choose_branch({}) == branch
