"""Requests as their APIs' models read them."""

import base64
import contextlib
import functools
import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

Conditions = dict[str, str | list[str]]  # condition keys and their values


@dataclass(frozen=True)
class Call:
    """An action on a resource; `conditions` are the condition keys that this action has beside those of every call."""

    action: str
    resource: str
    conditions: Conditions = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """A request: `service` is botocore's name of it; `parameters` are as much as could be read; header names are in
    lower case."""

    service: str
    name: str
    parameters: Mapping[str, Any]
    query: Mapping[str, str]
    headers: Mapping[str, str]


_MODULES = {"awslambda": "lambda", "dynamodb_v20111205": "dynamodb"}  # whose names are not botocore's without hyphens


@functools.cache
def botocore_service(module: str) -> str:
    """botocore's name of the service that moto's module of that name answers for."""
    if module in _MODULES:
        return _MODULES[module]
    available = botocore.session.get_session().get_available_services()
    names: dict[str, str] = {name.replace("-", ""): name for name in available}
    return names.get(module.replace("-", ""), module)


def read(module: str, environ: Mapping[str, Any]) -> Operation:
    """The operation that a WSGI request to moto's service `module` names, and its parameters."""
    service = botocore_service(module)
    sent = {**environ, **_body(service, environ)}
    if str(get_service_model(service).protocol).startswith("rest"):
        del sent["CONTENT_TYPE"]  # it tells the payload's form, an endpoint's input say, and not the protocol
    request = Request(sent)
    query = dict(request.args.items())
    headers = {name.lower(): value for name, value in Request(dict(environ)).headers.items()}
    try:
        operation, uri_parameters = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        return Operation(service, _named(request), {}, query, headers)
    parameters = dict(uri_parameters)
    if service != "s3" or operation.name == "DeleteObjects":  # of others, all that matters is in URL and headers
        parameters |= _parsed(operation, uri_parameters, request)
    return Operation(service, str(operation.name), parameters, query, headers)


def _parsed(operation: Any, uri_parameters: Mapping[str, Any], request: Request) -> dict[str, Any]:
    protocol = determine_request_protocol(get_service_model(operation.service_model.service_name), request.content_type)
    sent = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.get_data(),
        "url_path": request.path,
        "url_params": uri_parameters,
    }
    try:
        return dict(PROTOCOL_PARSERS[protocol](operation, blob_parser=_blob).parse(sent))
    except Exception:  # of any kind, at what is no request of this operation: the service will refuse it
        return {}


def _body(service: str, environ: Mapping[str, Any]) -> dict[str, Any]:
    """What a request's environment says of its body, here a copy that can be read, decompressed."""
    body: bytes = environ["wsgi.input"].getvalue()
    if service != "s3" and environ.get("HTTP_CONTENT_ENCODING") == "gzip":  # as clients send many metrics
        with contextlib.suppress(OSError, EOFError, zlib.error):  # it is none; the service will refuse it
            body = gzip.decompress(body)
    return {
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
    }


def _blob(value: str | bytes) -> bytes:
    """Binary data in a document is in Base64, and as a payload as it is."""
    try:
        return base64.b64decode(value)
    except ValueError:
        return value if isinstance(value, bytes) else value.encode()


def _named(request: Request) -> str:
    """The operation that a request names which is none of the service's API, or in a protocol that moto lacks."""
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return str(request.values.get("Action") or target or request.path.rpartition("/")[2] or request.method)
