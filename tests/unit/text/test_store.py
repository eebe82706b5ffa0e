"""What the store promises beyond positions: versions, saves, snapshots, newlines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.text.difference import changed_span
from inkling.text.document import Document, Edit
from inkling.text.store import Change, DocumentStore, UnknownDocument

URI = "file:///a.py"


def opened(text, encoding="utf-16"):
    store = DocumentStore(encoding)
    store.open(URI, "python", 1, text)
    return store


def test_a_snapshot_is_the_same_object_until_the_next_change():
    store = opened("a\n")
    first = store.snapshot(URI)
    assert store.snapshot(URI) is first
    store.change(URI, 2, [Change("b", (0, 1, 0, 1))])
    assert store.snapshot(URI) == Document(URI, "python", 2, b"ab\n")
    assert first.data == b"a\n"


def test_edits_come_in_application_order():
    store = opened("one\r\ntwo\r\n")
    edits = store.change(URI, 2, [Change("X\n", (1, 0, 1, 3)), Change("", (0, 0, 1, 0))])
    assert edits == (Edit(5, 8, 7, b"X\n"), Edit(0, 5, 0, b""))
    assert store.snapshot(URI).data == b"X\n\r\n"


@pytest.mark.parametrize("version", [0, 1, None, -5])
def test_text_is_never_lost_for_a_version(version):
    store = opened("a")
    store.change(URI, version, [Change("b", (0, 1, 0, 1))])
    assert store.snapshot(URI).data == b"ab"
    assert store.snapshot(URI).version == (2 if version is None else version)


def test_a_whole_text_becomes_the_smallest_edit():
    store = opened("def f():\n    return 1\n")
    assert store.change(URI, 2, [Change("def f():\n    return 12\n")]) == (Edit(21, 21, 22, b"2"),)


def test_a_saved_text_that_differs_is_the_truth():
    store = opened("a\nb\n")
    assert store.save(URI) == ()
    before = store.snapshot(URI)
    assert store.save(URI, "a\nb\n") == ()
    assert store.snapshot(URI) is before
    assert store.save(URI, "a\nc\n") == (Edit(2, 3, 3, b"c"),)
    assert store.snapshot(URI).data == b"a\nc\n"


def test_unknown_documents():
    store = DocumentStore()
    for call in (
        lambda: store.change(URI, 1, []),
        lambda: store.save(URI),
        lambda: store.snapshot(URI),
        lambda: store.offset_at(URI, 0, 0),
        lambda: store.position_at(URI, 0),
    ):
        with pytest.raises(UnknownDocument, match="not open"):
            call()
    store.close(URI)
    store.open(URI, "python", 1, "")
    store.open("file:///b", "go", 1, "")
    assert store.uris() == (URI, "file:///b")
    store.close(URI)
    assert store.uris() == ("file:///b",)


def test_opened_twice_the_second_text_counts():
    store = opened("a")
    store.open(URI, "go", 7, "b")
    assert store.snapshot(URI) == Document(URI, "go", 7, b"b")


@pytest.mark.parametrize(("character", "two_units"), [("x", 2), ("é", 4), ("😀", 4)])
def test_one_line_of_five_megabytes(character, two_units):
    text = character * (5_000_000 // len(character.encode()))
    store = opened(text)
    end = len(text.encode("utf-16-le")) // 2
    (edit,) = store.change(URI, 2, [Change("y\n", (0, end - 2, 0, end - 2))])
    assert edit.start == 5_000_000 - two_units
    assert store.position_at(URI, 5_000_002) == (1, 2)
    assert store.offset_at(URI, 9, 9) == 5_000_002


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\nb\r\n", "\n"),
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\rb\rc\n", "\r"),
        ("\f\u2028\v", "\n"),
    ],
)
def test_the_dominant_newline(text, newline):
    assert opened(text).snapshot(URI).newline == newline


@given(st.text(alphabet="aéè漢한😀😁\n", max_size=30), st.data())
def test_a_changed_span_is_small_whole_and_enough(old, data):
    at = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(at, len(old)))
    new = old[:at] + data.draw(st.text(alphabet="aéè漢😀", max_size=9)) + old[end:]
    before, after = old.encode(), new.encode()
    start, old_end, new_end = changed_span(before, after)
    assert before[:start] + after[start:new_end] + before[old_end:] == after
    for text, cuts in ((before, (start, old_end)), (after, (start, new_end))):
        for cut in cuts:
            text[:cut].decode()
    assert old_end - start <= len(old[at:end].encode())


@given(st.binary(max_size=600), st.binary(max_size=600))
def test_a_changed_span_of_anything(old, new):
    start, old_end, new_end = changed_span(old, new)
    assert start <= old_end <= len(old)
    assert start <= new_end <= len(new)
    assert old[:start] + new[start:new_end] + old[old_end:] == new
