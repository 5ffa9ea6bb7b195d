"""Resources that a request names otherwise than by their ARNs: what resources.toml looks up in moto's state."""

from typing import Any

from moto.athena.models import athena_backends
from moto.iam.exceptions import NoSuchEntity, NotFoundException
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.kms.utils import KEY_ID_LEN
from moto.logs.models import logs_backends
from moto.s3.models import FakeKey

from local_aws.authorization import documents
from local_aws.authorization.callers import caller
from local_aws.authorization.places import Place


def workgroup_of_query(place: Place, query_id: str) -> str:
    """The workgroup in which an Athena query runs; the primary one's name for a query that there is not."""
    query = athena_backends[place.account][place.region].queries.get(query_id)
    return str(query.workgroup_name) if query else "primary"


def workgroup_of_named_query(place: Place, query_id: str) -> str:
    """The workgroup of a saved query."""
    query: Any = athena_backends[place.account][place.region].named_queries.get(query_id)
    return str(query.workgroup.name) if query else "primary"


def rule_prefix(place: Place, bus: str) -> str:
    """What stands before the name of a rule of an event bus, by the bus's name or ARN."""
    name = bus.rpartition("/")[2]
    return "" if name in ("", "default") else f"{name}/"


def role(place: Place, name: str) -> str:
    """A role's ARN, which has its path."""
    return _of_iam(place, "role", name)


def user(place: Place, name: str) -> str:
    """A user's ARN, the caller's own where none is named."""
    return _of_iam(place, "user", name) if name else caller().identity


def group(place: Place, name: str) -> str:
    """A group's ARN."""
    return _of_iam(place, "group", name)


def instance_profile(place: Place, name: str) -> str:
    """An instance profile's ARN."""
    return _of_iam(place, "instance-profile", name)


def key(place: Place, key_id: str) -> str:
    """The ARN of a KMS key by its id, ARN, alias, or alias's ARN."""
    if ":key/" in key_id:
        return key_id
    backend = kms_backends[place.account][place.region]
    name = backend.get_alias_name(key_id)
    found = backend.get_key_id_from_alias(name) if name.startswith("alias/") else name
    return place.arn("kms", name if found is None else f"key/{found}")


def key_of_ciphertext(place: Place, blob: bytes) -> str:
    """The ARN of the KMS key that has encrypted something."""
    return place.arn("kms", "key/" + bytes(blob or b"")[:KEY_ID_LEN].decode("ascii", "replace"))


def log_group(place: Place, identifier: str) -> str:
    """The name of a log group by its name or ARN."""
    return identifier.partition(":log-group:")[2].removesuffix(":*") or identifier


def queue(place: Place, url: str) -> str:
    """The name of a queue by its URL."""
    return url.rpartition("/")[2]


def parameter(place: Place, name: str) -> str:
    """A parameter's name as ARNs have it after the word, without a version or label; an ARN as it is."""
    if name.startswith("arn:"):
        return name
    return "/" + name.partition(":")[0].removeprefix("/")


def log_groups_of_query(place: Place, query_id: str) -> list[str]:
    """The names of the log groups that an Insights query is about."""
    queries = logs_backends[place.account][place.region].insights_queries
    return list(queries[query_id]["logGroupNames"]) if query_id in queries else [""]


def lacks_object(arn: str) -> bool:
    """Whether a bucket is there, and has no object of that ARN."""
    bucket = documents.bucket_of(arn)
    return bucket is not None and not isinstance(bucket.keys.get(arn.partition("/")[2]), FakeKey)


def _of_iam(place: Place, kind: str, name: str) -> str:
    backend = iam_backends[place.account][place.partition]
    finders: dict[str, Any] = {
        "role": backend.get_role,
        "user": backend.get_user,
        "group": backend.get_group,
        "instance-profile": backend.get_instance_profile,
    }
    try:
        return str(finders[kind](name).arn)
    except (NotFoundException, NoSuchEntity):
        return place.arn("iam", f"{kind}/{name}")
