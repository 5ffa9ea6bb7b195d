"""Text objects in queries: a line is a row whatever is in it, and one bad byte costs one value."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from local_aws.athena import objects
from local_aws.athena.objects import ObjectCache, S3Object
from local_aws.athena.text import LineFormat

OPEN_CSV = "row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde' {properties} stored as textfile "


@pytest.fixture
def csv_rows(lake: Any) -> Any:
    """Rows of a table of columns a, b, c over one OpenCSVSerde object."""

    def rows(body: str | bytes, properties: str = "", header: int = 0, key: str = "t/a.csv") -> list[Any]:
        lake.put(key, body)
        lake.run(
            "create external table t (a string, b string, c string) "
            + OPEN_CSV.replace("{properties}", f"with serdeproperties ({properties})" if properties else "")
            + f"location 's3://{{bucket}}/t/' tblproperties ('skip.header.line.count' = '{header}')"
        )
        found: list[Any] = lake.rows("select * from t")
        return found

    return rows


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_an_unclosed_quote_costs_its_own_line_only(csv_rows: Any, newline: str) -> None:
    lines = [f'{n},"JFK,x' if n == 9 else f"{n},JFK,x" for n in range(50)]
    rows = csv_rows("a,b,c" + newline + newline.join(lines) + newline, header=1)
    assert [row[0] for row in rows] == [str(n) for n in range(50)]
    assert rows[9] == ("9", None, None)
    assert rows[10] == ("10", "JFK", "x")


@pytest.mark.parametrize("quoted", ["", '"q","q","q"\n'])
def test_missing_fields_are_null_surplus_ones_ignored_and_a_blank_line_is_a_row(csv_rows: Any, quoted: str) -> None:
    rows = csv_rows(f"{quoted}1\n2,\n\n3,x,y,z\n,,\n")
    assert rows[bool(quoted) :] == [
        *(("1", None, None), ("2", "", None), (None, None, None)),
        *(("3", "x", "y"), ("", "", "")),
    ]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('"JFK, NY","say ""hi""",""', ("JFK, NY", 'say "hi"', "")),
        ('"a \\"b\\"","c\\\\d",x', ('a "b"', "c\\d", "x")),
        ("C:\\temp,b,c", ("C:temp", "b", "c")),
        ('abcd "ef" g,b,c', ('abcd "ef" g', "b", "c")),
        ('a,b,"c', ("a", "b", None)),
        ('"a,b,c', (None, None, None)),
    ],
)
def test_a_line_is_taken_apart_as_open_csv_does(csv_rows: Any, line: str, row: Any) -> None:
    assert csv_rows(f"x,y,z\n{line}\n") == [("x", "y", "z"), row]


def test_other_separators_quotes_and_escapes_are_obeyed(csv_rows: Any) -> None:
    properties = "'separatorChar' = '\\t', 'quoteChar' = '\\'', 'escapeChar' = '^'"
    assert csv_rows("'a\tb'\t\"c\"\t'^'d'\n1\t2\t3\n", properties) == [("a\tb", '"c"', "'d"), ("1", "2", "3")]


def test_header_lines_are_lines_even_with_an_unclosed_quote(csv_rows: Any) -> None:
    assert csv_rows('"a,b,c\n"d,e,f\n1,2,3\n', header=2) == [("1", "2", "3")]


def test_an_object_with_a_header_only_has_no_rows(csv_rows: Any) -> None:
    assert csv_rows("a,b,c\n", header=1) == []


def test_objects_with_and_without_quotes_are_one_table(csv_rows: Any, lake: Any) -> None:
    lake.put("t/b.csv", '4,"5,6",7\n')
    assert sorted(csv_rows("1,2,3\n")) == [("1", "2", "3"), ("4", "5,6", "7")]


def test_gzipped_text_is_read_and_lzo_and_what_is_not_compressed_are_refused(csv_rows: Any, lake: Any) -> None:
    assert csv_rows(gzip.compress(b'1,"2",3\n'), key="t/a.csv.gz") == [("1", "2", "3")]
    lake.put("t/b.csv.lzo", "whatever")
    assert "text compressed as .lzo (t/b.csv.lzo); compress it as .gz, .bz2" in lake.reason("select * from t")
    lake.put("t/b.csv.lzo", "")  # an empty object is not read
    lake.put("t/c.csv.zst", "whatever")
    assert "HIVE_CURSOR_ERROR: t/c.csv.zst is not compressed as .zst" in lake.reason("select * from t")


