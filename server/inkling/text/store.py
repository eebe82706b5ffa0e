"""The open documents, as the client sees them.

Invariant: after each call a document's bytes are what the client's own copy holds; nothing
sent is ever dropped for a version number, since text that is lost can't be made good.
Owner: the event loop's thread; others read the `Document`s that `snapshot` gives out.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from inkling.text.buffer import Buffer
from inkling.text.difference import changed_span
from inkling.text.document import Document, Edit
from inkling.text.encode import to_bytes
from inkling.text.position import Encoding

logger = logging.getLogger(__name__)


class UnknownDocument(LookupError):
    """The document isn't open. `args[0]` is a sentence that names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One content change. Without a range, `text` is the whole new document.

    The range is start line, start character, end line, end character in the store's
    encoding; an end before the start is read as the other way round.
    """

    text: str
    range: tuple[int, int, int, int] | None = None


@dataclass(slots=True)
class _Open:
    """One open document; owned by the store."""

    buffer: Buffer
    language_id: str
    version: int
    document: Document | None = None


class DocumentStore:
    """Every open document by URI. `encoding` is what the client and server agreed on."""

    def __init__(self, encoding: Encoding = "utf-16") -> None:
        self.encoding: Encoding = encoding
        self._open: dict[str, _Open] = {}

    def uris(self) -> tuple[str, ...]:
        """The open documents, in the order they were opened."""
        return tuple(self._open)

    def open(self, uri: str, language_id: str, version: int, text: str) -> Document:
        """Take a document over from the client; a second open replaces the first."""
        if uri in self._open:
            logger.warning("opened twice without a close between, the second text counts")
        self._open[uri] = _Open(Buffer(to_bytes(text)), language_id, version)
        return self.snapshot(uri)

    def change(self, uri: str, version: int | None, changes: Iterable[Change]) -> tuple[Edit, ...]:
        """Apply changes in order, each on the result of the one before. ≤ 0.05 ms for a key.

        Returns what was done to the bytes. Raises `UnknownDocument`.
        """
        entry = self._entry(uri)
        if version is None:
            version = entry.version + 1
        elif version <= entry.version:
            logger.warning("version %d after %d, applied all the same", version, entry.version)
        entry.version = version
        entry.document = None
        return tuple(self._apply(entry.buffer, change) for change in changes)

    def save(self, uri: str, text: str | None = None) -> tuple[Edit, ...]:
        """Note a save. Where the client sends the saved text along, it is the truth.

        Returns the correction, which is empty unless client and server had drifted apart.
        Raises `UnknownDocument`.
        """
        entry = self._entry(uri)
        if text is None or to_bytes(text) == self.snapshot(uri).data:
            return ()
        logger.warning("the saved text differs from the changes the client sent; taken over")
        entry.document = None
        return (self._apply(entry.buffer, Change(text)),)

    def close(self, uri: str) -> None:
        """Forget a document; one that isn't open is no error."""
        if self._open.pop(uri, None) is None:
            logger.warning("closed a document that wasn't open")

    def snapshot(self, uri: str) -> Document:
        """The document as it is now; the same object until the next change. May copy the text.

        Raises `UnknownDocument`.
        """
        entry = self._entry(uri)
        if entry.document is None:
            data = entry.buffer.snapshot()
            entry.document = Document(uri, entry.language_id, entry.version, data)
        return entry.document

    def offset_at(
        self, uri: str, line: int, character: int, encoding: Encoding | None = None
    ) -> int:
        """Byte offset of a position, clamped as LSP says. Raises `UnknownDocument`."""
        return self._entry(uri).buffer.offset_at(line, character, encoding or self.encoding)

    def position_at(
        self, uri: str, offset: int, encoding: Encoding | None = None
    ) -> tuple[int, int]:
        """Line and character of a byte offset. Raises `UnknownDocument`."""
        return self._entry(uri).buffer.position_at(offset, encoding or self.encoding)

    def _entry(self, uri: str) -> _Open:
        entry = self._open.get(uri)
        if entry is None:
            raise UnknownDocument(f"{uri} is not open")
        return entry

    def _apply(self, buffer: Buffer, change: Change) -> Edit:
        text = to_bytes(change.text)
        if change.range is None:
            start, old_end, new_end = changed_span(buffer.snapshot(), text)
            return buffer.replace(start, old_end, text[start:new_end])
        first_line, first, last_line, last = change.range
        one = buffer.offset_at(first_line, first, self.encoding)
        if (first_line, first) == (last_line, last):
            return buffer.replace(one, one, text)
        other = buffer.offset_at(last_line, last, self.encoding)
        return buffer.replace(min(one, other), max(one, other), text)
