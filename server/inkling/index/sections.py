"""A file of named arrays: written once, whole, then only mapped into memory and read.

Layout: magic, length of the table, checksum of everything behind it, the table (msgpack), then the
arrays, each at a multiple of eight bytes. Invariant: a file that opens is complete and is byte for
byte what was written; one that is not raises BadSegment, whatever is wrong with it.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_MAGIC = b"INKSEG\x00\x01"
_START = struct.Struct("<8sIIQ")
"""Magic, bytes of the table, checksum of table and arrays, bytes of the whole file."""
_ALIGN = 8
_READ = 1 << 20


class BadSegment(Exception):
    """The file can't be used; the message says why. Delete it and build it anew."""


class _Table(msgspec.Struct, frozen=True, array_like=True):
    arrays: tuple[tuple[str, str, int, int], ...]
    """Name, type, place in bytes from the first array on, number of elements."""
    notes: dict[str, Any]


def write(file: Path, arrays: Mapping[str, Array], notes: dict[str, Any]) -> None:
    """Write all, then take the name: a reader sees the whole file or none. Raises OSError."""
    entries = []
    place = 0
    for name, array in arrays.items():
        place += -place % _ALIGN
        entries.append((name, array.dtype.newbyteorder("<").str, place, len(array)))
        place += array.nbytes
    table = msgspec.msgpack.encode(_Table(tuple(entries), notes))
    table += b"\xc1" * (-(len(table) + _START.size) % _ALIGN)
    parts: list[bytes] = [table]
    place = 0
    for array in arrays.values():
        gap = -place % _ALIGN
        parts.append(bytes(gap))
        parts.append(array.tobytes())
        place += gap + array.nbytes
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    size = _START.size + sum(len(part) for part in parts)
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as out:
            out.write(_START.pack(_MAGIC, len(table), checksum, size))
            for part in parts:
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class Mapped:
    """An open file. The arrays are read-only and keep the map alive."""

    arrays: dict[str, Array]
    notes: dict[str, Any]


def read(file: Path) -> Mapped:
    """Map a file. Raises BadSegment, also where there is none.

    The checksum is taken over the file as it is read, not over the map, so what nobody asks for
    does not count as memory of this process.
    """
    try:
        with file.open("rb") as source:
            head = source.read(_START.size)
            if len(head) < _START.size:
                raise BadSegment(f"{file}: too short")
            magic, length, checksum, size = _START.unpack(head)
            if magic != _MAGIC:
                raise BadSegment(f"{file}: not a segment of this format")
            if size != os.fstat(source.fileno()).st_size or _START.size + length > size:
                raise BadSegment(f"{file}: not complete")
            found = 0
            while data := source.read(_READ):
                found = zlib.crc32(data, found)
            if found != checksum:
                raise BadSegment(f"{file}: damaged")
            mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise BadSegment(f"{file}: {error}") from error
    table = bytes(mapped[_START.size : _START.size + length]).rstrip(b"\xc1")
    try:
        entries = msgspec.msgpack.decode(table, type=_Table)
        first = _START.size + length
        arrays = {
            name: np.frombuffer(mapped, np.dtype(kind), count, first + place)
            if count
            else np.empty(0, np.dtype(kind))
            for name, kind, place, count in entries.arrays
        }
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise BadSegment(f"{file}: {error}") from error
    return Mapped(arrays, entries.notes)
