"""Suggestions as editors take them: applied to the text, they give what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.lsp.convert import ACCEPTED, to_inline, to_listed
from inkling.lsp.session import Cursor
from inkling.service.records import Suggestion
from inkling.text.store import Change, DocumentStore

URI = "file:///a.py"


def opened(text: str, encoding: str) -> DocumentStore:
    store = DocumentStore(encoding)  # type: ignore[arg-type]
    store.open(URI, "python", 1, text)
    return store


def applied(store: DocumentStore, edit_range, text: str) -> bytes:
    start, end = edit_range.start, edit_range.end
    where = (start.line, start.character, end.line, end.character)
    store.change(URI, 2, [Change(text, where)])
    return store.snapshot(URI).data


@given(
    st.text(alphabet="ab_ .\n\r\fé€😀", max_size=30),
    st.integers(0, 30),
    st.text(alphabet="ab(\n😀", min_size=1, max_size=10),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
)
def test_both_forms_insert_the_same_text(text, count, insertion, encoding):
    store = opened(text, encoding)
    document = store.snapshot(URI)
    offset = len(text[:count].encode())
    if document.data[offset - 1 : offset + 1] == b"\r\n":
        return
    suggestion = Suggestion("s1", insertion, offset, offset)
    meant = document.data[:offset] + insertion.encode() + document.data[offset:]
    inline = to_inline(store, URI, suggestion)
    listed = to_listed(store, Cursor(document, offset), suggestion)
    assert applied(opened(text, encoding), inline.range, inline.insert_text) == meant
    edit = listed.text_edit
    assert edit.range.start.line == edit.range.end.line
    assert applied(opened(text, encoding), edit.range, edit.new_text) == meant
    # The client keeps an entry only while what is typed of it agrees with its filter text.
    typed = document.text(document.line_start(offset), offset)
    word = typed[len(typed.rstrip("ab_é")) :]
    assert listed.filter_text.startswith(word.lstrip())
    assert inline.command.command == listed.command.command == ACCEPTED
    assert inline.command.arguments == ["s1"]


@pytest.mark.parametrize(
    ("line", "insertion", "label"),
    [
        ("x = ran", "ge(3)", "range(3)"),
        ("x = ", "range(3)", "range(3)"),
        ("if x:", "\n    return 1", "return 1 …"),
        ("def f", "oo(self):\n    pass", "foo(self): …"),
        ("", "a" * 200, "a" * 72 + " …"),
    ],
)
def test_labels(line, insertion, label):
    store = opened(line, "utf-8")
    offset = len(line)
    cursor = Cursor(store.snapshot(URI), offset)
    item = to_listed(store, cursor, Suggestion("s", insertion, offset, offset))
    assert item.label == label
    assert (item.documentation is not None) == ("\n" in insertion)


def test_backticks_in_a_preview_stay_text():
    store = opened("", "utf-8")
    text = 'x = """\n```\n````\n"""'
    item = to_listed(store, Cursor(store.snapshot(URI), 0), Suggestion("s", text, 0, 0))
    assert item.documentation.value.startswith("`````python\n")


def test_a_suggestion_that_replaces_an_entry_covers_it_exactly():
    store = opened("os.ge", "utf-16")
    cursor = Cursor(store.snapshot(URI), 5)
    item = to_listed(store, cursor, Suggestion("s", "getcwd()", 3, 5))
    assert (item.text_edit.range.start.character, item.text_edit.new_text) == (3, "getcwd()")
