"""Suggestions and edits between bytes and LSP's shapes. Pure but for reading line tables.

Invariant: the documents asked about are at the version the suggestion was made for, so that
every byte offset in it is one of theirs.
"""

import re

from lsprotocol import types

from inkling.lsp.session import Cursor
from inkling.service.records import Suggestion
from inkling.text.store import Change, DocumentStore

ACCEPTED = "inkling.accepted"
"""Command that a client runs when it inserts a suggestion; its argument is the id."""

MAX_LABEL = 72

_WORD_BEFORE = re.compile(r"\w*\Z")
_NEWLINE = re.compile(r"\r\n|\r|\n")


def to_change(event: types.TextDocumentContentChangeEvent) -> Change:
    """One content change."""
    if isinstance(event, types.TextDocumentContentChangePartial):
        start, end = event.range.start, event.range.end
        return Change(event.text, (start.line, start.character, end.line, end.character))
    return Change(event.text)


def to_inline(
    documents: DocumentStore, uri: str, suggestion: Suggestion
) -> types.InlineCompletionItem:
    """Ghost text."""
    return types.InlineCompletionItem(
        insert_text=suggestion.text,
        range=_range(documents, uri, suggestion.start, suggestion.end),
        command=_accepted(suggestion),
    )


def to_listed(
    documents: DocumentStore, cursor: Cursor, suggestion: Suggestion
) -> types.CompletionItem:
    """An entry of the ordinary completion list.

    It replaces the word before the cursor, whose letters the client filters its list by, and
    sorts behind the entries of other servers: those are certain, this one is a guess.
    """
    document = cursor.document
    line = document.text(document.line_start(cursor.offset), cursor.offset)
    found = _WORD_BEFORE.search(line)
    word = found.group() if found and suggestion.start == cursor.offset else ""
    start = suggestion.start - len(word.encode("utf-8", "surrogatepass"))
    text = word + suggestion.text
    first, *others = _NEWLINE.split(text)
    label = first.strip() or (others[0].strip() if others else "")
    if len(label) > MAX_LABEL or others:
        label = label[:MAX_LABEL].rstrip() + " …"
    edit = types.TextEdit(
        range=_range(documents, document.uri, start, suggestion.end), new_text=text
    )
    return types.CompletionItem(
        label=label,
        kind=types.CompletionItemKind.Text,
        detail="Inkling",
        documentation=_shown(document.language_id, text) if others else None,
        sort_text="~inkling",
        filter_text=first.lstrip() if not word else first,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=edit,
        command=_accepted(suggestion),
    )


def _shown(language_id: str, text: str) -> types.MarkupContent:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return types.MarkupContent(
        kind=types.MarkupKind.Markdown, value=f"{fence}{language_id}\n{text}\n{fence}"
    )


def _accepted(suggestion: Suggestion) -> types.Command:
    return types.Command(
        title="Inkling: suggestion accepted", command=ACCEPTED, arguments=[suggestion.id]
    )


def _range(documents: DocumentStore, uri: str, start: int, end: int) -> types.Range:
    first = types.Position(*documents.position_at(uri, start))
    last = first if end == start else types.Position(*documents.position_at(uri, end))
    return types.Range(first, last)
