"""MWAA's environment: the files that say what it installs, and which versions of them it takes."""

from collections.abc import Mapping
from typing import Any

import boto3

from deploy import objects, packages
from deploy.plan import Change, Refused

REQUIREMENTS, PLUGINS = "requirements.txt", "plugins.zip"


def changes(mwaa: Mapping[str, str]) -> list[Change]:
    """Uploads of what has changed of the two files, and the update where MWAA has other versions than the newest."""
    name, bucket = mwaa["environment"], mwaa["bucket"]
    uploads = _uploads(bucket)
    environment = boto3.client("mwaa").get_environment(Name=name)["Environment"]
    if not uploads and _newest(bucket).items() <= environment.items():
        return []
    if environment["Status"] not in ("AVAILABLE", "UPDATE_FAILED"):
        raise Refused(
            f"MWAA's environment {name} is {environment['Status']} and takes no other packages meanwhile: run it again "
            f"when `aws mwaa get-environment --name {name} --query Environment.Status` says AVAILABLE"
        )

    def update() -> None:
        boto3.client("mwaa").update_environment(Name=name, **_newest(bucket))

    return [
        *uploads,
        Change(f"~ MWAA's environment {name}: installs them (20 to 30 minutes, in the background)", update),
    ]


def _uploads(bucket: str) -> list[Change]:
    requirements, digest = packages.requirements().encode(), packages.plugins_digest()
    plugins, listed = objects.head(bucket, PLUGINS), objects.head(bucket, REQUIREMENTS)
    uploads = []
    if plugins.get("Metadata", {}).get("contents") != digest:  # its own checksum would cost a download of 80 MB
        wheels = ", ".join(f"{name} {version}" for name, version in packages.pins(packages.lacking()).items())
        uploads.append(objects.upload(bucket, PLUGINS, packages.plugins, plugins, f" with {wheels}", contents=digest))
    if listed.get("ChecksumSHA256") != objects.sha256(requirements):
        uploads.append(objects.upload(bucket, REQUIREMENTS, lambda: requirements, listed))
    return uploads


def _newest(bucket: str) -> dict[str, Any]:
    """The two files as MWAA's requests name them, with the newest version of each."""
    return {
        "RequirementsS3Path": REQUIREMENTS,
        "RequirementsS3ObjectVersion": objects.head(bucket, REQUIREMENTS)["VersionId"],
        "PluginsS3Path": PLUGINS,
        "PluginsS3ObjectVersion": objects.head(bucket, PLUGINS)["VersionId"],
    }
