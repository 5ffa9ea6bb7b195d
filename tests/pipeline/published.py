"""What the pipelines on a test's local AWS have published."""

import json
from typing import Any

import awswrangler as wr
import boto3

FLIGHTS_IN_THREE_MONTHS = 80_789
MONTHS = ("2013-01", "2013-02", "2013-03")


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
