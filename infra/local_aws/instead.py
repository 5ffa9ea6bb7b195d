"""What to use instead of an operation that local AWS does not carry out."""

import re

_NOTEBOOKS = "Run notebooks and IDEs on this machine, with AWS_ENDPOINT_URL set to local AWS."
_IMAGES = "Name an image of images.toml, or map your own to an environment there."
_MODELS = "Deploy the model as it is, by CreateModel and CreateEndpoint."
_PROVENANCE = "Tag jobs by AddTags, and put a model's origin into CreateModelPackage's MetadataProperties."
_MACHINE = "Start each job by itself: CreateTrainingJob and CreateProcessingJob share this machine."
_SPARK = "Run Spark and notebooks outside Athena: local Athena runs SQL, by StartQueryExecution."
_LABELS = "Label data elsewhere, and put it into S3."
_EVENTS = "Read events by FilterLogEvents or StartQuery."
_WATCH = "Capture data by DataCaptureConfig, and check it in a job of CreateProcessingJob that a scheduler starts."

# The first family whose expression is found in the operation's name says it.
FAMILIES: dict[str, list[tuple[str, str]]] = {
    "sagemaker": [
        ("Pipeline", "Order the steps by Airflow: its SageMaker operators start each job here."),
        ("AutoML", "Search by CreateHyperParameterTuningJob, or compare models in a training job's script."),
        ("MonitoringSchedule|MonitoringAlert|MonitoringExecution|JobDefinition", _WATCH),
        ("InferenceComponent", "Give each model a production variant of its own in CreateEndpointConfig."),
        ("InferenceExperiment", "Split requests between production variants: UpdateEndpointWeightsAndCapacities."),
        ("InferenceRecommendations|ScalingConfiguration", "Measure an endpoint of CreateEndpoint under your own load."),
        ("Feature", "Keep features as tables in S3: awswrangler writes them, Athena reads them."),
        ("Compilation|Optimization|Edge|Device", _MODELS),
        ("Labeling|Workteam|Workforce|HumanTask|FlowDefinition|UiTemplate", _LABELS),
        ("Mlflow", "Run an MLflow server on this machine, and name it as MLFLOW_TRACKING_URI in a job's Environment."),
        ("Experiment|Trial|Artifact|Context|Association|Action|Lineage", _PROVENANCE),
        ("ModelCard|ModelMetadata", "Keep a model's metrics and notes in CreateModelPackage and UpdateModelPackage."),
        ("BatchDescribeModelPackage", "Call DescribeModelPackage for each."),
        ("PackageGroupPolicy", "Leave the policy out: who is of this account needs none."),
        ("AppImage", _NOTEBOOKS),
        ("Cluster|ComputeQuota|TrainingPlan|ReservedCapacity|UltraServer", _MACHINE),
        ("Search|ResourceCatalog", "Call the List operations, which filter by name, time and status."),
        ("Algorithm|Hub|Image|Aliases", _IMAGES),
        ("Notebook|Domain|UserProfile|Space|App|Studio|CodeRepositor|StartSession", _NOTEBOOKS),
        ("Project|Servicecatalog", "Describe infrastructure by Terraform."),
        ("UpdateTrainingJob", "Stop the job, and create another by CreateTrainingJob."),
        ("Delete(Training|Processing)Job", "Leave the job: its name stays taken until the state is removed."),
    ],
    "sagemaker-runtime": [
        ("Async", "Call InvokeEndpoint, or score many records by CreateTransformJob."),
        ("Stream", "Call InvokeEndpoint: it answers with the whole body."),
    ],
    "athena": [
        ("DataCatalog", "Use AwsDataCatalog: its databases and tables are Glue's."),
        ("Capacity", "Leave capacity out: every query runs on this machine."),
        ("Session|Calculation|Executor|Notebook|DPU|Dashboard", _SPARK),
    ],
    "cloudwatch": [
        ("AnomalyDetector", "Use an alarm with a static Threshold, or metric math."),
        ("InsightRule", "Count by PutMetricFilter, or ask CloudWatch Logs by StartQuery."),
        ("MetricStream", "Read metrics by GetMetricData."),
        ("MetricWidgetImage", "Draw what GetMetricData answers."),
        ("MuteRule", "Call DisableAlarmActions and EnableAlarmActions."),
        ("AlarmContributors", "Make one alarm for each metric by PutMetricAlarm."),
        ("OTel", "Send metrics by PutMetricData."),
    ],
    "logs": [
        ("Anomal", "Count events by PutMetricFilter, and put an alarm on the metric."),
        ("Deliver|Destination|ConfigurationTemplate|Integration|ScheduledQuer|LookupTable|S3Table|Import", _EVENTS),
        ("Transformer|IndexPolic|FieldIndex|LogFields|LogGroupFields", "Parse fields in the query of StartQuery."),
        ("LiveTail", "Poll FilterLogEvents."),
        ("LogRecord|LogObject", "Read events by GetLogEvents."),
        ("ListLogGroups|AggregateLogGroup", "Call DescribeLogGroups."),
        ("StopQuery", "Let the query be: it is complete as soon as StartQuery answers."),
        (
            "KmsKey|DataProtection|AccountPolic|BearerToken|Protection",
            "Leave it out: local AWS keeps events as they are.",
        ),
    ],
}


def instead(service: str, operation: str) -> str:
    """A sentence on what to use in the place of a refused operation; empty where there is nothing of the kind."""
    return next((text for words, text in FAMILIES.get(service, []) if re.search(words, operation)), "")
