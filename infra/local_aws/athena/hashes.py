"""Functions of Trino and Hive that DuckDB has none for: hashes, binary encodings, exact decimals, sorted JSON."""

import base64
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
_P4, _P5 = 9650029242287828579, 2870177450012600261


def xxhash64(data: bytes) -> bytes:
    """The eight bytes, big endian, of XXH64 with seed 0."""
    length, position = len(data), 0
    if length >= 32:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while position <= length - 32:
            for lane in range(4):
                word = int.from_bytes(data[position : position + 8], "little")
                lanes[lane] = _round(lanes[lane], word)
                position += 8
        total = sum(_rotate(value, turn) for value, turn in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for value in lanes:
            total = ((total ^ _round(0, value)) * _P1 + _P4) & _MASK
    else:
        total = _P5
    total = (total + length) & _MASK
    while position <= length - 8:
        total ^= _round(0, int.from_bytes(data[position : position + 8], "little"))
        total = (_rotate(total, 27) * _P1 + _P4) & _MASK
        position += 8
    if position <= length - 4:
        total ^= int.from_bytes(data[position : position + 4], "little") * _P1 & _MASK
        total = (_rotate(total, 23) * _P2 + _P3) & _MASK
        position += 4
    for byte in data[position:]:
        total ^= byte * _P5 & _MASK
        total = _rotate(total, 11) * _P1 & _MASK
    total = (total ^ total >> 33) * _P2 & _MASK
    total = (total ^ total >> 29) * _P3 & _MASK
    return (total ^ total >> 32).to_bytes(8, "big")


def hive_text_hash(text: str) -> int:
    """Hive's hash of a text: that of Java's strings, but over its bytes."""
    total = 0
    for byte in text.encode():
        total = (total * 31 + (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return total


def hive_double_hash(number: float) -> int:
    """Hive's hash of a double: the halves of its bits, one over the other."""
    high, low = struct.unpack(">II", struct.pack(">d", number))
    return int(high ^ low)


def decimal_quotient(dividend: str, divisor: str, scale: int) -> str:
    """The quotient of two decimals, rounded half up to `scale` digits."""
    with localcontext(prec=120):
        exact = Decimal(dividend) / Decimal(divisor)
        return str(exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP))


def sorted_json(text: str) -> str:
    """The JSON text with the keys of its objects in order and no blanks, as Trino's json_parse leaves it."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def unpack(layout: str, data: bytes) -> Any:
    """The one number in `data`, which is as long as `layout` says."""
    size = struct.calcsize(layout)
    if len(data) != size:
        raise ValueError(f"expected {size}-byte input, but got instead: {len(data)}")
    return struct.unpack(layout, data)[0]


def _rotate(value: int, turn: int) -> int:
    return (value << turn | value >> (64 - turn)) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


# name: (function, types of its arguments, type of what it returns), as DuckDB's create_function takes them.
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "hive_hash_text": (hive_text_hash, ["VARCHAR"], "BIGINT"),
    "hive_hash_double": (hive_double_hash, ["DOUBLE"], "BIGINT"),
    "hive_hash_real": (lambda number: struct.unpack(">I", struct.pack(">f", number))[0], ["FLOAT"], "BIGINT"),
    "trino_decimal_quotient": (decimal_quotient, ["VARCHAR", "VARCHAR", "INTEGER"], "VARCHAR"),
    "trino_sorted_json": (sorted_json, ["VARCHAR"], "VARCHAR"),
    "xxhash64": (xxhash64, ["BLOB"], "BLOB"),
    "crc32": (lambda data: zlib.crc32(data), ["BLOB"], "BIGINT"),
    "sha512": (lambda data: hashlib.sha512(data).digest(), ["BLOB"], "BLOB"),
    "hmac_sha256": (lambda data, key: hmac.digest(key, data, "sha256"), ["BLOB", "BLOB"], "BLOB"),
    "hmac_sha512": (lambda data, key: hmac.digest(key, data, "sha512"), ["BLOB", "BLOB"], "BLOB"),
    "to_base32": (lambda data: base64.b32encode(data).decode(), ["BLOB"], "VARCHAR"),
    "from_base32": (lambda text: base64.b32decode(text), ["VARCHAR"], "BLOB"),
    "from_big_endian_32": (lambda data: unpack(">i", data), ["BLOB"], "INTEGER"),
    "from_big_endian_64": (lambda data: unpack(">q", data), ["BLOB"], "BIGINT"),
    "to_big_endian_32": (lambda number: struct.pack(">i", number), ["INTEGER"], "BLOB"),
    "to_big_endian_64": (lambda number: struct.pack(">q", number), ["BIGINT"], "BLOB"),
    "from_ieee754_64": (lambda data: unpack(">d", data), ["BLOB"], "DOUBLE"),
    "to_ieee754_64": (lambda number: struct.pack(">d", number), ["DOUBLE"], "BLOB"),
}
