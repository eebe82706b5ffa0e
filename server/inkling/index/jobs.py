"""The records that cross the pipe between who keeps the index and `worker`, and their framing.

A frame is a length of four bytes, big-endian, and that many bytes of msgpack. For each file of a
batch, in the batch's order, come `Began`, once its content is known, and `Made`; `Began` alone is
left out where the content can't be had. So when a worker dies, the last `Began` without a `Made`
says what it died of, and everything before is done.
"""

from typing import Literal

import msgspec

from inkling.index.record import FileRecord

HEADER = 4

State = Literal["made", "same", "gone", "unreadable", "changing", "binary", "too large", "failed"]
"""What became of a file. "same": its content is what the caller has a record of; "changing": it
was written while it was read, so it will be seen again; "failed": a mistake of ours, logged."""

Wish = Literal["hash", "lexical", "parsed"]


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """One file to read."""

    path: str
    """Relative to the batch's root, with slashes."""
    wish: Wish
    """How much is wanted of it; a hash is without a record."""
    known: bytes = b""
    """The hash of a content that needs no new record."""
    text: bytes | None = None
    """The content, where it is not that of a file but what an editor has."""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Files to read, the most urgent first."""

    id: int
    root: str
    """An absolute path of this machine."""
    files: tuple[Wanted, ...]


class Began(msgspec.Struct, frozen=True, array_like=True, tag="began"):
    """The worker has read a file and now makes its record."""

    batch: int
    number: int
    """Of the file in its batch, from 0."""
    hash: bytes


class Made(msgspec.Struct, frozen=True, array_like=True, tag="made"):
    """What became of one file. Fields that make no sense for the state are empty."""

    batch: int
    number: int
    state: State
    mtime_ns: int = 0
    size: int = 0
    hash: bytes = b""
    """16 bytes of blake2b."""
    record: FileRecord | None = None
    final: bool = True
    """Asking for more than was wished would give nothing more."""


_encoder = msgspec.msgpack.Encoder()


def frame(record: Batch | Began | Made) -> bytes:
    """A record with its length in front."""
    body = _encoder.encode(record)
    return len(body).to_bytes(HEADER, "big") + body
