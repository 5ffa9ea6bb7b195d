"""What the tests of local AWS share: clients with one bucket, for each test of Athena a lake of its own, and for those
modules that ask for it a local AWS that judges calls."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from own_server import OwnServer
from sagemaker_requests import bucket_client


class Lake:
    """One bucket and one database on the local AWS; `b` and `d` in a query stand for their names."""

    def __init__(self, athena: Any, glue: Any, s3: Any) -> None:
        self.bucket = self.database = f"lake-{uuid.uuid4().hex[:12]}".replace("-", "")
        self.athena, self.glue, self.s3 = athena, glue, s3
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})

    def put(self, key: str, text: str | bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text)

    def keys(self, prefix: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])]

    def start(self, sql: str, **arguments: Any) -> str:
        started = self.athena.start_query_execution(
            QueryString=sql.replace("{bucket}", self.bucket).replace("{database}", self.database),
            QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
            **arguments,
        )
        return str(started["QueryExecutionId"])

    def finished(self, query_id: str) -> dict[str, Any]:
        for _ in range(12000):
            execution = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return dict(execution)
            time.sleep(0.01)
        raise TimeoutError(f"query {query_id} is still {execution['Status']['State']} after 2 minutes")

    def run(self, sql: str, **arguments: Any) -> dict[str, Any]:
        """GetQueryExecution of a query that succeeds."""
        execution = self.finished(self.start(sql, **arguments))
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        return execution

    def rows(self, sql: str, **arguments: Any) -> list[tuple[str | None, ...]]:
        """The result's rows as Athena spells them, without the header that a SELECT has."""
        execution = self.run(sql, **arguments)
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
        found = [
            tuple(d.get("VarCharValue") for d in row["Data"]) for page in pages for row in page["ResultSet"]["Rows"]
        ]
        return found[1:] if execution["StatementType"] == "DML" else found

    def reason(self, sql: str, **arguments: Any) -> str:
        """StateChangeReason of a query that fails."""
        execution = self.finished(self.start(sql, **arguments))
        assert execution["Status"]["State"] == "FAILED", f"{sql} ended as {execution['Status']['State']}"
        return str(execution["Status"]["StateChangeReason"])


@pytest.fixture(scope="session")
def lake_clients(local_aws: object) -> list[Any]:
    """Athena's, Glue's and S3's: made once, since that takes longer than most queries."""
    return [boto3.client(service) for service in ("athena", "glue", "s3")]


@pytest.fixture
def lake(lake_clients: list[Any]) -> Lake:
    return Lake(*lake_clients)


@pytest.fixture
def flights(lake: Lake) -> Lake:
    """A lake with two months of CSV flights, registered by MSCK REPAIR TABLE."""
    lake.put("flights/year=2013/month=01/a.csv", 'carrier,delay\nUA,5\n"AA, inc",\n')
    lake.put("flights/year=2013/month=02/a.csv", "carrier,delay\nDL,-3.5\n")
    lake.run(
        "create external table flights (carrier string, delay string) partitioned by (year string, month string) "
        "row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde' stored as textfile "
        "location 's3://{bucket}/flights/' tblproperties ('skip.header.line.count' = '1')"
    )
    lake.run("msck repair table flights")
    return lake


@pytest.fixture(scope="module")
def s3(local_aws: Any) -> Any:
    return bucket_client()


@pytest.fixture(scope="module")
def sagemaker(s3: Any) -> Any:
    return boto3.client("sagemaker")


@pytest.fixture(scope="module")
def logs(local_aws: Any) -> Any:
    return boto3.client("logs")


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A local AWS of the module's own that judges calls; this process's AWS clients are its account's root user."""
    with pytest.MonkeyPatch.context() as patch:
        own = OwnServer(tmp_path_factory.mktemp("enforced") / "state", patch, "--enforce-iam")
        yield own
        own.end("SIGTERM")
