"""moto's SSM, without the commands that it says instances have run."""

from typing import Any

from moto.ssm.responses import SimpleSystemManagerResponse

from local_aws.exceptions import NotImplementedHere


def send_command(response: Any) -> Any:
    """Refuse what moto answers as carried out, and runs nowhere."""
    raise NotImplementedHere("SendCommand", "Run programs in jobs of SageMaker's CreateProcessingJob.")


def install() -> None:
    """Put the refusal in moto's place."""
    SimpleSystemManagerResponse.send_command = send_command
