"""Jobs of all kinds, in the place of those that moto marks Completed at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from local_aws import config
from local_aws.sagemaker import images, references
from local_aws.sagemaker.exceptions import ResourceInUseException, ResourceNotFound, ValidationError
from local_aws.sagemaker.jobs import Job, JobFailed, Surroundings
from local_aws.sagemaker.processing import ProcessingJob
from local_aws.sagemaker.registry import RegistryBackend
from local_aws.sagemaker.role import RoleSession
from local_aws.sagemaker.serving import STARTUP_SECONDS, ServedModel
from local_aws.sagemaker.training import TrainingJob
from local_aws.sagemaker.transform import TransformJob
from local_aws.sagemaker.tuning import TuningJob


class JobBackend(RegistryBackend):
    """The jobs of one account and region; each runs as processes on this machine."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.training_jobs: dict[str, TrainingJob] = {}
        self.processing_jobs: dict[str, ProcessingJob] = {}
        self.transform_jobs: dict[str, TransformJob] = {}
        self.tuning_jobs: dict[str, TuningJob] = {}

    def all_jobs(self) -> Iterator[Job]:
        """Every job of every kind; those that start others come first."""
        for jobs in (self.tuning_jobs, self.training_jobs, self.processing_jobs, self.transform_jobs):
            yield from list(jobs.values())

    def start_training_job(self, request: dict[str, Any]) -> TrainingJob:
        """Start the job that a CreateTrainingJob request describes; ValidationException where AWS refuses it."""
        session, image = self._training_resources(request)
        job = TrainingJob(request, self._arn(TrainingJob.arn_type, request["TrainingJobName"]))
        self._start(job, self.training_jobs, session, image)
        return job

    def _training_resources(self, request: dict[str, Any]) -> tuple[RoleSession, images.Image]:
        """A training job's role and image; ValidationException unless these, its input and its bucket are there."""
        role = request["RoleArn"]
        image = references.training_image(request["AlgorithmSpecification"]["TrainingImage"], self.region_name)
        session = self._role(role)
        s3 = session.client("s3")
        for channel in request.get("InputDataConfig") or []:
            references.check_input(s3, channel["DataSource"]["S3DataSource"]["S3Uri"], role, self.region_name)
        references.check_output(s3, request["OutputDataConfig"]["S3OutputPath"])
        for setting, member in (("CheckpointConfig", "S3Uri"), ("TensorBoardOutputConfig", "S3OutputPath")):
            if request.get(setting):
                references.check_output(s3, request[setting][member], f"{setting}.{member}")
        return session, image

    def start_tuning_job(self, request: dict[str, Any]) -> TuningJob:
        """Start the job that a CreateHyperParameterTuningJob request describes; ValidationException where AWS refuses
        it."""
        name = request["HyperParameterTuningJobName"]
        definition = request["TrainingJobDefinition"]
        session, image = self._training_resources(definition)
        objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        parents = []
        for entry in (request.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs", []):
            parent = self.tuning_jobs.get(entry.get("HyperParameterTuningJobName", ""))
            if not parent or not parent.has_ended() or parent.objective != objective:
                raise ValidationError(
                    f"The parent tuning job {entry.get('HyperParameterTuningJobName')} is to exist, to have ended, "
                    "and to have the same objective metric."
                )
            parents.append(parent)
        job = TuningJob(request, self._arn(TuningJob.arn_type, name), self._launch, parents)
        self._start(job, self.tuning_jobs, session, image)
        return job

    def _launch(self, request: dict[str, Any]) -> TrainingJob:
        try:
            return self.start_training_job(request)
        except ValidationError as error:
            raise JobFailed(f"ClientError: {error.message}") from error

    def delete_tuning_job(self, name: str) -> None:
        """Forget a tuning job, and keep its training jobs; ValidationException while it runs."""
        job = self.tuning_jobs.get(name)
        if not job:
            raise ValidationError(TuningJob.unknown.format(name=name))
        if not job.has_ended():
            raise ValidationError(f"The tuning job {name} is in status {job.status}: stop it before deleting it.")
        del self.tuning_jobs[name]

    def start_transform_job(self, request: dict[str, Any]) -> TransformJob:
        """Start the job that a CreateTransformJob request describes; ValidationException where AWS refuses it."""
        model = self.describe_model(request["ModelName"])
        session = self._role(model.execution_role_arn)
        s3 = session.client("s3")
        uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        references.check_input(s3, uri, model.execution_role_arn, self.region_name)
        references.check_output(s3, request["TransformOutput"]["S3OutputPath"])
        arn = self._arn(TransformJob.arn_type, request["TransformJobName"])
        job = TransformJob(request, arn, self.served_model(model))
        self._start(
            job, self.transform_jobs, session, references.image(model.served_container["Image"], self.region_name)
        )
        return job

    def served_model(self, model: Any, startup_seconds: float | None = None) -> ServedModel:
        """What a model server of `model` runs."""
        container = model.served_container
        return ServedModel(
            model_data_url=container.get("ModelDataUrl"),
            variables=container.get("Environment") or {},
            network=not model.enable_network_isolation,
            startup_seconds=startup_seconds or STARTUP_SECONDS,
        )

    def start_processing_job(self, request: dict[str, Any]) -> ProcessingJob:
        """Start the job that a CreateProcessingJob request describes; ValidationException where AWS refuses it."""
        image = references.image(request["AppSpecification"]["ImageUri"], self.region_name)
        session = self._role(request["RoleArn"])
        s3 = session.client("s3")
        job = ProcessingJob(request, self._arn(ProcessingJob.arn_type, request["ProcessingJobName"]))
        for output in job.outputs:
            references.check_output(s3, output["S3Uri"], "S3Uri")
        self._start(job, self.processing_jobs, session, image)
        return job

    def job[J: Job](self, kind: type[J], jobs: dict[str, J], name: str) -> J:
        """The one of `jobs` called `name`; AWS's ValidationException where there is none."""
        if name not in jobs:
            error = ResourceNotFound if kind is TuningJob else ValidationError
            raise error(kind.unknown.format(name=name))
        return jobs[name]

    def stop_job(self, job: Job) -> None:
        """Ask a job to stop; ValidationException where it has ended."""
        if job.has_ended():
            kind = job.arn_type.replace("-", " ")
            raise ValidationError(f"The request was rejected because the {kind} is in status {job.status}.")
        job.stop()

    def _start[J: Job](self, job: J, jobs: dict[str, J], session: RoleSession, image: images.Image) -> None:
        environments = config.current().environments_dir
        with self._creating:
            if job.name in jobs:
                raise ResourceInUseException(job.taken.format(name=job.name, arn=job.arn))
            jobs[job.name] = job
        folder = self._folder(job.arn_type, job.name)
        job.start(Surroundings(session, partial(images.environment, image, environments), folder))

    def _role(self, role: str) -> RoleSession:
        account = role.split(":")[4]
        if account != self.account_id:
            raise ValidationError(f"RoleArn: Cross-account pass role is not allowed ({role}).")
        sts = sts_backends[self.account_id][get_partition(self.region_name)]
        assumed = sts.assume_role(self.region_name, "SageMaker", role, "", 43200, "")
        return RoleSession(
            region=self.region_name,
            endpoint_url=config.current().endpoint_url,
            access_key_id=assumed.access_key_id,
            secret_access_key=assumed.secret_access_key,
            session_token=assumed.session_token,
        )

    def _folder(self, kind: str, name: str) -> Path:
        region = Path("sagemaker", self.account_id, self.region_name)
        return config.current().state_dir / region / kind / name
