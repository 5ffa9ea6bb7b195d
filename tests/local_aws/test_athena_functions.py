"""Trino's functions and rules, where DuckDB's or sqlglot's own would mean something else."""

from typing import Any

import pytest

MEANINGS: dict[str, list[tuple[str, str | None]]] = {
    "numbers": [
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 / 2e0", "3.5"),
        ("1e0 / 0e0", "Infinity"),
        ("null / 2e0", None),
        ("-nan()", "NaN"),
        ("sum(x) / 4e0", "1.5"),
        ("cast(sum(x) as double) / 4", "1.5"),
        ("cardinality(map(array['a'], array[1]))", "1"),
        ("cast(-1 as double) / 0", "-Infinity"),
        ("0e0 / 0", "NaN"),
        ("try(1e0 / 0)", "Infinity"),
        ("cast(2.5e0 as integer)", "3"),
        ("cast(true as integer)", "1"),
        ("cast(1e10 as double)", "1.0E10"),
        ("1e-4", "1.0E-4"),
        ("nan()", "NaN"),
        ("count_if(x > 1)", "2"),
        ("approx_percentile(x, 0.5)", "2"),
        ("max_by(x, -x)", "1"),
        ("min_by(x, -x)", "3"),
        ("arbitrary(7)", "7"),
        ("map_agg(x, x * 2)", "{1=2, 2=4, 3=6}"),
    ],
    # Trino reads fewer texts as numbers and times than DuckDB does
    "casts": [
        ("try_cast('12.5' as integer)", None),
        ("try_cast(' 12' as integer)", None),
        ("try_cast('' as double)", None),
        ("try_cast('NA' as double)", None),
        ("try_cast('2013-01-01T10:00:00Z' as timestamp)", None),
        ("cast('2013-01-01' as timestamp)", "2013-01-01 00:00:00.000"),
        ("cast(timestamp '2013-01-05 14:03:09' as varchar)", "2013-01-05 14:03:09.000"),
        ("cast('abc' as varchar(2))", "ab"),
        ("try(cast('x' as integer))", None),
        ("try(1 / 0)", None),
        ("try_cast(regexp_extract('a', '[0-9]+') as integer)", None),
        (
            "coalesce(try_cast(substr('12.5', 1, 4) as integer), "
            "date_diff('day', date '2013-01-01', date '2013-01-03'))",
            "2",
        ),
    ],
    "dates": [
        ("date_diff('hour', timestamp '2013-01-01 00:59:00', timestamp '2013-01-01 01:01:00')", "0"),
        ("date_diff('minute', timestamp '2013-01-01 00:00:00', timestamp '2013-01-01 01:30:59')", "90"),
        ("date_diff('day', date '2013-03-01', date '2013-01-01')", "-59"),
        ("date_add('hour', -2, timestamp '2013-01-01 01:00:00')", "2012-12-31 23:00:00.000"),
        ("date_add('month', -1, date '2013-03-31')", "2013-02-28"),
        ("date '2013-01-05' - interval '1' day", "2013-01-04"),
        ("timestamp '2013-01-05 01:00:00' + interval '2' hour", "2013-01-05 03:00:00.000"),
        ("date_trunc('month', date '2013-01-05')", "2013-01-01"),
        ("date_parse('2013-01-05 14:03', '%Y-%m-%d %H:%i')", "2013-01-05 14:03:00.000"),
        ("date_format(timestamp '2013-01-05 14:03:09', '%Y-%m')", "2013-01"),
        ("from_iso8601_timestamp('2013-01-01T05:00:00Z')", "2013-01-01 05:00:00.000 UTC"),
        ("to_unixtime(from_iso8601_timestamp('1970-01-01T05:00:00+05:00'))", "0.0"),
        ("from_iso8601_timestamp('2013-01-01T05:00:00-05:00') = timestamp '2013-01-01 10:00:00 UTC'", "true"),
        ("hour(from_iso8601_timestamp('2013-01-01T05:00:00-05:00') at time zone 'UTC')", "10"),
        ("hour(from_iso8601_timestamp('2013-01-01T10:00:00Z') at time zone 'America/New_York')", "5"),
        (
            "cast(timestamp '2013-01-01 10:00:00' at time zone 'America/New_York' as timestamp)",
            "2013-01-01 05:00:00.000",
        ),
        (
            "cast(with_timezone(timestamp '2013-01-01 05:00:00', 'America/New_York') as timestamp)",
            "2013-01-01 05:00:00.000",
        ),
        (
            "cast(with_timezone(timestamp '2013-01-01 05:00:00', 'America/New_York') as varchar)",
            "2013-01-01 05:00:00.000 America/New_York",
        ),
        (
            "cast(timestamp '2013-01-01 10:00:00' at time zone 'America/New_York' as varchar)",
            "2013-01-01 05:00:00.000 America/New_York",
        ),
        ("day_of_week(date '2013-01-06')", "7"),
        ("sequence(date '2013-01-01', date '2013-01-02', interval '1' day)", "[2013-01-01, 2013-01-02]"),
    ],
    "text": [
        ("regexp_extract('abc', '[0-9]+')", None),
        ("regexp_extract('ab12', '([a-z]+)([0-9]+)', 2)", "12"),
        ("regexp_replace('a1b2', '([a-z])', '$1$1')", "aa1bb2"),
        ("concat('a', cast(null as varchar))", None),
        ("format('%02d:%s:%.1f', 3, 'x', 2.55e0)", "03:x:2.6"),
        ("lpad('5', 2, '0')", "05"),
        ("to_hex(md5(to_utf8('abc')))", "900150983CD24FB0D6963F7D28E17F72"),
        ("to_hex(xxhash64(to_utf8('abc')))", "44BC2CF5AD770999"),
        ("to_hex(xxhash64(to_utf8('Nobody inspects the spammish repetition')))", "FBCEA83C8A378BF1"),
        ("from_big_endian_64(xxhash64(to_utf8('Nobody inspects the spammish repetition')))", "-302119147016844303"),
        ("to_hex(to_utf8('ab'))", "6162"),
        ("to_utf8('ab')", "61 62"),
    ],
    "JSON, rows, arrays, maps": [
        ('json_extract_scalar(\'{"a": {"b": "x"}}\', \'$.a.b\')', "x"),
        ("json_format(cast(cast(row(1, 'x') as row(a integer, b varchar)) as json))", '{"a":1,"b":"x"}'),
        ("json_format(cast(map(array['a'], array[1]) as json))", '{"a":1}'),
        ("map(array['a', 'b'], array[1, 2])['b']", "2"),
        ("element_at(array[1, 2], 3)", None),
        ("slice(array[1, 2, 3, 4], 2, 2)", "[2, 3]"),
        ("reduce(array[1, 2, 3], 0, (s, v) -> s + v, s -> s * 10)", "60"),
        ("any_match(array[1, 3], v -> v > 2)", "true"),
        ("filter(array[1, 3], v -> v > 1)", "[3]"),
        ("array[1, null]", "[1, null]"),
        ("greatest(1, null)", None),
    ],
}


