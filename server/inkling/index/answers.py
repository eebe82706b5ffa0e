"""Answers to questions, over all workspace folders of an index. Nothing here changes anything.

Offsets become positions here, by the text that the file or the open document has now; where that
is not what was indexed, a definition is looked for by its name near where it was.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from inkling.index.places import definitions_of, references
from inkling.index.record import Definition
from inkling.index.retrieve import Query, retrieve
from inkling.index.symbols import find_symbols
from inkling.index.view import Place as Found
from inkling.index.wire import (
    Answer,
    Counted,
    Counts,
    Defined,
    Mentioned,
    Outlined,
    Piece,
    Place,
    Question,
    Snippets,
    Symbols,
)
from inkling.index.workspace import Workspace
from inkling.text.buffer import Buffer
from inkling.text.position import Encoding

FEW = 64
"""Definitions of one name that are told."""


def answer(
    number: int, question: Question, folders: Sequence[Workspace], encoding: Encoding
) -> Answer:
    """The answer to question `number`. Takes some milliseconds."""
    if isinstance(question, Counted):
        return Answer(number, counts=counts(folders))
    if isinstance(question, Symbols):
        return Answer(number, places=_symbols(question, folders, encoding))
    home = folder_of(question.path, folders)
    if home is None:
        return Answer(number, error="The file is in no folder that is indexed.")
    workspace, path = home
    if isinstance(question, Snippets):
        return _snippets(number, question, workspace, path)
    if isinstance(question, Outlined):
        places = _outline(workspace, path, encoding)
        return Answer(number, places=places, complete=workspace.settled(path))
    texts = _Texts(workspace, encoding)
    if isinstance(question, Defined):
        found = definitions_of(workspace.view, question.name, near=path, limit=FEW)
        return Answer(number, places=tuple(texts.places(found)))
    return _mentions(number, question, workspace, path, texts)


def folder_of(path: str, folders: Sequence[Workspace]) -> tuple[Workspace, str] | None:
    """The innermost folder that a file is in, and its path there."""
    place = PurePath(path)
    inside = [one for one in folders if place.is_relative_to(one.root)]
    if not inside:
        return None
    innermost = max(inside, key=lambda one: len(one.root.parts))
    return innermost, place.relative_to(innermost.root).as_posix()


def counts(folders: Iterable[Workspace]) -> Counts:
    """What there is, over all folders."""
    total = Counts()
    for one in folders:
        mine = one.counts()
        total = Counts(
            files=total.files + mine.files,
            parsed=total.parsed + mine.parsed,
            definitions=total.definitions + mine.definitions,
            names=total.names + mine.names,
            open_documents=total.open_documents + mine.open_documents,
            waiting=total.waiting + mine.waiting,
            quarantined=max(total.quarantined, mine.quarantined),
            problems=(*total.problems, *mine.problems),
        )
    return total


def _snippets(number: int, question: Snippets, workspace: Workspace, path: str) -> Answer:
    query = Query(
        path=path,
        language=question.language,
        data=question.data,
        offset=question.offset,
        recent=question.recent,
        budget_bytes=question.budget_bytes,
    )
    found = retrieve(workspace.view, workspace.read, query, question.deadline_s)
    pieces = tuple(
        Piece(one.path, one.start, one.end, one.text, one.reason, one.score)
        for one in found.snippets
    )
    return Answer(number, pieces=pieces, complete=found.complete and workspace.looked)


def _symbols(
    question: Symbols, folders: Sequence[Workspace], encoding: Encoding
) -> tuple[Place, ...]:
    found = [
        (symbol.score, workspace, symbol.place)
        for workspace in folders
        for symbol in find_symbols(workspace.view, question.query, question.limit)
    ]
    found.sort(key=lambda item: -item[0])
    texts = {id(workspace): _Texts(workspace, encoding) for workspace in folders}
    places: list[Place] = []
    for _, workspace, place in found[: question.limit]:
        places += texts[id(workspace)].places([place])
    return tuple(places)


def _outline(workspace: Workspace, path: str, encoding: Encoding) -> tuple[Place, ...]:
    definitions = workspace.view.definitions(path) or ()
    texts = _Texts(workspace, encoding)
    found = []
    for definition in definitions:
        place = texts.place(path, definition, "")
        if place is None:
            return ()  # the text has changed since: the editor asks again
        found.append(place)
    return tuple(found)


def _mentions(
    number: int, question: Mentioned, workspace: Workspace, path: str, texts: "_Texts"
) -> Answer:
    found: list[Place] = []
    end = time.monotonic() + question.deadline_s

    def late() -> bool:
        return time.monotonic() > end

    for mention in references(
        workspace.view, workspace.read, question.name, near=path, limit=question.limit, late=late
    ):
        place = texts.span(mention.path, mention.start, mention.end, question.name)
        if place is not None:
            found.append(place)
    return Answer(number, places=tuple(found), complete=not late())


class _Texts:
    """The files of one answer, each read once. A value of one request."""

    def __init__(self, workspace: Workspace, encoding: Encoding) -> None:
        self._workspace = workspace
        self._encoding = encoding
        self._read: dict[str, _Text | None] = {}

    def places(self, found: Iterable[Found]) -> Iterator[Place]:
        """Those of `found` that are still there."""
        for one in found:
            place = self.place(one.path, one.definition, one.container)
            if place is not None:
                yield place

    def place(self, path: str, definition: Definition, container: str) -> Place | None:
        """A definition as it stands now; None where its name stands somewhere else."""
        name = definition.name.encode()
        start, end = definition.name_start, definition.name_start + len(name)
        text = self._text(path)
        if text is None or text.data[start:end] != name:
            return None
        span = self.span(path, start, end, definition.name)
        if span is None:
            return None
        return Place(
            path=span.path,
            start=span.start,
            end=span.end,
            name=definition.name,
            kind=definition.kind,
            container=container,
            body=(self._position(text, definition.start), self._position(text, definition.end)),
            parent=definition.parent,
        )

    def span(self, path: str, start: int, end: int, name: str) -> Place | None:
        """A range of a file."""
        text = self._text(path)
        if text is None:
            return None
        return Place(
            path=str(self._workspace.root / path),
            start=self._position(text, start),
            end=self._position(text, end),
            name=name,
        )

    def _position(self, text: "_Text", offset: int) -> tuple[int, int]:
        return text.buffer.position_at(offset, self._encoding)

    def _text(self, path: str) -> "_Text | None":
        if path not in self._read:
            data = self._workspace.read(path)
            self._read[path] = None if data is None else _Text(data, Buffer(data))
        return self._read[path]


class _Text(NamedTuple):
    """A file's content, and where its lines begin."""

    data: bytes
    buffer: Buffer
