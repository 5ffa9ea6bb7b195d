"""SQL files on the real local Athena: given rows in the lake, expected rows out of a file of glue_like_sql."""

import csv
import gzip
import io
import json
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd

from laptop import bronze
from silverline import contracts, sql

BRONZE_TABLES = bronze.tables()
AIRPORTS = [
    {"faa": "JFK", "tz": "-5", "dst": "A"},
    {"faa": "LGA", "tz": "-5", "dst": "A"},
    {"faa": "EWR", "tz": "-5", "dst": "A"},
    {"faa": "BOS", "tz": "-5", "dst": "A"},
    {"faa": "LAX", "tz": "-8", "dst": "A"},
    {"faa": "PHX", "tz": "-7", "dst": "N"},
]
SILVER_COLUMNS: dict[str, dict[str, str]] = {
    "flights": {
        **dict.fromkeys(("carrier", "tail_number", "origin", "destination", "month"), "string"),
        **dict.fromkeys(("scheduled_departure_at", "scheduled_arrival_at", "departed_at", "arrived_at"), "timestamp"),
        **dict.fromkeys(("flight_number", "scheduled_hour", "scheduled_minute", "scheduled_duration_minutes"), "int"),
        **dict.fromkeys(("departure_delay_minutes", "arrival_delay_minutes", "air_time_minutes"), "int"),
        "flight_date": "date",
        "distance_miles": "double",
        "origin_scheduled_flight_count": "bigint",
        "is_late": "boolean",
    },
    "scheduled_flights": {
        **dict.fromkeys(("carrier", "tail_number", "origin", "destination", "month"), "string"),
        **dict.fromkeys(("scheduled_departure_at", "scheduled_arrival_at", "departed_at", "arrived_at"), "timestamp"),
        **dict.fromkeys(("flight_number", "departure_delay_minutes", "arrival_delay_minutes"), "int"),
        "flight_date": "date",
    },
    "weather": {
        **dict.fromkeys(("origin", "month"), "string"),
        **dict.fromkeys(("observed_hour_at", "known_at"), "timestamp"),
        **dict.fromkeys(("temperature_fahrenheit", "dew_point_fahrenheit", "humidity_percent"), "double"),
        **dict.fromkeys(("wind_direction_degrees", "wind_speed_mph", "wind_gust_mph"), "double"),
        **dict.fromkeys(("precipitation_inches", "pressure_millibars", "visibility_miles"), "double"),
    },
    **dict.fromkeys(
        ("quarantine", "airport_days_quarantine"),
        dict.fromkeys(("source_table", "reason", "raw_row", "month"), "string"),
    ),
    "airport_days": {
        **{"origin": "string", "flight_date": "date", "day_of_week": "bigint", "month": "string"},
        **dict.fromkeys(("scheduled_flight_count", "departed_flight_count"), "bigint"),
        **dict.fromkeys(("cancelled_share", "late_departure_share", "departure_delay_minutes"), "double"),
        **dict.fromkeys(("temperature_fahrenheit", "humidity_percent", "wind_speed_mph"), "double"),
        **dict.fromkeys(("precipitation_inches", "visibility_miles"), "double"),
    },
    "flight_features": {
        **dict.fromkeys(("carrier", "origin", "destination", "month"), "string"),
        **dict.fromkeys(("flight_number", "day_of_week", "scheduled_hour", "scheduled_minute"), "int"),
        "scheduled_duration_minutes": "int",
        "distance_miles": "double",
        "temperature_fahrenheit": "double",
        "origin_scheduled_flight_count": "bigint",
        "scheduled_departure_at": "timestamp",
        "is_late": "boolean",
    },
    **dict.fromkeys(("checked_flights", "checked_weather"), {}),
}
for checked in ("flights", "weather"):
    SILVER_COLUMNS[f"checked_{checked}"] = {
        **{name: kind for name, kind in SILVER_COLUMNS[checked].items() if name != "month"},
        "quarantine_reason": "string",
        "raw_row": "string",
        "month": "string",
    }


class Candidates:
    """Names of this run's tables: in these tests, the silver database's own."""

    def __init__(self, database: str) -> None:
        self.database = database

    def __getattr__(self, table: str) -> str:
        return f"{self.database}.{table}"


