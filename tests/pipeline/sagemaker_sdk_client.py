"""Run by the SageMaker SDK's own interpreter: what the unmodified SDK sees of a job and an endpoint, as JSON."""

import json
import sys

from sagemaker.core import image_uris
from sagemaker.core.resources import Endpoint, TrainingJob

job_name, endpoint_name, region, body = sys.argv[1:]
job = TrainingJob.get(job_name, region=region)
endpoint = Endpoint.get(endpoint_name, region=region)
answer = endpoint.invoke(body=body, content_type="application/json", region=region)
print(
    json.dumps(
        {
            "image": image_uris.retrieve(
                "sklearn", region, version="1.9-0", py_version="py3", instance_type="ml.m5.xlarge"
            ),
            "job_status": job.training_job_status,
            "model": job.model_artifacts.s3_model_artifacts,
            "endpoint_status": endpoint.endpoint_status,
            "answer": json.loads(answer.body.read()),
        }
    )
)
