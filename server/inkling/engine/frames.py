"""How records cross the pipe between the server and the engine process.

A frame is the payload's length as four bytes, big-endian, then the payload: one record of
`engine/api.py` as tagged msgpack. A peer that writes anything else has lost its way and the
pipe with it: `BadFrame` is final.
"""

from typing import BinaryIO

import msgspec

from inkling.engine.api import (
    CancelRequest,
    DoneEvent,
    EndEvent,
    GenerateRequest,
    Ready,
    Starting,
    TextEvent,
    Unavailable,
)

HEADER_BYTES = 4
MAX_PAYLOAD_BYTES = 1 << 26
"""Far above any real record: a longer one means that the bytes are not frames."""

Order = GenerateRequest | CancelRequest
"""What the server tells the engine process."""

Report = TextEvent | EndEvent | DoneEvent | Starting | Ready | Unavailable
"""What the engine process tells the server."""

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


class BadFrame(Exception):
    """The bytes read are not a frame of this protocol."""


def encode(record: Order | Report) -> bytes:
    """The whole frame, ready to be written in one call."""
    payload = _encoder.encode(record)
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


def payload_bytes(header: bytes) -> int:
    """The payload's length announced by a frame's first `HEADER_BYTES` bytes."""
    size = int.from_bytes(header, "big")
    if size > MAX_PAYLOAD_BYTES:
        raise BadFrame(f"a frame of {size} bytes was announced")
    return size


def decode_order(payload: bytes) -> Order:
    """The record in a payload the server wrote; raises `BadFrame`."""
    try:
        return _orders.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from error


def decode_report(payload: bytes) -> Report:
    """The record in a payload the engine process wrote; raises `BadFrame`."""
    try:
        return _reports.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from error


def read_order(pipe: BinaryIO) -> Order | None:
    """Block until the next order is there; None when the pipe has ended (even mid-frame)."""
    header = pipe.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    size = payload_bytes(header)
    payload = pipe.read(size)
    return decode_order(payload) if len(payload) == size else None
