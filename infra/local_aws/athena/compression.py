"""Compressed text objects, known by their suffix, in the framing that Hadoop's codecs give them."""

import io
import struct
from pathlib import PurePosixPath

import pyarrow

from local_aws.athena.failures import QueryFailed, unsupported

_SUFFIXES = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst", "SNAPPY": ".snappy", "LZ4": ".lz4", "NONE": ""}
_STREAMS = {"GZIP": "gzip", "BZIP2": "bz2", "ZSTD": "zstd"}
_BLOCKS = {"SNAPPY": "snappy", "LZ4": "lz4_raw"}
_BLOCK_BYTES = 256 * 1024
_UNREADABLE = (".lzo", ".deflate")


def suffix(codec: str) -> str:
    """The end of the names of objects compressed by `codec`."""
    return _SUFFIXES[codec]


def compress(codec: str, body: bytes) -> bytes:
    """`body` compressed by `codec`, one of Athena's names for them."""
    if codec in _STREAMS:
        made = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(made, _STREAMS[codec]) as stream:
            stream.write(body)
        return bytes(made.getvalue())
    if codec in _BLOCKS:
        blocks = [body[start : start + _BLOCK_BYTES] for start in range(0, len(body), _BLOCK_BYTES)]
        compressed = [pyarrow.compress(block, _BLOCKS[codec], asbytes=True) for block in blocks]
        return b"".join(
            struct.pack(">II", len(block), len(small)) + small for block, small in zip(blocks, compressed, strict=True)
        )
    return body


def decompress(key: str, body: bytes) -> bytes:
    """The content of the object `key`; QueryFailed where it is not what its suffix says."""
    ending = PurePosixPath(key).suffix
    if ending in _UNREADABLE:
        raise unsupported(f"text compressed as {ending} ({key})", "compress it as .gz, .bz2, .zst, .snappy or .lz4")
    codec = next((name for name, known in _SUFFIXES.items() if known == ending), "NONE")
    try:
        if codec in _STREAMS:
            with pyarrow.CompressedInputStream(io.BytesIO(body), _STREAMS[codec]) as stream:
                return bytes(stream.read())
        return _unblocked(body, _BLOCKS[codec]) if codec in _BLOCKS else body
    except (OSError, struct.error) as error:  # Arrow's words for what is not compressed so
        raise QueryFailed(f"HIVE_CURSOR_ERROR: {key} is not compressed as {ending}: {error}") from error


def _unblocked(body: bytes, codec: str) -> bytes:
    """Blocks of two big-endian lengths, whole and compressed, each before its bytes."""
    found, position = [], 0
    while position < len(body):
        whole, small = struct.unpack_from(">II", body, position)
        position += 8
        found.append(pyarrow.decompress(body[position : position + small], whole, codec, asbytes=True))
        position += small
    return b"".join(found)
