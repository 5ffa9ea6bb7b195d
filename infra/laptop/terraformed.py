"""The platform that Terraform has laid on a local AWS which the user has started."""

from typing import Any

from botocore.exceptions import EndpointConnectionError

from deploy import platform
from laptop import services
from laptop.settings import ENVIRONMENT, REGION, STATE, Settings


def document(settings: Settings) -> dict[str, Any]:
    """Its platform document; ServiceError with what to do where nothing answers; Refused where it has none."""
    try:
        return platform.read(ENVIRONMENT)
    except EndpointConnectionError as error:
        variables = " ".join(f"{name}={value}" for name, value in settings.aws_environment().items())
        raise services.ServiceError(
            f"nothing answers at {settings.aws_url}, where {ENVIRONMENT} has to be. Start it in another terminal:\n"
            f"  .venv/bin/python -m local_aws --port {settings.aws_port} --enforce-iam "
            f"--state-dir {STATE / 'local_aws'} --record-calls {STATE / 'calls.jsonl'}\nand lay the platform there:\n"
            f"  export {variables} AWS_REGION={REGION}\n"
            "  terraform -chdir=infra/terraform/examples/local init\n"
            f"  terraform -chdir=infra/terraform/examples/local apply -var environment={ENVIRONMENT}"
        ) from error
