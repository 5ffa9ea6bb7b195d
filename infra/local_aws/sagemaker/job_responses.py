"""Requests for jobs of all kinds."""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.responses import SageMakerResponse as MotoResponse

from local_aws.sagemaker import limits, listing
from local_aws.sagemaker.jobs import Job
from local_aws.sagemaker.processing import ProcessingJob
from local_aws.sagemaker.training import TrainingJob
from local_aws.sagemaker.transform import TransformJob


class JobResponse(MotoResponse):
    """moto's, with the jobs of `JobBackend`."""

    def create_training_job(self) -> ActionResult:
        request = self._request()
        limits.check_training_job(request)
        job = self.sagemaker_backend.start_training_job(request)
        return ActionResult({"TrainingJobArn": job.arn})

    def describe_training_job(self) -> ActionResult:
        return self._describe(TrainingJob, self.sagemaker_backend.training_jobs)

    def stop_training_job(self) -> EmptyResult:
        return self._stop(TrainingJob, self.sagemaker_backend.training_jobs)

    def list_training_jobs(self) -> ActionResult:
        return self._list(TrainingJob, self.sagemaker_backend.training_jobs)

    def create_transform_job(self) -> ActionResult:
        request = self._request()
        limits.check_transform_job(request)
        return ActionResult({"TransformJobArn": self.sagemaker_backend.start_transform_job(request).arn})

    def describe_transform_job(self) -> ActionResult:
        return self._describe(TransformJob, self.sagemaker_backend.transform_jobs)

    def stop_transform_job(self) -> EmptyResult:
        return self._stop(TransformJob, self.sagemaker_backend.transform_jobs)

    def list_transform_jobs(self) -> ActionResult:
        return self._list(TransformJob, self.sagemaker_backend.transform_jobs)

    def create_processing_job(self) -> ActionResult:
        request = self._request()
        limits.check_processing_job(request)
        return ActionResult({"ProcessingJobArn": self.sagemaker_backend.start_processing_job(request).arn})

    def describe_processing_job(self) -> ActionResult:
        return self._describe(ProcessingJob, self.sagemaker_backend.processing_jobs)

    def stop_processing_job(self) -> EmptyResult:
        return self._stop(ProcessingJob, self.sagemaker_backend.processing_jobs)

    def list_processing_jobs(self) -> ActionResult:
        return self._list(ProcessingJob, self.sagemaker_backend.processing_jobs)

    def _describe(self, kind: type[Job], jobs: Mapping[str, Job]) -> ActionResult:
        return ActionResult(self._job(kind, jobs).response_object)

    def _stop(self, kind: type[Job], jobs: Mapping[str, Job]) -> EmptyResult:
        self.sagemaker_backend.stop_job(self._job(kind, jobs))
        return EmptyResult()

    def _list(self, kind: type[Job], jobs: Mapping[str, Job]) -> ActionResult:
        summaries, token = listing.page([job.summary for job in list(jobs.values())], self._request(), kind.kind)
        return ActionResult({f"{kind.kind}Summaries": summaries} | ({"NextToken": token} if token else {}))

    def _job(self, kind: type[Job], jobs: Mapping[str, Job]) -> Any:
        return self.sagemaker_backend.job(kind, jobs, self._request()[f"{kind.kind}Name"])

    def _request(self) -> dict[str, Any]:
        return dict(self._get_params())