class Athena:
    """A pair of databases over two buckets, fresh for each test, and the SQL files of a `pipeline`."""

    def __init__(self, pipeline: str = "flight_delay") -> None:
        self.pipeline = pipeline
        name = uuid.uuid4().hex[:12]
        self.bronze, self.silver = f"bronze_{name}", f"silver_{name}"
        self.bronze_bucket, self.silver_bucket = f"bronze-{name}", f"silver-{name}"
        self.s3 = boto3.client("s3")
        for bucket, database in ((self.bronze_bucket, self.bronze), (self.silver_bucket, self.silver)):
            self.s3.create_bucket(Bucket=bucket)
            boto3.client("glue").create_database(DatabaseInput={"Name": database})

    def given(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Makes `bronze.x` of raw files, or `silver.x` of Parquet, hold just these rows; a column left out is null."""
        layer, name = table.split(".")
        if layer == "silver":
            self._given_silver(name, list(rows))
            return
        bronze.create_or_update(name, BRONZE_TABLES[name], self.bronze, self.bronze_bucket)
        by_folder: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            month = row.pop("file_month", "2013-01")
            partition = f"year={month[:4]}/month={month[5:]}/" if BRONZE_TABLES[name]["partitioned"] else ""
            by_folder.setdefault(f"{name}/{partition}", []).append(row)
        for folder, content in by_folder.items():
            text = (
                _json_lines(content) if BRONZE_TABLES[name]["format"] == "json" else _csv(BRONZE_TABLES[name], content)
            )
            self.s3.put_object(Bucket=self.bronze_bucket, Key=f"{folder}data", Body=text.encode())

    def given_flights(self, rows: Iterable[dict[str, Any]]) -> None:
        """Makes silver.scheduled_flights hold these rows of flight(), and silver.flights those that have a label."""
        rows = list(rows)
        columns = SILVER_COLUMNS["scheduled_flights"]
        self.given("silver.scheduled_flights", [{name: row[name] for name in columns} for row in rows])
        self.given("silver.flights", [row for row in rows if row["is_late"] is not None])

    def given_text(self, key: str, text: str) -> None:
        """Puts a raw file of a table that exists into bronze."""
        self.s3.put_object(Bucket=self.bronze_bucket, Key=key, Body=text.encode())

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows that the SQL file gives; NULL is None."""
        frame = wr.athena.read_sql_query(
            self._render(path, **parameters), database=self.silver, ctas_approach=False, s3_output=self._output
        )
        return list(frame.astype(object).where(frame.notna(), None).to_dict("records"))

    def scanned_bytes(self, path: str, **parameters: Any) -> int:
        """How much of the lake the SQL file reads."""
        query = wr.athena.start_query_execution(
            self._render(path, **parameters), database=self.silver, s3_output=self._output, wait=True
        )
        return int(query["Statistics"]["DataScannedInBytes"])

    def create(self, path: str, **parameters: Any) -> None:
        """Writes the rows of the SQL file to the silver table of its name, as the pipeline does."""
        name = Path(path).stem
        wr.athena.create_ctas_table(
            self._render(path, **parameters),
            database=self.silver,
            ctas_table=name,
            s3_output=f"s3://{self.silver_bucket}/",
            storage_format="parquet",
            write_compression="snappy",
            partitioning_info=["month"],
            wait=True,
        )

    def execute(self, path: str, **parameters: Any) -> None:
        """Runs the SQL file, which gives no rows."""
        self._execute(self._render(path, **parameters))

    def unload(self, path: str, **parameters: Any) -> list[Any]:
        """The rows of the SQL file as UNLOAD writes them as JSON Lines."""
        prefix = f"unloaded/{uuid.uuid4().hex}/"
        statement = self._render(path, **parameters)
        self._execute(
            f"unload (\n{statement}\n) to 's3://{self.silver_bucket}/{prefix}' "
            "with (format = 'JSON', compression = 'GZIP')"
        )
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.silver_bucket, Prefix=prefix)["Contents"]]
        bodies = [self.s3.get_object(Bucket=self.silver_bucket, Key=key)["Body"].read() for key in keys]
        return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]

    def _execute(self, statement: str) -> None:
        wr.athena.start_query_execution(statement, database=self.silver, s3_output=self._output, wait=True)

    @property
    def _output(self) -> str:
        return f"s3://{self.silver_bucket}/results/"

    def _render(self, path: str, **parameters: Any) -> str:
        defaults = {
            "bronze": self.bronze,
            "silver": self.silver,
            "candidate": Candidates(self.silver),
        }
        return sql.render(self.pipeline, path.removesuffix(".sql"), **{**defaults, **parameters})

    def _given_silver(self, name: str, rows: list[dict[str, Any]]) -> None:
        columns = SILVER_COLUMNS[name]
        unknown = {column for row in rows for column in row} - columns.keys()
        assert not unknown, f"silver.{name} has no {unknown}"
        frame = pd.DataFrame([{"month": "2013-01", **row} for row in rows], columns=list(columns))
        for column, kind in columns.items():
            frame[column] = frame[column].astype(PANDAS_TYPES.get(kind, object))
        wr.s3.to_parquet(
            frame,
            path=f"s3://{self.silver_bucket}/{name}/",
            dataset=True,
            database=self.silver,
            table=name,
            partition_cols=["month"],
            mode="overwrite",
            dtype=columns,
        )


