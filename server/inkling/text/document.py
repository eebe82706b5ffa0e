"""A document as it was at one version: an immutable value that any thread may read.

Invariant: `data` never changes and offsets into it are bytes. Lines end with \\n, \\r\\n or
\\r, as LSP says, and with nothing else.
"""

from dataclasses import dataclass
from typing import Literal

from inkling.text import position
from inkling.text.encode import to_text

Newline = Literal["\n", "\r\n", "\r"]

_NEWLINE_SAMPLE = 65_536  # bytes looked at to find the dominant terminator


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement, in application order: bytes [start, old_end) became `text`.

    `new_end` is `start + len(text)`; every offset counts in the document as it is when this
    edit's turn comes.
    """

    start: int
    old_end: int
    new_end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A snapshot. `data` is UTF-8 as `encode` defines it; `version` is the client's number."""

    uri: str
    language_id: str
    version: int
    data: bytes

    def line_start(self, offset: int) -> int:
        """Byte offset where the line that `offset` is on starts."""
        return position.line_start(self.data, offset)

    def line_end(self, offset: int) -> int:
        """Byte offset where the line that `offset` is on ends, before its terminator."""
        return position.line_end(self.data, offset)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """Bytes [start, end) as text that can always be encoded; never raises."""
        return to_text(self.data[start:end])

    @property
    def newline(self) -> Newline:
        """The terminator most lines use, judged by the first 64 KiB; "\\n" where there is none."""
        sample = self.data[:_NEWLINE_SAMPLE]
        both = sample.count(b"\r\n")
        feeds = sample.count(b"\n") - both
        returns = sample.count(b"\r") - both
        if both > feeds and both >= returns:
            return "\r\n"
        return "\r" if returns > feeds else "\n"
