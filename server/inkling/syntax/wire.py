"""The records that cross the pipe between `client` and `worker`, and their framing.

A frame is a length of four bytes, big-endian, and that many bytes of msgpack.
"""

from typing import Literal

import msgspec

from inkling.syntax.judgement import Judgement

HEADER = 4


class Job(msgspec.Struct, frozen=True):
    """One thing to do for one document. Texts are UTF-8 as `text.encode` defines it."""

    id: int
    kind: Literal["judge", "prepare", "forget"]
    uri: str
    language: str
    """Name of a row of `languages`."""
    data: bytes = b""
    offset: int = 0
    inserted: bytes = b""
    multiline: bool = False
    finished: bool = True
    limit_ms: float = 0.0
    """Time the worker may take, from the moment it reads the job."""


class Done(msgspec.Struct, frozen=True):
    """The answer to the job with the same id; nothing in it but for a judge job."""

    id: int
    judgement: Judgement | None = None


_encoder = msgspec.msgpack.Encoder()


def frame(record: Job | Done) -> bytes:
    """A record with its length in front."""
    body = _encoder.encode(record)
    return len(body).to_bytes(HEADER, "big") + body