def test_a_byte_that_is_not_utf_8_spoils_its_own_value_only(csv_rows: Any, lake: Any) -> None:
    assert csv_rows(b"caf\xe9,2,3\n4,5,6\n") == [("caf\ufffd", "2", "3"), ("4", "5", "6")]
    lake.put("j/a.jsonl", b'{"a":"caf\xe9","b":1}\n{"a":"x","b":2}\n')
    lake.run(
        "create external table j (a string, b int) row format serde 'org.openx.data.jsonserde.JsonSerDe' "
        "location 's3://{bucket}/j/'"
    )
    assert lake.rows("select * from j") == [("caf\ufffd", "1"), ("x", "2")]


def test_delimited_text_knows_no_quotes_but_escapes_and_blank_lines(lake: Any) -> None:
    lake.put("d/a.txt", 'a"|"b\n\nc\\|d|\\N\n\\\\N|x|surplus\n')
    lake.run(
        "create external table d (a string, b string) row format delimited fields terminated by '|' escaped by '\\\\' "
        "location 's3://{bucket}/d/'"
    )
    assert lake.rows("select * from d") == [('a"', '"b'), ("", None), ("c|d", None), ("\\N", "x")]


class OneByteStore:
    """Objects whose body is their key's last character, for everybody."""

    def check(self, s3_object: S3Object) -> None: ...

    def read(self, s3_object: S3Object) -> bytes:
        return s3_object.key[-1:].encode() * s3_object.size


def test_copies_that_no_query_has_used_for_long_make_room_for_new_ones(tmp_path: Path) -> None:
    store: Any = OneByteStore()
    cache = ObjectCache(store, tmp_path / "objects", limit=1000)
    old, used, new = (S3Object("b", key, 400, key) for key in "abc")
    lines = LineFormat(",", "\\", 0, '"', quoted=True)
    copies = [cache.path(old), cache.lines(used, lines)[0]]
    long_ago = objects.time.time() - 2 * objects.GRACE_SECONDS
    for copy in copies:
        os.utime(copy, (long_ago, long_ago))
    cache.lines(used, lines)
    newest = cache.text(new)
    assert [copy.exists() for copy in (*copies, newest)] == [False, True, True]
    assert cache.path(old).read_bytes() == b"a" * 400


def test_keys_of_json_are_found_whatever_letters_they_are_written_in_also_in_objects(lake: Any) -> None:
    lake.put("j/a.jsonl", r'{"captureData":{"endpointInput":{"Data":"{\"Kept\":1}","encoding":"JSON"}},"M":["A: b"]}')
    lake.run(
        "create external table j (capturedata struct<endpointinput:struct<data:string,encoding:string>>, "
        "m array<string>) row format serde 'org.openx.data.jsonserde.JsonSerDe' location 's3://{bucket}/j/'"
    )
    assert lake.rows("select capturedata.endpointinput.data, m[1] from j") == [('{"Kept":1}', "A: b")]


def test_keys_of_json_are_told_apart_by_their_letters_where_the_serde_is_told_so(lake: Any) -> None:
    lake.put("j/a.jsonl", '{"userId":"u","userid":"v"}\n')
    lake.run(
        "create external table j (userid string) row format serde 'org.openx.data.jsonserde.JsonSerDe' "
        "with serdeproperties ('case.insensitive'='false', 'mapping.userid'='userId') location 's3://{bucket}/j/'"
    )
    assert lake.rows("select userid from j") == [("u",)]


@pytest.mark.parametrize("column", ["a.b.c", "t.a.b.c", "{database}.t.a.b.c", "x.a.b.c"])
def test_a_field_of_a_field_is_no_column_of_another_table(lake: Any, column: str) -> None:
    lake.run("create table t as select cast(row(row(5)) as row(b row(c integer))) as a")
    table = "t as x" if column.startswith("x.") else "t"
    assert lake.rows(f"select {column} from {table} where {column} = 5") == [("5",)]
