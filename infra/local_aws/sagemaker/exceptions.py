"""SageMaker's errors, with AWS's codes."""

from moto.sagemaker.exceptions import ResourceInUseException as ResourceInUseException
from moto.sagemaker.exceptions import ResourceNotFound as ResourceNotFound
from moto.sagemaker.exceptions import ValidationError as ValidationError

from local_aws.exceptions import NotImplementedHere as NotImplementedHere
