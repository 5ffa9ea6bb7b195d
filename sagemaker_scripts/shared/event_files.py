"""Curves as TensorBoard reads them: event files, written by hand because AWS's image has no tensorboard.

A file is TFRecords (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details), each an Event in
protocol buffers (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto).
"""

import struct
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

# Protocol buffers' kinds of a field: of so many bytes, which an int tells by itself and text by its length before it.
VARINT, EIGHT_BYTES, TEXT, FOUR_BYTES = 0, 1, 2, 5


def write(folder: Path, tag: str, values: Sequence[float]) -> None:
    """Write the curve `tag` into `folder`, which TensorBoard shows as a run of this name: a value a step, from 0."""
    now = time.time()
    events = [_event(now, 0, _field(3, TEXT, _text(b"brain.Event:2")))]
    events += [_event(now, step, _field(5, TEXT, _text(_summary(tag, value)))) for step, value in enumerate(values)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"events.out.tfevents.{int(now)}.training").write_bytes(b"".join(map(_record, events)))


def _event(wall_time: float, step: int, what: bytes) -> bytes:
    return _field(1, EIGHT_BYTES, struct.pack("<d", wall_time)) + _field(2, VARINT, _varint(step)) + what


def _summary(tag: str, value: float) -> bytes:
    one = _field(1, TEXT, _text(tag.encode())) + _field(2, FOUR_BYTES, struct.pack("<f", value))
    return _field(1, TEXT, _text(one))


def _field(number: int, kind: int, content: bytes) -> bytes:
    return _varint(number << 3 | kind) + content


def _text(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that there are more."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    """TFRecord's masked CRC-32C."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc_table() -> Iterable[int]:
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        yield crc


CRC_TABLE = tuple(_crc_table())
