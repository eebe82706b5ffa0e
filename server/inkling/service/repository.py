"""The index process as the completer's source of context, and what was edited lately.

Owner of the list of recent edits; it holds immutable documents, so an edit costs no copy. Event
loop's thread only.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import msgspec

from inkling.index.client import IndexClient
from inkling.index.snippet import Snippet
from inkling.index.wire import Serve, Snippets
from inkling.text.document import Document, Edit
from inkling.text.uris import path_of

RECENT = 6
"""Places that are remembered as edited lately."""
NEAR_BYTES = 600
"""An edit so near to the last one at a place is of the same place."""
AROUND_BYTES = 400
"""How much text before and after an edit is told to the index."""
SETTLED_S = 1.0
"""Quiet time after which the index gets a document's new text."""
LARGEST = 512 * 1024
"""Bytes of a document that the index is given."""


@dataclass(slots=True)
class _Edited:
    """A place that was edited: where, in which text."""

    document: Document
    offset: int


class Repository:
    """See the module. Owner of which folders are indexed."""

    def __init__(self, index: IndexClient, serve: Serve) -> None:
        self.index = index
        self._serve = serve
        self._recent: list[_Edited] = []
        self._changed: dict[str, Document] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders that are indexed, absolute."""
        return self._serve.roots

    def index_folders(self, roots: Sequence[str]) -> None:
        """Index these from now on."""
        self._serve = msgspec.structs.replace(self._serve, roots=tuple(roots))
        self.index.serve(self._serve)

    # -- documents ---------------------------------------------------------------------------

    def opened(self, document: Document) -> None:
        """A document was opened, or its text replaced."""
        path = self._path(document.uri)
        if path is None or not self.roots:
            return
        if len(document.data) <= LARGEST:
            self.index.opened(path, document.data)
        else:
            self.index.closed(path)  # it has grown out of the index

    def closed(self, uri: str) -> None:
        """The document is no longer open."""
        self._changed.pop(uri, None)
        self._recent = [edited for edited in self._recent if edited.document.uri != uri]
        path = self._path(uri)
        if path is not None:
            self.index.closed(path)

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """A document is now `document`. < 0.1 ms."""
        if not edits or not self.roots:
            return
        if len(document.data) <= LARGEST:
            self._note(document, edits[-1].new_end)
        self._changed[document.uri] = document
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SETTLED_S, self._settle, document.version)

    def settle(self, uri: str) -> str | None:
        """The path of a document of which somebody wants to know something now, once the index
        has been told its present text. None where no folder with it is indexed."""
        document = self._changed.pop(uri, None)
        if document is not None:
            self.opened(document)
        path = self._path(uri)
        return path if path is not None and self.root_of(path) is not None else None

    def close(self) -> None:
        """Nothing is told to the index any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._changed.clear()

    # -- questions ---------------------------------------------------------------------------

    async def snippets(
        self, document: Document, offset: int, *, budget_bytes: int, deadline_s: float
    ) -> tuple[Snippet, ...]:
        """What belongs into a prompt at byte `offset`, best first; nothing where the document is
        in none of the folders or too large. Raises TimeoutError where the index does not answer.
        """
        path = self._path(document.uri)
        if path is None or self.root_of(path) is None or len(document.data) > LARGEST:
            return ()
        question = Snippets(
            path=path,
            language=document.language_id,
            data=document.data,
            offset=offset,
            budget_bytes=budget_bytes,
            recent=self._recent_texts(document, offset),
            deadline_s=deadline_s,
        )
        # The way there and back, and a process that is at something else just now.
        answer = await self.index.ask(question, deadline_s * 2)
        if answer.error:
            raise TimeoutError(answer.error)
        return tuple(
            Snippet(one.path, one.start, one.end, one.text, one.reason, one.score)
            for one in answer.pieces
        )

    def whereabouts(self, uri: str) -> tuple[str, str]:
        """The name of the folder that a document is in, and its path there with slashes."""
        path = self._path(uri)
        root = self.root_of(path) if path is not None else None
        if path is None or root is None:
            return "", PurePath(path or uri).name
        return PurePath(root).name, PurePath(path).relative_to(root).as_posix()

    def root_of(self, path: str) -> str | None:
        """The indexed folder that a file is in, if any."""
        for root in self.roots:
            if PurePath(path).is_relative_to(root):
                return root
        return None

    # -- inside ------------------------------------------------------------------------------

    def _path(self, uri: str) -> str | None:
        return path_of(uri)

    def _note(self, document: Document, offset: int) -> None:
        for number, known in enumerate(self._recent):
            near = abs(known.offset - offset) <= NEAR_BYTES
            if known.document.uri == document.uri and near:
                del self._recent[number]
                break
        self._recent.insert(0, _Edited(document, offset))
        del self._recent[RECENT:]

    def _recent_texts(self, document: Document, offset: int) -> tuple[tuple[str, str], ...]:
        """Paths relative to their root and texts, newest first; not what is around the cursor
        itself, which the prompt shows anyway."""
        found = []
        for edited in self._recent:
            here = edited.document.uri == document.uri
            if here and abs(edited.offset - offset) <= 2 * NEAR_BYTES:
                continue
            text = edited.document
            start = text.line_start(max(0, edited.offset - AROUND_BYTES))
            end = text.line_end(min(len(text.data), edited.offset + AROUND_BYTES))
            found.append((self.whereabouts(text.uri)[1], text.text(start, end)))
        return tuple(found)

    def _settle(self, version: int) -> None:
        """Tell the index of the new texts, unless somebody is still typing."""
        self._timer = None
        newest = max((document.version for document in self._changed.values()), default=version)
        if newest != version:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SETTLED_S, self._settle, newest)
            return
        changed, self._changed = self._changed, {}
        for document in changed.values():
            self.opened(document)
