"""Jobs of all kinds, in the place of those that moto marks Completed at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from local_aws import authorization, config
from local_aws.kms.keys import key_arn
from local_aws.sagemaker import images, references
from local_aws.sagemaker.exceptions import ResourceInUseException, ResourceNotFound, ValidationError
from local_aws.sagemaker.jobs import Job, JobFailed, Surroundings
from local_aws.sagemaker.processing import ProcessingJob
from local_aws.sagemaker.registry import RegistryBackend
from local_aws.sagemaker.role import NotAllowed, RoleSession
from local_aws.sagemaker.serving import STARTUP_SECONDS, ServedModel
from local_aws.sagemaker.training import TrainingJob
from local_aws.sagemaker.transform import TransformJob
from local_aws.sagemaker.tuning import TuningJob

SESSION = "SageMaker"
SESSION_SECONDS = 365 * 86400  # AWS renews the credentials of what runs; here they are given once
UNTRUSTING_ROLE = (
    "Could not assume role {role}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' "
    "to assume the role."
)
VOLUME = {"kms:GrantIsForAWSResource": "true"}  # what is known of a grant by which a volume uses a key


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
        session, environment = self._training_resources(request)
        job = TrainingJob(request, self._arn(TrainingJob.arn_type, request["TrainingJobName"]))
        self._start(job, self.training_jobs, session, environment)
        return job

    def _training_resources(self, request: dict[str, Any]) -> tuple[RoleSession, Callable[..., Path]]:
        """A training job's role and environment; ValidationException unless these, its input and its bucket are
        there."""
        role, uri = request["RoleArn"], request["AlgorithmSpecification"]["TrainingImage"]
        image = references.training_image(uri, self.region_name)
        session = self._role(role)
        s3 = session.client("s3")
        for channel in request.get("InputDataConfig") or []:
            references.check_input(s3, channel["DataSource"]["S3DataSource"]["S3Uri"], role, self.region_name)
        buckets = s3_backends.bucket_accounts
        references.check_output(buckets, request["OutputDataConfig"]["S3OutputPath"])
        for setting, member in (("CheckpointConfig", "S3Uri"), ("TensorBoardOutputConfig", "S3OutputPath")):
            if request.get(setting):
                references.check_output(buckets, request[setting][member], f"{setting}.{member}")
        self._check_volume_key((request.get("ResourceConfig") or {}).get("VolumeKmsKeyId"), session)
        return session, self._environment(session, uri, image)

    def start_tuning_job(self, request: dict[str, Any]) -> TuningJob:
        """Start the job that a CreateHyperParameterTuningJob request describes; ValidationException where AWS refuses
        it."""
        name = request["HyperParameterTuningJobName"]
        definition = request["TrainingJobDefinition"]
        session, environment = self._training_resources(definition)
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
        self._start(job, self.tuning_jobs, session, environment)
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
        uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        references.check_input(session.client("s3"), uri, model.execution_role_arn, self.region_name)
        references.check_output(s3_backends.bucket_accounts, request["TransformOutput"]["S3OutputPath"])
        self._check_volume_key(request["TransformResources"].get("VolumeKmsKeyId"), session)
        arn = self._arn(TransformJob.arn_type, request["TransformJobName"])
        job = TransformJob(request, arn, self.served_model(model))
        image_uri = model.served_container["Image"]
        image = references.image(image_uri, self.region_name)
        self._start(job, self.transform_jobs, session, self._environment(session, image_uri, image))
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
        uri = request["AppSpecification"]["ImageUri"]
        image = references.image(uri, self.region_name)
        session = self._role(request["RoleArn"])
        job = ProcessingJob(request, self._arn(ProcessingJob.arn_type, request["ProcessingJobName"]))
        for output in job.outputs:
            references.check_output(s3_backends.bucket_accounts, output["S3Uri"], "S3Uri")
        self._check_volume_key(request["ProcessingResources"]["ClusterConfig"].get("VolumeKmsKeyId"), session)
        self._start(job, self.processing_jobs, session, self._environment(session, uri, image))
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

    def _start[J: Job](
        self, job: J, jobs: dict[str, J], session: RoleSession, environment: Callable[..., Path]
    ) -> None:
        with self._creating:
            if job.name in jobs:
                raise ResourceInUseException(job.taken.format(name=job.name, arn=job.arn))
            jobs[job.name] = job
        job.start(Surroundings(session, environment, self._folder(job.arn_type, job.name)))

    def _environment(self, session: RoleSession, uri: str, image: images.Image) -> Callable[..., Path]:
        """What makes the environment of the image that `uri` names, where the role may pull that."""
        environments = config.current().environments_dir

        def environment(*tell: Callable[[str], None]) -> Path:
            session.check_pull(uri)
            return images.environment(image, environments, *tell)

        return environment

    def _check_volume_key(self, key_id: str | None, session: RoleSession | None = None) -> None:
        """AccessDeniedException unless the caller, or a job's role, may let the instances' volumes use the key."""
        if not key_id:
            return
        arn, giver = key_arn(self.account_id, self.region_name, key_id), authorization.caller()
        if session:
            role = authorization.role_session(session.arn, SESSION)
            giver = role if authorization.judge(role, "kms:CreateGrant", arn, VOLUME).allowed else giver
        authorization.require(giver, "kms:CreateGrant", arn, VOLUME)

    def _role(self, role: str, untrusting: str = UNTRUSTING_ROLE) -> RoleSession:
        """A session of the role; ValidationException by the text `untrusting` where it doesn't let SageMaker assume
        it."""
        account = role.split(":")[4]
        if account != self.account_id:
            raise ValidationError(f"RoleArn: Cross-account pass role is not allowed ({role}).")
        sagemaker = authorization.service("sagemaker.amazonaws.com")
        try:
            authorization.require(sagemaker, "sts:AssumeRole", role, {"aws:SourceAccount": self.account_id})
        except authorization.AccessDenied as denied:
            raise ValidationError(untrusting.format(role=role)) from denied
        sts = sts_backends[self.account_id][get_partition(self.region_name)]
        assumed = sts.assume_role(self.region_name, SESSION, role, "", SESSION_SECONDS, "")
        principal = authorization.role_session(role, SESSION)

        def require(action: str, resource: str, conditions: Mapping[str, str] = {}) -> None:
            try:
                authorization.require(principal, action, resource, conditions)
            except authorization.AccessDenied as denied:
                raise NotAllowed(denied.message) from denied

        return RoleSession(
            arn=role,
            region=self.region_name,
            endpoint_url=config.current().endpoint_url,
            access_key_id=assumed.access_key_id,
            secret_access_key=assumed.secret_access_key,
            session_token=assumed.session_token,
            require=require,
        )

    def _folder(self, kind: str, name: str) -> Path:
        region = Path("sagemaker", self.account_id, self.region_name)
        return config.current().state_dir / region / kind / name
