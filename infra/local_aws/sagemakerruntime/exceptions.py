"""SageMaker Runtime's errors, with AWS's codes and texts."""

from moto.core.exceptions import ServiceException


class EndpointNotFound(ServiceException):
    code = "ValidationError"

    def __init__(self, endpoint_name: str, account_id: str) -> None:
        super().__init__(f"Endpoint {endpoint_name} of account {account_id} not found.")


class VariantNotFound(ServiceException):
    code = "ValidationError"

    def __init__(self, variant_name: str, endpoint_name: str) -> None:
        super().__init__(f"Variant {variant_name} of endpoint {endpoint_name} not found.")


class ModelError(ServiceException):
    """The container answered with a 4xx or 5xx, or not at all (status 0)."""

    code = "ModelError"

    def __init__(self, region: str, account_id: str, endpoint_name: str, status: int, message: str) -> None:
        kind = "client" if 400 <= status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint_name}"
        super().__init__(
            f'Received {kind} error ({status}) from primary with message "{message}". See https://{region}.console.aws.'
            f"amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in account {account_id} "
            "for more information."
        )
        self.original_status_code = status
        self.original_message = message
        self.log_stream_arn = f"arn:aws:logs:{region}:{account_id}:log-group:{group}"
