"""Run by the SageMaker SDK's own interpreter, where nothing but AWS_ENDPOINT_URL is local AWS's: each class of the SDK
that trains, processes, transforms, tunes, registers or serves. Prints what it has seen, as JSON, on the last line."""

import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from sagemaker.core import image_uris
from sagemaker.core.helper import IamRoleResolver
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import CategoricalParameter
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ModelPackage, TrainingJob
from sagemaker.core.s3 import S3Downloader, S3Uploader
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.transformer import Transformer
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, MetricDefinition, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

folder, bucket = Path(sys.argv[1]), sys.argv[2]
session = Session(default_bucket=bucket)
image = image_uris.retrieve("sklearn", "us-east-1", version="1.9-0", py_version="py3", instance_type="ml.m5.large")
place = f"s3://{bucket}/sdk"
role = IamRoleResolver().create_execution_role(role_type="training", role_name="sdk")
seen: dict[str, Any] = {}


def trainer(script: str, name: str) -> ModelTrainer:
    return ModelTrainer(
        sagemaker_session=session,
        training_image=image,
        role=role,
        base_job_name=name,
        source_code=SourceCode(source_dir=str(folder / "code"), entry_script=script),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"slope": 2.5},
    ).with_metric_definitions([MetricDefinition(name="loss", regex=r"loss=([0-9\.]+);")])


def inputs_and_outputs(name: str) -> dict[str, Any]:
    source = ProcessingS3Input(
        s3_uri=str(folder / "data"),
        local_path="/opt/ml/processing/input/rows",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
    )
    result = ProcessingS3Output(
        s3_uri=f"{place}/{name}", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    )
    return {
        "inputs": [ProcessingInput(input_name="rows", s3_input=source)],
        "outputs": [ProcessingOutput(output_name="out", s3_output=result)],
    }


# Training: with the SDK's own drivers, from a local folder.
train = trainer("train.py", "sdk-train")
train.train(input_data_config=[InputData(channel_name="train", data_source=str(folder / "data"))])
(job,) = TrainingJob.get_all(name_contains="sdk-train")
job = TrainingJob.get(job.training_job_name)
job.wait()
metrics = {metric.metric_name: metric.value for metric in job.final_metric_data_list}
seen["trained"] = [job.training_job_status, metrics]

# What takes its time runs side by side.
trainer("broken.py", "sdk-broken").train(wait=False)
builder = ModelBuilder(
    sagemaker_session=session,
    image_uri=image,
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=role,
    env_vars={"SAGEMAKER_PROGRAM": "inference.py"},
    instance_type="ml.m5.large",
)
builder.build(model_name="sdk")
endpoint = builder.deploy(endpoint_name="sdk", initial_instance_count=1, instance_type="ml.m5.large", wait=False)

data = S3Uploader.upload(str(folder / "data"), f"{place}/data", sagemaker_session=session)
transformer = Transformer(
    "sdk",
    1,
    "ml.m5.large",
    output_path=f"{place}/transformed",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
transformer.transform(data, content_type="text/csv", split_type="Line", join_source="Input", wait=False)

tuner = HyperparameterTuner(
    trainer("train.py", "sdk-tune"),
    "loss",
    {"slope": CategoricalParameter(["2", "3"])},
    metric_definitions=[{"Name": "loss", "Regex": r"loss=([0-9\.]+);"}],
    objective_type="Minimize",
    strategy="Grid",
    max_parallel_jobs=2,
)
tuner.tune(inputs=[InputData(channel_name="train", data_source=data)], wait=False)

processors = {
    "script": ScriptProcessor(
        role, image, ["python3"], 1, "ml.m5.large", base_job_name="sdk-script", sagemaker_session=session
    ),
    "framework": FrameworkProcessor(
        image, role, 1, "ml.m5.large", ["python3"], base_job_name="sdk-framework", sagemaker_session=session
    ),
}
processors["script"].run(
    str(folder / "code" / "double.py"), arguments=["--times", "2"], wait=False, **inputs_and_outputs("script")
)
processors["framework"].run(
    "double.py", str(folder / "code"), arguments=["--times", "3"], wait=False, **inputs_and_outputs("framework")
)

for name, processor in processors.items():
    processor.latest_job.wait(poll=1, logs=name == "script")
    seen[name] = S3Downloader.read_file(f"{place}/{name}/rows.csv", sagemaker_session=session)
transformer.latest_transform_job.wait(poll=1)
seen["transformed"] = S3Downloader.read_file(f"{place}/transformed/rows.csv.out", sagemaker_session=session)
tuner.latest_tuning_job.wait(poll=1)
best = TrainingJob.get(tuner.best_training_job())
seen["tuned"] = [best.hyper_parameters["slope"], len(tuner.analytics().dataframe())]

(broken,) = TrainingJob.get_all(name_contains="sdk-broken")
try:
    broken.wait(poll=1)
except FailedStatusError as failure:
    seen["broken"] = str(failure)

endpoint.wait_for_status("InService", poll=1)
seen["answer"] = json.loads(endpoint.invoke(body="[1, 2]", content_type="application/json").body.read())
try:
    endpoint.invoke(body="no number", content_type="application/json")
except ClientError as error:
    seen["refused"] = error.response["Error"]["Code"]
package: Any = builder.register(
    model_package_group_name="sdk", content_types=["text/csv"], response_types=["text/csv"], approval_status="Approved"
)
seen["registered"] = ModelPackage.get(package).model_approval_status

Endpoint.get("sdk").delete()
EndpointConfig.get("sdk").delete()
Model.get("sdk").delete()
kinds = (Endpoint, EndpointConfig, Model)
seen["left"] = [resource.get_name() for kind in kinds for resource in kind.get_all(name_contains="sdk")]
print(json.dumps(seen))