@pytest.mark.parametrize("subject", MEANINGS)
def test_an_expression_means_what_it_means_in_trino(lake: Any, subject: str) -> None:
    expressions = ", ".join(expression for expression, _ in MEANINGS[subject])
    row = lake.rows(f"select {expressions} from (values 1, 2, 3) as t(x)")[0]
    assert list(zip((expression for expression, _ in MEANINGS[subject]), row, strict=True)) == MEANINGS[subject]


QUERIES = [
    ("select * from unnest(array[1, 2], array['a']) as t(n, s)", [("1", "a"), ("2", None)]),
    ("select k, v from (values map(array['x'], array[1])) as a(m) cross join unnest(m) as t(k, v)", [("x", "1")]),
    ("select s, i from unnest(array['a', 'b']) with ordinality as t(s, i)", [("a", "1"), ("b", "2")]),
    ("select n from unnest(array[2, null, 1]) as t(n) order by n", [("1",), ("2",), (None,)]),
    ("select n from unnest(array[2, null, 1]) as t(n) order by n desc", [("2",), ("1",), (None,)]),
    (
        "select sum(n) over (order by at range between interval '2' hour preceding and interval '1' hour preceding) "
        "from (values (timestamp '2013-01-01 00:00:00', 1), (timestamp '2013-01-01 01:30:00', 2)) as t(at, n) "
        "order by at",
        [(None,), ("1",)],
    ),
    ("select A.N as M from (values 1) as a(n)", [("1",)]),
]


