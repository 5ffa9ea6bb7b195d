"""moto's S3 and Glue, in this process, as the engine sees them."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.glue.models import GlueBackend
from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeKey, S3Backend

from local_aws.athena.failures import NotAuthorized, QueryFailed, not_written
from local_aws.athena.objects import Encryption, S3Object
from local_aws.athena.permissions import require
from local_aws.authorization import AccessDenied
from local_aws.gate import gate
from local_aws.s3 import encryption


class MotoObjects:
    """Objects in moto's S3, as far as the query's caller may use them."""

    def __init__(self, s3: S3Backend) -> None:
        self.s3 = s3

    def list(self, bucket: str, prefix: str, places: Sequence[str] = ()) -> list[S3Object]:
        keys = self._bucket(bucket).keys
        for place in places or (prefix,):
            try:
                require("s3:ListBucket", f"arn:aws:s3:::{bucket}", s3_prefix=place)
            except AccessDenied as denied:
                raise QueryFailed(f"Permission denied on S3 path: s3://{bucket}/{place}") from denied
        found = sorted((key, value) for key, value in list(keys.items()) if key.startswith(prefix))
        return [
            S3Object(bucket, key, value.contentsize, value.etag) for key, value in found if isinstance(value, FakeKey)
        ]

    def find(self, bucket: str, key: str) -> S3Object | None:
        found = self.s3.get_object(bucket, key)
        return S3Object(bucket, key, found.contentsize, found.etag) if found else None

    def check(self, s3_object: S3Object) -> None:
        bucket = self._bucket(s3_object.bucket)
        found = self.s3.get_object(s3_object.bucket, s3_object.key)
        try:
            require("s3:GetObject", f"arn:aws:s3:::{s3_object.bucket}/{s3_object.key}")
            if found:
                encryption.decrypt(bucket, found)
        except ServiceException as refusal:  # of the object, or of its key
            raise QueryFailed(f"Permission denied on S3 path: {s3_object.uri}") from refusal

    def read(self, s3_object: S3Object) -> bytes:
        self._bucket(s3_object.bucket)
        found = self.s3.get_object(s3_object.bucket, s3_object.key)
        if found is None:
            raise QueryFailed(
                f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {s3_object.uri}: The specified key does not exist."
            )
        return bytes(found.value)

    @gate.changing()
    def write(self, bucket: str, key: str, body: bytes, given: Encryption = None) -> None:
        self._bucket(bucket)
        algorithm = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}.get((given or {}).get("EncryptionOption", ""))
        try:
            require("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
            self.s3.put_object(bucket, key, body, encryption=algorithm, kms_key_id=(given or {}).get("KmsKey"))
        except ServiceException as refusal:  # the caller's permissions, or the key
            raise not_written(f"s3://{bucket}/{key}") from refusal

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
    """moto's Glue, as far as the caller may use it; what is in it is shared with the Glue API.

    `denied` makes an error of Glue's message where the caller may not.
    """

    def __init__(self, glue: GlueBackend, denied: Callable[[str], Exception] = NotAuthorized) -> None:
        self.glue = glue
        self._denied = denied

    def _require(self, action: str, database: str | None = None, table: str | None = None, *more: str) -> None:
        """Glue asks for its action on the object and on all above it."""
        below = [f"database/{database}"] if database else []
        below += [f"table/{database}/{table}"] if table else []
        for path in ("catalog", *below, *more):
            try:
                require(f"glue:{action}", f"arn:aws:glue:{self.glue.region_name}:{self.glue.account_id}:{path}")
            except AccessDenied as denied:
                raise self._denied(
                    f"{denied.message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: "
                    f"AccessDeniedException; Request ID: {uuid.uuid4()}; Proxy: null)"
                ) from denied

    def databases(self) -> list[str]:
        self._require("GetDatabases")
        return sorted({*(database.name for database in self.glue.get_databases()), "default"})

    def has_database(self, name: str) -> bool:
        self._require("GetDatabase", name)
        return name == "default" or name in self.glue.databases

    def database(self, name: str) -> dict[str, Any]:
        """Glue's description of the database, empty for the default one, which needs none."""
        found = self.glue.databases.get(name)
        return found.as_dict() if found else {}

    @gate.changing()
    def create_database(self, name: str, database_input: dict[str, Any]) -> None:
        self._require("CreateDatabase", name)
        self.glue.create_database(name, database_input)

    @gate.changing()
    def delete_database(self, name: str) -> None:
        self._require("DeleteDatabase", name, "*", f"userDefinedFunction/{name}/*")
        self.glue.delete_database(name)

    def tables(self, database: str) -> list[str]:
        self._require("GetTables", database, "*")
        if database not in self.glue.databases:
            return []
        return sorted(table.name for table in self.glue.get_tables(database, None))

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        self._require("GetTable", database, name)
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

    def table_descriptions(self, database: str) -> dict[str, dict[str, Any]]:
        """The same of every table of the database, by name."""
        return {name: self.glue.get_table(database, name).as_dict() for name in self.tables(database)}

    @gate.changing()
    def create_table(self, database: str, table_input: dict[str, Any]) -> None:
        self._require("CreateTable", database, table_input["Name"])
        if database == "default" and database not in self.glue.databases:
            self.glue.create_database("default", {"Name": "default"})
        self.glue.create_table(database, table_input["Name"], table_input)

    @gate.changing()
    def update_table(self, database: str, table_input: dict[str, Any]) -> None:
        self._require("UpdateTable", database, table_input["Name"])
        self.glue.update_table(database, table_input["Name"], table_input)

    @gate.changing()
    def delete_table(self, database: str, name: str) -> None:
        self._require("DeleteTable", database, name)
        if self.glue.get_table(database, name).as_dict().get("PartitionKeys"):
            for action in ("GetPartitions", "DeletePartition"):
                self._require(action, database, name)
        self.glue.delete_table(database, name)

    def partitions(self, database: str, table: str) -> list[dict[str, Any]]:
        self._require("GetPartitions", database, table)
        return self._known_partitions(database, table)

    def _known_partitions(self, database: str, table: str) -> list[dict[str, Any]]:
        return [partition.as_dict() for partition in self.glue.get_partitions(database, table, "")]

    @gate.changing()
    def put_partition(self, database: str, table: str, partition_input: dict[str, Any]) -> None:
        values = partition_input["Values"]
        if values in [known["Values"] for known in self._known_partitions(database, table)]:
            self._require("UpdatePartition", database, table)
            self.glue.update_partition(database, table, partition_input, values)
        else:
            self._require("BatchCreatePartition", database, table)
            self.glue.create_partition(database, table, partition_input)

    @gate.changing()
    def delete_partition(self, database: str, table: str, values: list[str]) -> None:
        self._require("DeletePartition", database, table)
        self.glue.get_table(database, table).delete_partition(values)
