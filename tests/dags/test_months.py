"""Which months a run computes and how it splits them."""

import pytest

from silverline import months

TABLES = ("flights", "weather")
YEAR = months.between("2013-01", "2013-12")


def inventory(*names: str) -> dict[str, dict[str, str]]:
    return {month: {"flights": f"f{month}", "weather": f"w{month}"} for month in names}


def test_the_month_before_january_is_last_years_december() -> None:
    assert months.previous("2013-01") == "2012-12"
    assert months.previous("2013-03", 14) == "2012-01"


def test_months_between_include_both_ends_and_cross_years() -> None:
    assert months.between("2012-11", "2013-02") == ["2012-11", "2012-12", "2013-01", "2013-02"]
    assert months.between("2013-02", "2013-01") == []


def test_the_newest_month_in_bronze_is_the_default_as_of() -> None:
    assert months.choose_as_of(None, inventory("2013-02", "2013-11", "2013-03"), TABLES) == "2013-11"


def test_a_month_whose_weather_came_before_its_flights_is_not_the_newest_yet() -> None:
    stock = {**inventory("2013-01"), "2013-02": {"weather": "w"}}
    assert months.choose_as_of(None, stock, TABLES) == "2013-01"


def test_no_month_with_every_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no month of all of bronze.flights, bronze.weather"):
        months.choose_as_of(None, {"2013-02": {"weather": "w"}}, TABLES)


@pytest.mark.parametrize(
    ("as_of", "stock", "message"),
    [
        (None, (), "nothing yet of bronze.flights, bronze.weather: put raw files into bronze"),
        ("2014-01", ("2013-01", "2013-02"), "nothing for as_of=2014-01; there is 2013-01 to 2013-02"),
        ("2013-13", ("2013-01",), "month must be in 1..12"),
    ],
)
def test_an_as_of_that_bronze_has_not_is_refused(as_of: str | None, stock: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        months.choose_as_of(as_of, inventory(*stock), TABLES)


def test_a_month_missing_between_two_others_is_named() -> None:
    missing = months.missing(inventory("2013-01", "2013-03"), [], ["flights"], "2013-03")
    assert missing == ["bronze.flights has nothing for 2013-02"]


def test_a_month_that_silver_has_and_bronze_lost_is_named() -> None:
    stock = inventory("2013-01", "2013-02")
    del stock["2013-01"]["weather"]
    missing = months.missing(stock, ["2013-01", "2013-02"], ["flights", "weather"], "2013-02")
    assert missing == ["bronze.weather has nothing for 2013-01 any more, though silver has that month"]


def test_the_newest_month_lost_whole_is_named() -> None:
    missing = months.missing(inventory("2013-01"), ["2013-01", "2013-02"], ["flights"], "2013-01")
    assert missing == ["bronze.flights has nothing for 2013-02 any more, though silver has that month"]


def test_months_after_as_of_are_nobodys_business() -> None:
    assert months.missing(inventory("2013-01", "2013-02", "2013-05"), [], ["flights"], "2013-02") == []


def test_where_rows_are_split_by_their_keys_a_month_between_two_others_may_be_missing() -> None:
    stock = inventory("2013-01", "2013-03")
    assert months.missing(stock, ["2013-03"], ["flights"], "2013-03", split_by="key") == []


def test_where_rows_are_split_by_their_keys_every_table_still_needs_the_months_that_another_has() -> None:
    stock = {**inventory("2013-01"), "2013-03": {"weather": "w"}}
    missing = months.missing(stock, ["2013-04"], TABLES, "2013-03", split_by="key")
    assert missing == [
        "bronze.flights has nothing for 2013-03",
        "bronze.flights has nothing for 2013-04 any more, though silver has that month",
        "bronze.weather has nothing for 2013-04 any more, though silver has that month",
    ]


def test_a_silver_table_that_lacks_a_month_is_called_by_its_own_pipeline() -> None:
    tables = ("flights", "corner_shop.orders")
    assert months.missing({"2013-01": {"flights": "f"}}, [], tables, "2013-01") == [
        "corner_shop.orders has nothing for 2013-01"
    ]
    with pytest.raises(ValueError, match="no month of all of bronze.flights, corner_shop.orders"):
        months.choose_as_of(None, {"2013-01": {"flights": "f"}}, tables)


@pytest.mark.parametrize("changed", ["2013-02", "2013-03"])
def test_a_changed_file_changes_its_month_and_the_one_after(changed: str) -> None:
    stock = inventory(*YEAR)
    before = {month: months.fingerprint(month, stock, {}, "sql") for month in YEAR}
    stock[changed]["flights"] = "another"
    after = {month: months.fingerprint(month, stock, {}, "sql") for month in YEAR}
    following = YEAR[YEAR.index(changed) + 1]
    assert [month for month in YEAR if before[month] != after[month]] == [changed, following]


def test_other_sql_or_another_reference_table_changes_every_month() -> None:
    stock = inventory("2013-01")
    prints = {
        months.fingerprint("2013-01", stock, references, sql)
        for references in ({"planes": "a"}, {"planes": "b"})
        for sql in ("one", "two")
    }
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("test_months", "expected"),
    [
        (1, {"train": ("2013-01", "2013-10"), "validation": ("2013-11", "2013-11"), "test": ("2013-12", "2013-12")}),
        (2, {"train": ("2013-01", "2013-09"), "validation": ("2013-10", "2013-10"), "test": ("2013-11", "2013-12")}),
    ],
)
def test_splits_follow_each_other_in_time(test_months: int, expected: dict[str, tuple[str, str]]) -> None:
    assert months.splits("2013-01", "2013-12", test_months) == expected


@pytest.mark.parametrize("last", ["2013-01", "2013-12"])
def test_where_rows_are_split_by_their_keys_each_split_has_every_month_were_it_only_one(last: str) -> None:
    cuts = months.splits("2013-01", last, 1, split_by="key")
    assert cuts == {name: ("2013-01", last) for name in ("train", "validation", "test")}


def test_too_little_data_to_train_on_is_refused_with_the_number_needed() -> None:
    with pytest.raises(ValueError, match="at least 3 months are needed"):
        months.splits("2013-11", "2013-12", 1)