@pytest.mark.parametrize(("sql", "rows"), QUERIES)
def test_a_query_gives_trinos_rows(lake: Any, sql: str, rows: list[tuple[str | None, ...]]) -> None:
    assert lake.rows(sql) == rows


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select cast('12.5' as integer)", "INVALID_CAST_ARGUMENT: Cannot cast '12.5' to INT"),
        ("select cast('x' as double)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to DOUBLE"),
        (
            "select from_iso8601_timestamp('2013-01-01 10:00:00')",
            "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp",
        ),
        (
            "select format_datetime(now(), x) from (values 'yyyy') as t(x)",
            "NOT_SUPPORTED: local Athena does not support format_datetime() with a pattern that is not a literal",
        ),
        ("select format_datetime(now(), 'QQ')", "NOT_SUPPORTED: local Athena does not support QQ in the date pattern"),
        ("select now() at time zone 'Asia/Tokyo'", "NOT_SUPPORTED: local Athena does not support a result with a time"),
        ("select checksum(n) from (values 1) as t(n)", "NOT_SUPPORTED: local Athena does not support checksum()"),
        ("select soundex('a')", "NOT_SUPPORTED: local Athena does not support soundex()"),
        ("select st_point(1, 2)", "NOT_SUPPORTED: local Athena does not support st_point()"),
        ("select array[1, 2][3]", "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array len"),
        ("select array[1][0]", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("select element_at(array[1], 0)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("select split_part('a,b', ',', 0)", "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
        ("select map(array['a', 'a'], array[1, 2])", "INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed"),
        ("select cast(123.456 as decimal(4, 2))", "INVALID_CAST_ARGUMENT: Cannot cast '123.456' to DECIMAL(4, 2)"),
        ("select 'a' || 1", "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar(1) || integer"),
        (
            "select concat('a', d) from (values date '2020-01-01') t(d)",
            "TYPE_MISMATCH: line 1:8: Unexpected parameters (varchar(1), date) for function concat",
        ),
        ("select map(array['a'], array[1])['b']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: b"),
        ("select cast(array[1] as varchar)", "TYPE_MISMATCH: line 1:19: Cannot cast array(integer) to varchar"),
        ("select x / 0 from (values 1.5) t(x)", "DIVISION_BY_ZERO: Division by zero"),
        ("select date_format(date '2020-01-01', '%w')", "INVALID_FUNCTION_ARGUMENT: %w not supported in date format"),
        (
            "select hour(from_iso8601_timestamp('2020-01-01T10:00:00+05:00'))",
            "NOT_SUPPORTED: local Athena does not support a timestamp with another time zone than UTC here: 2020",
        ),
        (
            "select timestamp '2020-01-01 10:00:00 America/New_York'",
            "NOT_SUPPORTED: local Athena does not support a timestamp with another time zone than UTC here: 2020",
        ),
        (
            "select hour(with_timezone(timestamp '2020-01-01 05:00:00', 'America/New_York'))",
            "NOT_SUPPORTED: local Athena does not support with_timezone() to another zone than UTC here",
        ),
        (
            "select from_unixtime(0, 'Asia/Tokyo')",
            "NOT_SUPPORTED: local Athena does not support from_unixtime() in a time zone; use from_unixtime",
        ),
        (
            "select x as y from (values 1.5) as t(x) order by y / 2",
            "NOT_SUPPORTED: local Athena does not support this division of decimals; cast both sides to double",
        ),
        (
            "select regexp_like('a', 'a(?=b)')",
            "NOT_SUPPORTED: local Athena does not support (?= in a regular expression",
        ),
        ("select json_value('{}', 'lax $.a')", "NOT_SUPPORTED: local Athena does not support json_value()"),
        ("select nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
        ("select list_sum(array[1])", "FUNCTION_NOT_FOUND: line 1:8: Function 'list_sum' not registered"),
        ("select strftime(now(), '%Y')", "FUNCTION_NOT_FOUND: line 1:8: Function 'strftime' not registered"),
        ("explain analyze select 1", "NOT_SUPPORTED: local Athena does not support EXPLAIN ANALYZE"),
        ("show functions", "NOT_SUPPORTED: local Athena does not support this SHOW statement"),
        (
            "select n from (values 1) as t(n) order by n fetch first 1 row with ties",
            "NOT_SUPPORTED: local Athena does not support FETCH FIRST ... WITH TIES",
        ),
        ("select 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: integer addition overflow: 2147483647 + 1"),
        ("select cast(3000000000 as integer)", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 3000000000"),
        ("select json_parse('nope')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON"),
        (
            "select n + 1 as m, m + 1 from (values 1) as t(n)",
            "COLUMN_NOT_FOUND: line 1:20: Column 'm' cannot be resolved",
        ),
        (
            "select n as m from (values 1) as t(n) where m = 1",
            "COLUMN_NOT_FOUND: line 1:45: Column 'm' cannot be resolved",
        ),
        (
            "select 1 from (values 'a') as t(s) where s = 1",
            "TYPE_MISMATCH: line 1:42: Cannot apply operator: varchar = integer",
        ),
        (
            "select 1 from (values date '2013-01-01') as t(d) where d = '2013-01-01'",
            "TYPE_MISMATCH: line 1:56: Cannot apply",
        ),
    ],
)
def test_what_trino_refuses_fails(lake: Any, sql: str, reason: str) -> None:
    assert lake.reason(sql).startswith(reason)


def test_count_if_of_no_rows_is_zero(lake: Any) -> None:
    query = "select count_if(x > 1), count_if(x > 1) filter (where x < 3) from (values {}) as t (x) where x > {}"
    assert lake.rows(query.format("1, 2, 3", 0)) == [("2", "1")]
    assert lake.rows(query.format("1, 2, 3", 5)) == [("0", "0")]
