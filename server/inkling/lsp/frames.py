"""LSP's message frames in a stream of bytes: pure, incremental, and hard to derail.

Invariant: whatever bytes come in, every well-formed frame that follows rubbish is found again;
rubbish is reported once, not swallowed.
"""

import re

MAX_HEADER_BYTES = 16_384
MAX_BODY_BYTES = 1 << 30

_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,12})[ \t]*(?:\r\n|$)", re.IGNORECASE)
_END = b"\r\n\r\n"


class Rubbish(bytes):
    """Bytes that are no frame; only their number is worth telling anybody."""


class FrameParser:
    """Cuts a stream into message bodies. One owner, who feeds it in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body_bytes: int | None = None
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The bodies (and `Rubbish`) that `chunk` completes, in order."""
        self._buffer += chunk
        found: list[bytes] = []
        while (piece := self._next()) is not None:
            found.append(piece)
        return found

    def _next(self) -> bytes | None:
        if self._body_bytes is None:
            rubbish = self._header()
            if rubbish is not None:
                return rubbish
        if self._body_bytes is None or len(self._buffer) < self._body_bytes:
            return None
        body = bytes(self._buffer[: self._body_bytes])
        del self._buffer[: self._body_bytes]
        self._body_bytes = None
        return body

    def _header(self) -> Rubbish | None:
        end = self._buffer.find(_END, self._searched)
        if end < 0:
            # The terminator itself may be cut by the end of the chunk.
            self._searched = max(0, len(self._buffer) - len(_END) + 1)
            if len(self._buffer) <= MAX_HEADER_BYTES:
                return None
            return self._drop(len(self._buffer) - len(_END) + 1)
        self._searched = 0
        lengths = _LENGTH.findall(self._buffer, 0, end)
        if not lengths or int(lengths[-1]) > MAX_BODY_BYTES:
            return self._drop(end + len(_END))
        # With rubbish before the header, the last length is the one next to the body.
        del self._buffer[: end + len(_END)]
        self._body_bytes = int(lengths[-1])
        return None

    def _drop(self, count: int) -> Rubbish:
        rubbish = Rubbish(self._buffer[:count])
        del self._buffer[:count]
        self._searched = 0
        return rubbish
