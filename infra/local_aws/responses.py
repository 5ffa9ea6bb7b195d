"""What is done with every request: that of a service made real is checked against the API's model, and any is answered
in AWS's form whatever happens."""

import json
import logging
from collections.abc import Set
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.parse import RequestParserError
from moto.core.request import Request
from moto.core.responses import ActionResult, BaseResponse
from werkzeug.exceptions import HTTPException

from local_aws.exceptions import BrokenRules, InternalFailure, NotImplementedHere, SerializationError
from local_aws.instead import instead
from local_aws.validation import WrongType, find_errors, service_model

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"


class CheckedResponse(BaseResponse):
    """moto's, without the operations that it only pretends to carry out, and without requests that are not what their
    operations take. To stand before moto's class of a service."""

    carried_out: Set[str]
    speaks_query = False  # the query protocol too, whose requests are forms
    invalid = "ValidationException"  # the service's code for a request that breaks its model's rules

    def _dispatch(self, request: Request, full_url: str | None = None, headers: Any = None) -> Any:
        self.decompress_request_body(request)  # as clients send many metrics; once
        self.allow_request_decompression = False
        body = request.get_data()  # before moto parses what calls itself a form, and takes it away
        try:
            if not self.use_raw_body and not (self.speaks_query and request.mimetype == FORM):
                json.loads(body or "{}")
        except ValueError as error:  # before moto can lay out what `serialized` needs
            answer = {"__type": SerializationError.code, "message": f"The request's body is no JSON: {error}"}
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer)
        return super()._dispatch(request, full_url, headers)

    def parse_parameters(self, request: Request) -> None:
        action = self._get_action()
        try:
            super().parse_parameters(request)
        except OperationNotFoundError as unknown:
            raise NotImplementedHere(f"The operation {action}") from unknown
        except (RequestParserError, ArithmeticError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise SerializationError(f"The request's body is not what {action} takes: {error}") from error

    def call_action(self) -> Any:
        self.check_request()
        return super().call_action()

    def check_request(self) -> None:
        """Refuse what is not carried out, and a request that is not what its operation takes."""
        action = self._get_action()
        if action not in self.carried_out:
            raise NotImplementedHere(action, instead(self.boto3_service_name, action))
        try:
            errors = find_errors(self.boto3_service_name, action, self.document())
        except WrongType as error:
            raise SerializationError(str(error)) from error
        if errors:
            raise BrokenRules(self.invalid, errors)

    def document(self) -> Any:
        """The request as it was sent: moto's parser converts what AWS refuses."""
        return json.loads(self.body or "{}")


_dispatch = BaseResponse._dispatch


def answer_in_awss_form(response: Any, request: Request, full_url: str | None = None, headers: Any = None) -> Any:
    """moto's method `_dispatch`, with AWS's error shapes where moto's server would answer with a page of HTML: an
    operation that moto lacks is refused by name, and a defect is an InternalFailure."""
    try:
        return _dispatch(response, request, full_url, headers)
    except ServiceException as refusal:
        return response.serialized(ActionResult(refusal))
    except NotImplementedError as missing:
        logger.warning("%s: %s", response.service_name, missing)
        return response.serialized(ActionResult(NotImplementedHere(response._get_action())))
    except (ClientError, HTTPException):  # moto's server knows what to make of them
        raise
    except Exception as error:  # the last to see it: the client gets AWS's shape, the log has the traceback
        action = response._get_action()
        logger.exception("%s: %s", service_model(response.boto3_service_name).service_id, action)
        _, headers, body = response.serialized(ActionResult(InternalFailure(action, error)))
        return 500, headers, body


def install() -> None:
    """Put that method in the place of moto's."""
    BaseResponse._dispatch = answer_in_awss_form
