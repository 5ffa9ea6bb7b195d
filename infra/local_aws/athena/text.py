"""Lines and fields of text objects as Hive's SerDes take them apart: every line is a row, whatever quotes it has."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_aws.athena.compression import decompress

_CAPITAL_KEY = re.compile(r'"[^"\\]*[A-Z][^"]*"\s*:')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')


def plain_text(key: str, body: bytes) -> str:
    """The text of the object `key`: decompressed, malformed UTF-8 replaced, every line ended by \\n alone."""
    text = decompress(key, body).decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lower_keys(text: str) -> str:
    """JSON with its keys in small letters, inside objects too, as the JSON SerDes take them unless they are told
    otherwise. https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html"""
    if not _CAPITAL_KEY.search(text):
        return text
    return _STRING.sub(lambda found: found[0].lower() if found[2] else found[0], text)


@dataclass(frozen=True)
class LineFormat:
    """How a SerDe takes a line apart; `skip` lines at the start of an object are its header."""

    separator: str
    escape: str
    skip: int
    quote: str = ""
    null: str | None = None  # the text that stands for null
    quoted: bool = False  # OpenCSVSerde

    def convert(self, text: str) -> tuple[bool, bytes]:
        """(True, the lines) where splitting at the separator is all there is to do, else (False, `csv_rows`)."""
        for _ in range(self.skip):
            text = text.partition("\n")[2]
        special = [character for character in (self.quote, self.escape) if character]
        if text[:1] != "\n" and "\n\n" not in text and not any(character in text for character in special):
            return True, text.encode()
        return False, csv_rows(map(self._fields(), text.removesuffix("\n").split("\n")))

    def _fields(self) -> Callable[[str], list[str | None]]:
        if not self.quoted:
            return self._delimited
        separator, quote, escape = map(re.escape, (self.separator, self.quote, self.escape))
        if not self.quote:
            return self._open_csv
        # Lines of whole quoted fields, without doubled or escaped characters, are most: they need no walk.
        field = f"(?:{quote}([^{quote}{escape}]*){quote}|([^{quote}{escape}{separator}]*))(?:{separator}|$)"
        pattern, line_pattern = re.compile(field), re.compile(f"(?:{field})+")

        def fields(line: str) -> list[str | None]:
            if not line or not line_pattern.fullmatch(line):
                return self._open_csv(line)
            found: list[str | None] = [inner or outer for inner, outer in pattern.findall(line)]
            # An empty match at the line's end is a field of its own only behind a separator.
            return found if line.endswith(self.separator) else found[:-1]

        return fields

    def _open_csv(self, line: str) -> list[str | None]:
        """OpenCSVSerde's fields, with its habits: a field whose quote is not closed is null, as is all of a blank line;
        an escape character with nothing to escape disappears; quotes in the midst of a field stay."""
        if not line:
            return []
        fields: list[str | None] = []
        field: list[str] = []
        in_quotes = in_field = False
        position = 0
        while position < len(line):
            character, following = line[position], line[position + 1 : position + 2]
            if character == self.quote:
                if (in_quotes or in_field) and following == self.quote:
                    field.append(following)
                    position += 1
                else:
                    amid = position > 2 and line[position - 1] != self.separator and following not in self.separator
                    if amid and field and not "".join(field).strip():
                        field.clear()
                    elif amid:
                        field.append(character)
                    in_quotes = not in_quotes
                in_field = not in_field
            elif character == self.escape:
                if (in_quotes or in_field) and following and following in (self.quote, self.escape):
                    field.append(following)
                    position += 1
            elif character == self.separator and not in_quotes:
                fields.append("".join(field))
                field.clear()
                in_field = False
            else:
                field.append(character)
                in_field = True
            position += 1
        return [*fields, None if in_quotes else "".join(field)]

    def _delimited(self, line: str) -> list[str | None]:
        """LazySimpleSerDe's fields; what stands for null is compared before escapes are taken away."""
        if not self.escape:
            return [None if raw == self.null else raw for raw in line.split(self.separator)]
        escape, separator = re.escape(self.escape), re.escape(self.separator)
        raws = re.findall(f"((?:{escape}.?|[^{escape}{separator}])*)(?:{separator}|$)", line)
        raws = raws if line.endswith(self.separator) or len(raws) == 1 else raws[:-1]
        return [None if raw == self.null else re.sub(f"{escape}(.?)", r"\1", raw) for raw in raws]


def csv_rows(rows: Iterator[list[str | None]]) -> bytes:
    """CSV of `rows` after a first column `-`: "" inside quotes, null as nothing, one line a row."""
    written = io.StringIO()
    # The first column keeps a row without fields from being a blank line, which CSV readers pass over.
    csv.writer(written, quoting=csv.QUOTE_NOTNULL, lineterminator="\n").writerows(["-", *row] for row in rows)
    return written.getvalue().encode()
