"""What has to be done to an endpoint before it can be deployed to."""

import boto3


def delete_if_failed(name: str) -> bool:
    """Delete the endpoint where its creation has failed, which SageMaker can't update; whether that was so."""
    sagemaker = boto3.client("sagemaker")
    try:
        status = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return False  # SageMaker's answer for an endpoint that doesn't exist
    if status != "Failed":
        return False
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})
    return True