PANDAS_TYPES = {
    "int": "Int32",
    "bigint": "Int64",
    "double": "float64",
    "boolean": "boolean",
    "timestamp": "datetime64[ns]",
}


def raw_flight(scheduled: str = "2013-01-05 16:00", delays: tuple[Any, Any] = (0, 0), **changes: Any) -> dict[str, Any]:
    """A line of a flights file: JFK to BOS, an hour by the schedule, `scheduled` by New York's clock in winter."""
    at = datetime.fromisoformat(scheduled)
    utc = at + timedelta(hours=5)
    flight = {
        **{"year": at.year, "month": at.month, "day": at.day, "hour": at.hour, "minute": at.minute},
        **{"sched_dep_time": f"{at:%H%M}", "sched_arr_time": f"{at + timedelta(hours=1):%H%M}"},
        **{"dep_delay": delays[0], "arr_delay": delays[1], "air_time": 40, "distance": 187},
        **{"carrier": "B6", "flight": 1, "tailnum": "N1", "origin": "JFK", "dest": "BOS"},
        **{"time_hour": f"{utc:%Y-%m-%dT%H}:00:00Z", "file_month": f"{at:%Y-%m}"},
    }
    return {**flight, **changes}


def raw_weather(observed: str = "2013-01-05 14:00", **changes: Any) -> dict[str, Any]:
    """A line of a weather file: `observed` in UTC."""
    at = datetime.fromisoformat(observed)
    weather = {
        **{"origin": "JFK", "year": at.year, "month": at.month, "day": at.day, "hour": at.hour},
        **{"temp": 39.02, "dewp": 26.06, "humid": 59.37, "wind_dir": 270, "wind_speed": 10.36, "wind_gust": None},
        **{"precip": 0, "pressure": 1012, "visib": 10, "time_hour": f"{at:%Y-%m-%dT%H}:00:00Z"},
        **{"file_month": f"{at:%Y-%m}"},
    }
    return {**weather, **changes}


def flight(
    scheduled: str = "2013-01-05 16:00", delays: tuple[int | None, int | None] = (0, 0), **changes: Any
) -> dict[str, Any]:
    """A row of silver.flights: JFK to BOS in an hour, all times UTC; `delays` are those of departure and arrival.

    A flight without an arrival delay was diverted, without both cancelled: rows for given_flights only.
    """
    at = datetime.fromisoformat(scheduled)
    departure, arrival = delays
    row = {
        **{"carrier": "B6", "flight_number": 1, "tail_number": "N1", "origin": "JFK", "destination": "BOS"},
        **{"flight_date": date(at.year, at.month, at.day), "scheduled_hour": at.hour, "scheduled_minute": at.minute},
        **{"scheduled_departure_at": at, "scheduled_arrival_at": at + timedelta(hours=1)},
        "departed_at": None if departure is None else at + timedelta(minutes=departure),
        "arrived_at": None if arrival is None else at + timedelta(hours=1, minutes=arrival),
        **{"scheduled_duration_minutes": 60, "air_time_minutes": 40, "distance_miles": 187.0},
        **{"departure_delay_minutes": departure, "arrival_delay_minutes": arrival},
        "is_late": None if arrival is None else arrival > 15,
        **{"origin_scheduled_flight_count": 1, "month": f"{at:%Y-%m}"},
    }
    return {**row, **changes}


def weather(observed: str = "2013-01-05 12:00", **changes: Any) -> dict[str, Any]:
    """A row of silver.weather."""
    at = datetime.fromisoformat(observed)
    row = {"origin": "JFK", "observed_hour_at": at, "known_at": at + timedelta(hours=1), "month": f"{at:%Y-%m}"}
    return {**row, "temperature_fahrenheit": 40.0, "wind_speed_mph": 3.0, **changes}


def _csv(contract: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The source's CSV, of rows by the names of its header or of the table's columns: a missing value is NA."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = contracts.header(contract)
    writer.writerow(header)
    for row in rows:
        values = [
            row.get(name, row.get(column["name"])) for name, column in zip(header, contract["columns"], strict=True)
        ]
        writer.writerow(["NA" if value is None else value for value in values])
    return text.getvalue()


def _json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
