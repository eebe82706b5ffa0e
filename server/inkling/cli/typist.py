"""Hands for the demo: changes a document as an editor would and asks for suggestions.

Owner: the event loop's thread. Invariant: the completer hears of each change exactly once, in
order, before anything is asked.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from inkling.service.completer import Completer
from inkling.service.records import CompletionRequest, Suggestion
from inkling.text.document import Document, Edit
from inkling.text.encode import to_bytes


class Typist:
    """One document with one cursor. Offsets are bytes."""

    def __init__(self, completer: Completer, document: Document, offset: int) -> None:
        self._completer = completer
        self.document = document
        self.offset = offset

    @property
    def before(self) -> str:
        """The text before the cursor."""
        return self.document.text(0, self.offset)

    @property
    def after(self) -> str:
        """The text behind the cursor."""
        return self.document.text(self.offset)

    def type(self, text: str) -> None:
        """Insert `text` at the cursor and tell the completer."""
        self._replace(self.offset, self.offset, text)

    def erase(self, start: int, end: int) -> None:
        """Delete bytes [start, end); the cursor goes there."""
        self._replace(start, end, "")

    def accept(self, suggestion: Suggestion) -> None:
        """Take a suggestion as Tab does in an editor."""
        self._replace(suggestion.start, suggestion.end, suggestion.text)
        self._completer.accepted(suggestion.id)

    async def ask(self) -> tuple[Suggestion, ...]:
        """What the editor asks for after a key."""
        return await self._completer.complete(self._request())

    def watch(self) -> AsyncIterator[str]:
        """The suggestion as it grows, unchecked."""
        return self._completer.stream(self._request())

    def _request(self) -> CompletionRequest:
        return CompletionRequest(self.document, self.offset)

    def _replace(self, start: int, end: int, text: str) -> None:
        inserted = to_bytes(text)
        data = self.document.data
        self.document = replace(
            self.document,
            version=self.document.version + 1,
            data=data[:start] + inserted + data[end:],
        )
        self.offset = start + len(inserted)
        self._completer.changed(self.document, (Edit(start, end, start + len(inserted), inserted),))
