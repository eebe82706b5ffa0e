"""Where things are: symbols, definitions and references, answered from the index by name.

Invariants: every request is answered within its deadline, empty where nothing is known by then;
switched off, and for documents of no folder that is indexed, all answers are empty. A name means
whatever is called so: this is for languages that no other server of the editor knows.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from inkling.index.wire import Answer, Defined, Mentioned, Outlined, Place, Question, Symbols
from inkling.lsp.session import Cursor, Session
from inkling.lsp.symbols import (
    fitting,
    include_places,
    to_flat,
    to_information,
    to_location,
    to_nested,
    without,
)
from inkling.text.uris import path_of
from inkling.text.words import Word, word_at

if TYPE_CHECKING:
    from inkling.service.repository import Repository

METHODS = (
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
    types.WORKSPACE_SYMBOL,
    types.TEXT_DOCUMENT_DEFINITION,
    types.TEXT_DOCUMENT_REFERENCES,
)

DEADLINE_S = 2.0
"""For what takes milliseconds as soon as the index is there."""
OUTLINE_DEADLINE_S = 10.0
"""Editors ask once, as they open a file: that may be while everything is starting, and takes a
parse."""
SEARCH_S = 1.5
"""After which references that have been found are the answer."""
MOST_SYMBOLS = 4_000
"""Of one document: writing them takes ~40 ms, in which nothing else is answered."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.2
_NOTHING = Answer(0)

Questioner = Callable[["Repository"], Question | None]


# -- requests ----------------------------------------------------------------------------------


async def document_symbols(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """The outline of a document, as its text is now."""
    question = _about(params.text_document.uri, Outlined)
    places = (await _ask(session, question, OUTLINE_DEADLINE_S)).places[:MOST_SYMBOLS]
    return to_nested(places) if session.client.nests_symbols else to_flat(places, _uris(session))


async def workspace_symbols(
    session: Session, params: types.WorkspaceSymbolParams
) -> list[types.SymbolInformation]:
    """What is called like the query, in all folders."""

    def question(repository: "Repository") -> Question | None:
        return Symbols(params.query) if repository.roots else None

    answer = await _ask(session, question, DEADLINE_S)
    uris = _uris(session)
    return [to_information(place, uris) for place in answer.places]


async def definition(session: Session, params: types.DefinitionParams) -> list[types.Location]:
    """What is defined under the name at the cursor, or the file that is included there."""
    uri = params.text_document.uri
    word = _word(session, uri, params.position)
    if word is None:
        return []
    if word.kind == "file":
        return await _included(session, word, uri)
    answer = await _ask(session, _about(uri, partial(Defined, word.text)), DEADLINE_S)
    uris = _uris(session)
    return [to_location(place, uris) for place in fitting(answer.places, word)]


async def references(session: Session, params: types.ReferenceParams) -> list[types.Location]:
    """Where the name at the cursor occurs."""
    uri = params.text_document.uri
    word = _word(session, uri, params.position)
    if word is None or word.kind == "file":
        return []
    search = partial(Mentioned, word.text, deadline_s=SEARCH_S)
    mentions: Sequence[Place] = (await _ask(session, _about(uri, search), DEADLINE_S)).places
    if not params.context.include_declaration:
        definitions = _about(uri, partial(Defined, word.text))
        mentions = without(mentions, (await _ask(session, definitions, DEADLINE_S)).places)
    uris = _uris(session)
    return [to_location(place, uris) for place in mentions]


# -- telling the client that it may ask --------------------------------------------------------


def registrations(session: Session) -> list[types.Registration]:
    """What the client is to be told of now; it counts as told."""
    if session.navigation_offered or not session.settings.navigation:
        return []
    new = session.client.registers_navigation - session.navigation_registered
    session.navigation_registered |= new
    return [
        types.Registration(id=_id(method), method=method, register_options={})
        for method in METHODS
        if method in new
    ]


def withdrawn(session: Session) -> list[types.Unregistration]:
    """What the client is to be told no longer to ask for; it counts as told."""
    if session.settings.navigation:
        return []
    old, session.navigation_registered = session.navigation_registered, frozenset()
    return [types.Unregistration(_id(method), method) for method in METHODS if method in old]


def _id(method: str) -> str:
    return f"inkling-{method.rpartition('/')[2]}"


# -- inside ------------------------------------------------------------------------------------


def _word(session: Session, uri: str, position: types.Position) -> Word | None:
    cursor = session.cursor(uri, position)
    if not isinstance(cursor, Cursor):
        return None
    document = cursor.document
    start, end = document.line_start(cursor.offset), document.line_end(cursor.offset)
    before = document.text(start, cursor.offset)
    return word_at(document.text(start, end), len(before), document.language_id)


def _about(uri: str, question: Callable[[str], Question]) -> Questioner:
    """A question about a document's path; none where the document is in no indexed folder."""

    def ask(repository: "Repository") -> Question | None:
        path = repository.settle(uri)
        return question(path) if path is not None else None

    return ask


async def _ask(session: Session, question: Questioner, deadline_s: float) -> Answer:
    """The index's answer. While the server or the index is starting, or the index still reads a
    document that an outline is wanted of, it is asked again, until the deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    answer = _NOTHING
    pause = _FIRST_PAUSE_S
    while session.settings.navigation:
        if session.app is not None:
            asked = question(session.app.repository)
            if asked is None:
                return _NOTHING
            answer = await session.app.repository.index.ask(asked, max(0.0, end - loop.time()))
            if answer.complete or (answer.places and not isinstance(asked, Outlined)):
                return answer
        if loop.time() + pause > end:
            return answer
        # Nobody tells when the index has come so far; these are milliseconds, and rare.
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
    return _NOTHING


async def _included(session: Session, word: Word, uri: str) -> list[types.Location]:
    """The beginning of an included file. Looked for on disk, in a thread."""
    if session.app is None or not session.settings.navigation:
        return []
    repository = session.app.repository
    path = repository.settle(uri)
    root = repository.root_of(path) if path is not None else None
    if path is None or root is None:
        return []
    candidates = include_places(word.text, path, root)
    try:
        async with asyncio.timeout(DEADLINE_S):
            found = await asyncio.to_thread(_first_file, candidates)
    except TimeoutError:
        return []
    return [to_location(Place(found, (0, 0), (0, 0)), _uris(session))] if found else []


def _first_file(candidates: Sequence[str]) -> str | None:
    for path in candidates:
        # What a document names may be no name at all, or too long a one.
        with contextlib.suppress(OSError, ValueError):
            if Path(path).is_file():
                return path
    return None


def _uris(session: Session) -> dict[str, str]:
    """What the client calls the documents that it has open, by their paths."""
    return {path: uri for uri in session.documents.uris() if (path := path_of(uri)) is not None}
