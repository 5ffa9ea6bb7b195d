"""What the pipelines on a test's local AWS have published."""

import json
import re
import time
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
from sagemaker_requests import eventually

FLIGHTS_IN_THREE_MONTHS = 80_789
MONTHS = ("2013-01", "2013-02", "2013-03")
LOGS_TF = Path(__file__).parents[2] / "infra" / "terraform" / "logs.tf"


def platform() -> dict[str, str]:
    """The platform document."""
    parameter = boto3.client("ssm").get_parameter(Name="/silverline/local/platform")
    return dict(json.loads(parameter["Parameter"]["Value"]))


def counts(table: str) -> dict[str, int]:
    """The rows of a silver table by month."""
    place = platform()
    frame = wr.athena.read_sql_query(
        f"select month, count(*) as row_count from {table} group by month",
        database=place["silver_database"],
        workgroup=place["athena_workgroup"],
        ctas_approach=False,
    )
    return {row.month: int(row.row_count) for row in frame.itertuples()}


def predictions(month: str) -> Any:
    """The published predictions of a month, beside the features of their flights."""
    place = platform()
    return wr.athena.read_sql_query(
        f"""
        select features.month as feature_month, predictions.*
        from (select * from {place["silver_database"]}.flight_features where month = '{month}') as features
        full outer join (select * from flight_delay_predictions where month = '{month}') as predictions
            on features.carrier = predictions.carrier
            and features.flight_number = predictions.flight_number
            and features.origin = predictions.origin
            and features.scheduled_departure_at = predictions.scheduled_departure_at
        """,
        database=place["gold_database"],
        workgroup=place["athena_workgroup"],
        ctas_approach=False,
    )


def locations(table: str) -> dict[str, str]:
    """Where each month of a silver table lies."""
    return {values[0]: path for path, values in wr.catalog.get_partitions(platform()["silver_database"], table).items()}


def served() -> tuple[str, str]:
    """The endpoint's status, and the number of the model package that it serves."""
    sagemaker = boto3.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName="flight-delay")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return endpoint["EndpointStatus"], model["PrimaryContainer"]["ModelPackageName"].rpartition("/")[2]


def story(dag_id: str) -> list[tuple[str, str]]:
    """What Terraform's saved query finds of the DAG's newest run: stream and message of each line, in order of time."""
    logs, group = boto3.client("logs"), platform()["log_group"]
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{dag_id}/")["logStreams"]
    newest = max(stream["logStreamName"] for stream in found)  # they begin with the time
    event = logs.get_log_events(logGroupName=group, logStreamName=newest, limit=1)["events"][0]
    run = json.loads(event["message"])
    saved = re.search(r'"story of a run" = {.*?query += "(.*?)"', LOGS_TF.read_text(), re.DOTALL)
    assert saved is not None
    asked = saved[1].replace("PUT-run_slug-HERE", run["run_slug"]).replace("PUT-run_digest-HERE", run["run_digest"])
    assert "PUT-" not in asked
    jobs = [one["logGroupName"] for one in logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]]
    now = int(time.time())
    groups = [group, *(name for name in jobs if name.endswith("Jobs"))]
    started = logs.start_query(logGroupNames=groups, queryString=asked, startTime=now - 86400, endTime=now + 60)
    query = started["queryId"]
    answer = eventually(lambda: logs.get_query_results(queryId=query), lambda found: found["status"] == "Complete", 60)
    rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
    return [(row["@logStream"], row["@message"]) for row in rows]
