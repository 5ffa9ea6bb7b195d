"""Requests for jobs of all kinds."""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.responses import SageMakerResponse as MotoResponse

from local_aws.sagemaker import limits, listing
from local_aws.sagemaker.jobs import Job
from local_aws.sagemaker.objectives import value_of
from local_aws.sagemaker.processing import ProcessingJob
from local_aws.sagemaker.training import TrainingJob
from local_aws.sagemaker.transform import TransformJob
from local_aws.sagemaker.transform_limits import check_transform_job
from local_aws.sagemaker.tuning import TuningJob
from local_aws.sagemaker.tuning_limits import check_tuning_job


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
        check_transform_job(request)
        return ActionResult({"TransformJobArn": self.sagemaker_backend.start_transform_job(request).arn})

    def describe_transform_job(self) -> ActionResult:
        return self._describe(TransformJob, self.sagemaker_backend.transform_jobs)

    def stop_transform_job(self) -> EmptyResult:
        return self._stop(TransformJob, self.sagemaker_backend.transform_jobs)

    def list_transform_jobs(self) -> ActionResult:
        return self._list(TransformJob, self.sagemaker_backend.transform_jobs, SortOrder="Descending")

    def create_hyper_parameter_tuning_job(self) -> ActionResult:
        request = self._request()
        check_tuning_job(request)
        return ActionResult({"HyperParameterTuningJobArn": self.sagemaker_backend.start_tuning_job(request).arn})

    def describe_hyper_parameter_tuning_job(self) -> ActionResult:
        return self._describe(TuningJob, self.sagemaker_backend.tuning_jobs)

    def stop_hyper_parameter_tuning_job(self) -> EmptyResult:
        return self._stop(TuningJob, self.sagemaker_backend.tuning_jobs)

    def delete_hyper_parameter_tuning_job(self) -> EmptyResult:
        self.sagemaker_backend.delete_tuning_job(self._request()["HyperParameterTuningJobName"])
        return EmptyResult()

    def list_hyper_parameter_tuning_jobs(self) -> ActionResult:
        return self._list(TuningJob, self.sagemaker_backend.tuning_jobs, SortBy="Name")

    def list_training_jobs_for_hyper_parameter_tuning_job(self) -> ActionResult:
        request = {"SortBy": "Name", **self._request()}
        summaries = self._job(TuningJob, self.sagemaker_backend.tuning_jobs).training_job_summaries()
        if request["SortBy"] == "FinalObjectiveMetricValue":
            summaries = [summary for summary in summaries if value_of(summary) is not None]
        found, token = listing.page(summaries, request, "TrainingJob", {"FinalObjectiveMetricValue": value_of})
        return ActionResult({"TrainingJobSummaries": found} | ({"NextToken": token} if token else {}))

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

    def _list(self, kind: type[Job], jobs: Mapping[str, Job], **defaults: str) -> ActionResult:
        request = {**defaults, **self._request()}
        summaries, token = listing.page([job.summary for job in list(jobs.values())], request, kind.kind)
        return ActionResult({f"{kind.kind}Summaries": summaries} | ({"NextToken": token} if token else {}))

    def _job(self, kind: type[Job], jobs: Mapping[str, Job]) -> Any:
        return self.sagemaker_backend.job(kind, jobs, self._request()[f"{kind.kind}Name"])

    def _request(self) -> dict[str, Any]:
        return dict(self._get_params())
