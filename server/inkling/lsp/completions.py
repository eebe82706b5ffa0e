"""Inline completion, and the ordinary completion list for clients that have nothing better.

Invariants: the first statement of a handler takes the snapshot; an answer belongs to the
version it was asked for, or is empty; the list never waits for the model, because editors wait
for every server before they show any server's entries.
"""

from lsprotocol import types

from inkling.lsp.convert import to_inline, to_listed
from inkling.lsp.session import Cursor, Session
from inkling.lsp.status import status
from inkling.service.records import CompletionRequest, Selected, Why

CHANGED = "The document changed before the suggestion was ready."


async def inline(
    session: Session, params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Ghost text for the cursor; empty when there is none, or it came too late."""
    uri = params.text_document.uri
    cursor = session.cursor(uri, params.position)
    session.inline_used = True
    if isinstance(cursor, str):
        session.refuse(uri, cursor)
        return types.InlineCompletionList(items=[])
    if session.app is None:
        session.refuse(uri, session.not_started())
        return types.InlineCompletionList(items=[])
    session.note = None
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    request = CompletionRequest(
        document=cursor.document,
        offset=cursor.offset,
        invoked=invoked,
        selected=_selected(session, uri, params.context.selected_completion_info),
        max_items=session.settings.candidates if invoked else 1,
        patience_ms=session.client.gives_up_after_ms,
    )
    suggestions = await session.app.completer.complete(request)
    if suggestions and not session.is_current(cursor.document):
        session.refuse(uri, CHANGED)
        suggestions = ()
    return types.InlineCompletionList(
        items=[to_inline(session.documents, uri, each) for each in suggestions]
    )


async def listed(session: Session, params: types.CompletionParams) -> types.CompletionList:
    """What is known at the cursor right now; the model works on the rest in the background."""
    uri = params.text_document.uri
    cursor = session.cursor(uri, params.position)
    nothing = types.CompletionList(is_incomplete=False, items=[])
    if not falls_back(session):
        return nothing  # and no word on it: `why` is about what the client does use
    if isinstance(cursor, str):
        session.refuse(uri, cursor)
        return nothing
    if session.app is None:
        session.refuse(uri, session.not_started())
        return nothing
    session.note = None
    completer = session.app.completer
    suggestions = await completer.ready(cursor.document, cursor.offset)
    if session.app is None or not session.is_current(cursor.document):
        session.refuse(uri, CHANGED)
        return nothing
    if not suggestions:
        completer.prepare(cursor.document, cursor.offset)
        if not _known_to_be_nothing(session.why(), cursor):
            now = status(session)
            late = "Nothing was ready; the model works on it for the next key."
            session.refuse(uri, late if now["state"] == "ready" else now["detail"])
    return types.CompletionList(
        is_incomplete=True,
        items=[to_listed(session.documents, cursor, each) for each in suggestions],
    )


def _known_to_be_nothing(why: Why, cursor: Cursor) -> bool:
    """Whether the completer has said why there is nothing at this very place."""
    place = (cursor.document.uri, cursor.document.version, cursor.offset)
    return why.outcome == "nothing" and (why.uri, why.version, why.offset) == place


def falls_back(session: Session) -> bool:
    """Whether this client gets suggestions in the ordinary list."""
    setting = session.settings.completion_fallback
    if setting != "auto":
        return setting == "always"
    return not session.client.inline_completion and not session.inline_used


def _selected(
    session: Session, uri: str, info: types.SelectedCompletionInfo | None
) -> Selected | None:
    if info is None:
        return None
    start = session.cursor(uri, info.range.start)
    end = session.cursor(uri, info.range.end)
    if not isinstance(start, Cursor) or not isinstance(end, Cursor) or end.offset < start.offset:
        return None
    return Selected(start.offset, end.offset, info.text)
