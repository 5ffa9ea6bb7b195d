"""IAM's error for what is not done here."""

from moto.iam.exceptions import IAMException


class NotImplementedHere(IAMException):
    """Something of AWS's that local AWS does not carry out, and so refuses."""

    code = "NotImplementedException"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not implemented by local AWS; nothing has been done.")
