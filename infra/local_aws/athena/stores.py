"""moto's S3 and Glue, in this process, as the engine sees them."""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import GlueBackend
from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeKey, S3Backend

from local_aws.athena.failures import QueryFailed
from local_aws.athena.objects import Encryption, S3Object
from local_aws.gate import gate


class MotoObjects:
    """Objects in moto's S3."""

    def __init__(self, s3: S3Backend) -> None:
        self.s3 = s3

    def list(self, bucket: str, prefix: str) -> list[S3Object]:
        found = sorted((key, value) for key, value in list(self._bucket(bucket).keys.items()) if key.startswith(prefix))
        return [
            S3Object(bucket, key, value.contentsize, value.etag) for key, value in found if isinstance(value, FakeKey)
        ]

    def read(self, s3_object: S3Object) -> bytes:
        self._bucket(s3_object.bucket)
        found = self.s3.get_object(s3_object.bucket, s3_object.key)
        if found is None:
            raise QueryFailed(
                f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {s3_object.uri}: The specified key does not exist."
            )
        return bytes(found.value)

    @gate.changing()
    def write(self, bucket: str, key: str, body: bytes, encryption: Encryption = None) -> None:
        self._bucket(bucket)
        given = encryption or {}
        algorithm = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}.get(given.get("EncryptionOption", ""))
        self.s3.put_object(bucket, key, body, encryption=algorithm, kms_key_id=given.get("KmsKey"))

    @gate.changing()
    def delete(self, bucket: str, key: str) -> None:
        self._bucket(bucket)
        self.s3.delete_object(bucket, key)

    def _bucket(self, name: str) -> Any:
        try:
            return self.s3.get_bucket(name)
        except MissingBucket as error:
            raise QueryFailed(
                f"PERMISSION_DENIED: Access denied or bucket missing: the specified bucket does not exist: {name} "
                "(Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)"
            ) from error


class MotoCatalog:
    """moto's Glue; what is in it is shared with the Glue API."""

    def __init__(self, glue: GlueBackend) -> None:
        self.glue = glue

    def databases(self) -> list[str]:
        return sorted({*(database.name for database in self.glue.get_databases()), "default"})

    def database(self, name: str) -> dict[str, Any]:
        """Glue's description of the database, empty for the default one, which needs none."""
        found = self.glue.databases.get(name)
        return found.as_dict() if found else {}

    @gate.changing()
    def create_database(self, name: str, database_input: dict[str, Any]) -> None:
        self.glue.create_database(name, database_input)

    @gate.changing()
    def delete_database(self, name: str) -> None:
        self.glue.delete_database(name)

    def tables(self, database: str) -> list[str]:
        if database not in self.glue.databases:
            return []
        return sorted(table.name for table in self.glue.get_tables(database, None))

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        if database not in self.glue.databases:
            return None
        try:
            table = self.glue.get_table(database, name)
        except JsonRESTError:
            return None
        return {"Name": name, **table.get_version(str(table._current_version))}

    def table_description(self, database: str, name: str) -> dict[str, Any] | None:
        """The table with what Glue itself adds to it; None where there is no such table."""
        if self.table(database, name) is None:
            return None
        return dict(self.glue.get_table(database, name).as_dict())

    @gate.changing()
    def create_table(self, database: str, table_input: dict[str, Any]) -> None:
        if database == "default" and database not in self.glue.databases:
            self.glue.create_database("default", {"Name": "default"})
        self.glue.create_table(database, table_input["Name"], table_input)

    @gate.changing()
    def update_table(self, database: str, table_input: dict[str, Any]) -> None:
        self.glue.update_table(database, table_input["Name"], table_input)

    @gate.changing()
    def delete_table(self, database: str, name: str) -> None:
        self.glue.delete_table(database, name)

    def partitions(self, database: str, table: str) -> list[dict[str, Any]]:
        return [partition.as_dict() for partition in self.glue.get_partitions(database, table, "")]

    @gate.changing()
    def put_partition(self, database: str, table: str, partition_input: dict[str, Any]) -> None:
        values = partition_input["Values"]
        if values in [known["Values"] for known in self.partitions(database, table)]:
            self.glue.update_partition(database, table, partition_input, values)
        else:
            self.glue.create_partition(database, table, partition_input)

    @gate.changing()
    def delete_partition(self, database: str, table: str, values: list[str]) -> None:
        self.glue.get_table(database, table).delete_partition(values)
