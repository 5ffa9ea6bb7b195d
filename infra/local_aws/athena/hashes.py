"""xxHash64 as Trino's xxhash64() computes it; DuckDB has no function of that name."""

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


def big_endian(data: bytes) -> int:
    """The signed number in eight bytes: Trino's from_big_endian_64()."""
    if len(data) != 8:
        raise ValueError(f"expected 8-byte input, but got instead: {len(data)}")
    return int.from_bytes(data, "big", signed=True)


def _rotate(value: int, turn: int) -> int:
    return (value << turn | value >> (64 - turn)) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK
