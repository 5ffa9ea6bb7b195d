"""What a batch transform job can't be here, or on AWS: refused by name."""

from collections.abc import Mapping
from typing import Any

from local_aws.sagemaker.exceptions import NotImplementedHere, ValidationError
from local_aws.sagemaker.json_path import PathError
from local_aws.sagemaker.limits import experiment
from local_aws.sagemaker.records import DataProcessing, format_of
from local_aws.sagemaker.transformation import DEFAULT_PAYLOAD_MB


# Accepted and described back: InstanceCount (its instances would share the objects among them), volume keys and
# TransformAmiVersion.
def check_transform_job(request: Mapping[str, Any]) -> None:
    """NotImplementedException where a CreateTransformJob request asks for what can't be had here."""
    source, output = request["TransformInput"], request["TransformOutput"]
    data_type = source["DataSource"]["S3DataSource"]["S3DataType"]
    refused = experiment(request)
    if request.get("DataCaptureConfig"):
        refused.append("DataCaptureConfig (the input and the output are in S3 as they are)")
    if source.get("SplitType") in ("RecordIO", "TFRecord"):
        refused.append(f"SplitType {source['SplitType']} (use Line or None)")
    if data_type not in ("S3Prefix", "ManifestFile"):
        refused.append(f"S3DataType {data_type} (use S3Prefix or ManifestFile)")
    if refused:
        raise NotImplementedHere(f"CreateTransformJob with {', '.join(refused)}")
    payload = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    if max(payload, 1) * (request.get("MaxConcurrentTransforms") or 1) > 100:
        raise ValidationError("MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB.")
    try:
        processing = DataProcessing(request.get("DataProcessing") or {})
    except PathError as error:
        raise ValidationError(str(error)) from error
    types = [source.get("ContentType", "")] if processing.reads_input() else []
    if processing.reads_output() and output.get("Accept"):
        types.append(output["Accept"])
    for content_type in types:
        if not format_of(content_type):
            raise ValidationError(
                f"DataProcessing needs input and output that are CSV, JSON or JSON Lines, by ContentType and Accept; "
                f"{content_type or 'no ContentType'} is none of them."
            )
