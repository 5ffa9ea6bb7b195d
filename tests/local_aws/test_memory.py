"""What a local AWS that stays up for long holds in memory."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest
from own_server import OwnServer

MEGABYTE = 2**20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnServer]:
    with pytest.MonkeyPatch.context() as patch:
        own = OwnServer(tmp_path / "state", patch)
        yield own
        own.end("SIGTERM")


def test_what_was_deleted_replaced_or_listed_is_no_longer_in_memory(server: OwnServer) -> None:
    s3, process = boto3.client("s3"), psutil.Process(server.process.pid)
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    for number in range(8):
        s3.put_object(Bucket="bucket", Key=f"kept-{number}", Body=bytes([number]) * 4 * MEGABYTE)
    before = process.memory_info().rss
    for number in range(30):
        written = s3.put_object(Bucket="bucket", Key="written", Body=bytes([number]) * 4 * MEGABYTE)
        listed = s3.list_object_versions(Bucket="bucket")["Versions"]
        assert [version["Size"] for version in listed] == [4 * MEGABYTE] * 9
        s3.delete_object(Bucket="bucket", Key="written", VersionId=written["VersionId"])
    assert s3.get_object(Bucket="bucket", Key="kept-7")["Body"].read() == bytes([7]) * 4 * MEGABYTE
    assert process.memory_info().rss - before < 300 * MEGABYTE  # 1,200 have been listed
