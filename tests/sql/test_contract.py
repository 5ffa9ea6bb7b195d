"""Data contracts: SQL puts aside just what jsonschema finds broken, in the same words; headers have to be theirs."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import test_checked_flights
import test_checked_weather
from sql_lake import AIRPORTS, Athena, raw_flight, raw_weather

from laptop import bronze, contract
from silverline import contracts, sql

SHOP: dict[str, Any] = {
    "description": "One row per sale.",
    "format": "csv",
    "partitioned": True,
    "key": ["sale_id"],
    "columns": [
        {"name": "sale_id", "header": "Sale ID", "type": "string", "required": True, "values": {"type": "integer"}},
        {"name": "price", "type": "string", "values": {"type": "number", "minimum": 0, "maximum": 99.5}},
        {"name": "pieces", "type": "string", "required": True, "values": {"type": "integer", "minimum": 1}},
        {"name": "colour", "type": "string", "values": {"type": "string", "enum": ["red", "o'green"]}},
        {"name": "is_gift", "type": "string", "values": {"type": "boolean"}},
        {"name": "day", "type": "string", "values": {"type": "string", "format": "date"}},
        {"name": "at", "type": "string", "values": {"type": "string", "format": "date-time"}},
        {"name": "note", "type": "string"},
    ],
}
VALUES = {
    "price": ("1.5", "-1", "99.6", "free", "", "NA", "NaN", "Infinity", "1e2"),
    "pieces": ("3", "0", "2.5", "", "some", "1_000"),
    "colour": ("red", "o'green", "blue", ""),
    "is_gift": ("true", "FALSE", "yes", ""),
    "day": ("2013-01-05", "2013/01/05", "2013-02-30", "5 Jan", ""),
    "at": ("2013-01-05T06:00:00", "2013-01-05 06:00:00", "2013-01-05T06:00:00Z", "2013-01-05T25:00:00", "noon", ""),
    "note": ("", "anything, even this"),
}


@pytest.fixture
def shop(athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Athena:
    """A lake whose pipeline has that contract and one statement."""
    monkeypatch.setattr(contracts, "SQL_FOLDER", tmp_path)
    monkeypatch.setattr(sql, "SQL_FOLDER", tmp_path)
    (tmp_path / "contract.sql").symlink_to(Path(__file__).parents[2] / "glue_like_sql" / "contract.sql")
    (tmp_path / "shop" / "bronze").mkdir(parents=True)
    (tmp_path / "shop" / "bronze" / "shop.json").write_text(json.dumps(SHOP))
    statement = '{% import "contract.sql" as contract with context %}{{ contract.checked("shop", bronze, months) }}'
    (tmp_path / "shop" / "checked.sql").write_text(statement)
    bronze.create_or_update("shop", SHOP, athena.bronze, athena.bronze_bucket)
    athena.pipeline = "shop"
    return athena


def checked(shop: Athena, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    lines = [",".join(f'"{row.get(column["name"], "")}"' for column in SHOP["columns"]) for row in rows]
    text = "\n".join([",".join(contracts.header(SHOP)), *lines])
    shop.given_text("shop/year=2013/month=01/sales.csv", text)
    return sorted(shop.rows("checked.sql", months=["2013-01"]), key=lambda row: str(row["sale_id"]))


def test_sql_puts_aside_what_jsonschema_finds_broken_and_says_the_same_of_it(shop: Athena) -> None:
    pick = random.Random(7)
    rows = [
        {"sale_id": f"{1000 + number}", **{name: pick.choice(values) for name, values in VALUES.items()}}
        for number in range(120)
    ]
    found = {row["sale_id"]: set((row["quarantine_reason"] or "").split("; ")) - {""} for row in checked(shop, rows)}
    expected = {
        int(row["sale_id"]): {f"{one.column}: {one.rule}" for one in contract.check(SHOP, row, 1)} for row in rows
    }
    assert found == expected
    assert {reason for reasons in found.values() for reason in reasons} >= {
        *("price: is less than 0", "price: is more than 99.5", "price: is no number", "pieces: is no integer"),
        *("pieces: is missing", "colour: is none of red, o'green", "is_gift: is no boolean", "day: is no date"),
    }


def test_usable_rows_are_typed_and_the_others_kept_as_they_came(shop: Athena) -> None:
    good = {"sale_id": "1", "price": "2.5", "pieces": "3", "is_gift": "true", "day": "2013/01/05"}
    usable, broken = checked(shop, [good, {**good, "sale_id": "2", "price": "free"}])
    assert (usable["price"], usable["pieces"], usable["is_gift"], str(usable["day"])) == (2.5, 3, True, "2013-01-05")
    assert usable["quarantine_reason"] is None and usable["raw_row"] is None
    assert json.loads(broken["raw_row"])["price"] == "free"


def test_a_key_that_comes_twice_counts_once_and_the_usable_row_before_the_other(shop: Athena) -> None:
    rows = [{"sale_id": "1", "pieces": "0"}, {"sale_id": "1", "pieces": "3"}, {"sale_id": "1", "pieces": "4"}]
    reasons = sorted(str(row["quarantine_reason"]) for row in checked(shop, rows))
    assert reasons == ["None", "pieces: is less than 1", "sale_id: comes more than once in a month"]


def test_a_row_of_another_month_than_its_file_is_put_aside(
    shop: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop" / "bronze" / "shop.json").write_text(json.dumps({**SHOP, "time": "day"}))
    rows = [{"sale_id": "1", "pieces": "1", "day": "2013-01-31"}, {"sale_id": "2", "pieces": "1", "day": "2013-02-01"}]
    reasons = [row["quarantine_reason"] for row in checked(shop, rows)]
    assert reasons == [None, "day: is not of the file's month"]


def test_the_same_key_in_another_month_is_another_row_whichever_months_are_computed_together(shop: Athena) -> None:
    row = '"1","2.5","3"' + "," * 5
    text = f"{','.join(contracts.header(SHOP))}\n{row}"
    for month in ("01", "02"):
        shop.given_text(f"shop/year=2013/month={month}/sales.csv", text)
    for months in (["2013-02"], ["2013-01", "2013-02"]):
        assert [one["quarantine_reason"] for one in shop.rows("checked.sql", months=months)] == [None] * len(months)


def test_a_changed_contract_means_that_silver_is_computed_anew(shop: Athena, tmp_path: Path) -> None:
    before = sql.digest("shop")
    (tmp_path / "contract.sql").unlink()
    (tmp_path / "contract.sql").write_text("{# another #}")
    assert sql.digest("shop") != before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Sale ID,price,pieces,colour,is_gift,day,at,note", None),
        ("\ufeffSale ID,price,pieces,colour,is_gift,day,at,note\r\n", None),
        ("Sale ID,price,pieces,colour,is_gift,at,note", "lacks day"),
        ("Sale ID,price,pieces,colour,is_gift,date,at,note", "lacks day and has date, which is new"),
        ("price,Sale ID,pieces,colour,is_gift,day,at,note", "has its columns in another order: price, Sale ID, pieces"),
    ],
)
def test_the_first_line_of_a_file_is_held_against_the_contract(line: str, said: str | None) -> None:
    found = contracts.broken_header(SHOP, line)
    assert found is None if said is None else found and found.startswith(said)


@pytest.mark.parametrize(
    ("table", "rows", "least"),
    [
        ("flights", [raw_flight(**changes) for changes, _ in test_checked_flights.UNUSABLE], 25),
        ("weather", [raw_weather(**changes) for changes, _ in test_checked_weather.UNUSABLE], 9),
    ],
    ids=["flights", "weather"],
)
def test_what_a_contract_of_flight_delay_finds_broken_its_sql_can_not_use(
    athena: Athena, table: str, rows: list[dict[str, Any]], least: int
) -> None:
    athena.given("bronze.airports", AIRPORTS)
    described = contracts.read(table)
    broken = 0
    for given in rows:
        text = {name: "" if value is None else str(value) for name, value in given.items()}
        row = {column["name"]: text.get(column.get("header", column["name"]), "") for column in described["columns"]}
        if any(contract.check(described, row, 1)):
            broken += 1
            athena.given(f"bronze.{table}", [given])
            (judged,) = athena.rows(f"staging/checked_{table}.sql", months=["2013-01"])
            assert judged["quarantine_reason"], given
    assert broken >= least


def test_a_good_flight_and_a_good_observation_keep_their_contracts() -> None:
    for table, row in (("flights", raw_flight()), ("weather", raw_weather())):
        described = contracts.read(table)
        text = {name: "" if value is None else str(value) for name, value in row.items()}
        found = {one["name"]: text.get(one.get("header", one["name"]), "") for one in described["columns"]}
        assert list(contract.check(described, found, 1)) == []
