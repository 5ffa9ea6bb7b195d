"""What a workgroup and a request say about a query's results, and what of it no query here would obey."""

from typing import Any

from local_aws.athena.exceptions import InvalidRequestException, NotImplementedHere
from local_aws.athena.failures import QueryFailed
from local_aws.athena.objects import split_uri
from local_aws.validation import known, service_model

ENGINE = "Athena engine version 3"
_REFUSED = (
    *("EngineConfiguration", "ExecutionRole", "MonitoringConfiguration", "IdentityCenterConfiguration"),
    *("EnableMinimumEncryptionConfiguration", "CustomerContentEncryptionConfiguration"),
)
_REUSE_MINUTES = 60  # ResultReuseByAge without an age


def result_configuration_of(settings: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The ResultConfiguration that a query has: the workgroup's where it enforces its own, else the request's first."""
    own = settings.get("ResultConfiguration") or {}
    if settings.get("EnforceWorkGroupConfiguration"):
        found = {"OutputLocation": given.get("OutputLocation"), **own}
    else:
        found = {**own, **given}
    if not found.get("OutputLocation"):
        raise InvalidRequestException(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    try:
        split_uri(found["OutputLocation"])
    except QueryFailed as error:
        raise InvalidRequestException(f"outputLocation is not a valid S3 path. {error}") from error
    _refuse_client_side_encryption(found)
    return found


def reuse_by_age(given: dict[str, Any]) -> dict[str, Any]:
    """ResultReuseByAgeConfiguration of a request, with the age that Athena takes for none."""
    found = dict(given.get("ResultReuseByAgeConfiguration") or {"Enabled": False})
    return {"MaxAgeInMinutes": _REUSE_MINUTES, **found} if found["Enabled"] else found


def checked(configuration: dict[str, Any]) -> dict[str, Any]:
    """A workgroup's `configuration`, without what is no member of it, unless it asks for what no query here would
    obey."""
    configuration = known(service_model("athena").shape_for("WorkGroupConfiguration"), configuration)
    engine = configuration.get("EngineVersion") or {}
    selected = engine.get("SelectedEngineVersion", "AUTO")
    if selected not in ("AUTO", ENGINE):
        raise NotImplementedHere(f"A workgroup of engine version {selected}")
    for name in ("ManagedQueryResultsConfiguration", "QueryResultsS3AccessGrantsConfiguration"):
        if any((configuration.get(name) or {}).get(switch) for switch in ("Enabled", "EnableS3AccessGrants")):
            raise NotImplementedHere(f"A workgroup with {name}")
    for name in _REFUSED:
        if configuration.get(name):
            raise NotImplementedHere(f"A workgroup with {name}")
    _refuse_client_side_encryption(configuration.get("ResultConfiguration") or {})
    if engine:
        configuration["EngineVersion"] = {"SelectedEngineVersion": selected, "EffectiveEngineVersion": ENGINE}
    return configuration


def _refuse_client_side_encryption(result_configuration: dict[str, Any]) -> None:
    if (result_configuration.get("EncryptionConfiguration") or {}).get("EncryptionOption") == "CSE_KMS":
        raise NotImplementedHere("Encryption of results as CSE_KMS (SSE_S3 and SSE_KMS are carried out)")
