"""The store against the slow reference, on random documents with everything nasty in them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.text import position
from inkling.text.store import Change, DocumentStore

from .reference import Reference, index_at, lines, position_at, units

NASTY = st.sampled_from(
    [
        "\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "\u2029", "\ufeff", "\0", "\t", " ",
        "a", "bc", "é", "漢", "한", "😀", "👩‍💻", "\ud83d", "\ude00", "\udfff", "\udbff", "e\u0301",
    ]
)  # fmt: skip
texts = st.lists(NASTY, max_size=24).map("".join)
places = st.tuples(st.integers(-1, 12), st.integers(-1, 20))
changes = st.tuples(texts, st.none() | st.tuples(places, places).map(lambda p: p[0] + p[1]))
encodings = st.sampled_from(["utf-8", "utf-16", "utf-32"])
URI = "file:///a.py"


@settings(max_examples=400, deadline=None)
@given(texts, st.lists(changes, max_size=12), encodings)
def test_any_edits_give_what_the_reference_gives(text, edits, encoding):
    store = DocumentStore(encoding)
    store.open(URI, "python", 1, text)
    reference = Reference(text, encoding)
    for version, (inserted, span) in enumerate(edits, start=2):
        before = store.snapshot(URI).data
        (done,) = store.change(URI, version, [Change(inserted, span)])
        reference.change(inserted, span)
        after = store.snapshot(URI).data
        assert after == reference.data
        assert before[: done.start] + done.text + before[done.old_end :] == after
        assert done.new_end == done.start + len(done.text)
        assert_same_places(store, reference)


def assert_same_places(store, reference):
    text, encoding = reference.text, reference.encoding
    data = store.snapshot(URI).data
    rows = lines(text)
    for row in range(-1, len(rows) + 1):
        length = units(rows[row][1], encoding) if 0 <= row < len(rows) else 0
        for character in range(-1, length + 2):
            index = index_at(text, row, character, encoding)
            expected = len(text[:index].encode("utf-8", "surrogatepass"))
            assert store.offset_at(URI, row, character) == expected
            assert position.offset_of(data, row, character, encoding) == expected
    for start, content in rows:
        for index in range(start, start + len(content) + 1):
            offset = len(text[:index].encode("utf-8", "surrogatepass"))
            expected = position_at(text, index, encoding)
            assert store.position_at(URI, offset) == expected
            assert position.position_of(data, offset, encoding) == expected
            first = len(text[:start].encode("utf-8", "surrogatepass"))
            assert position.line_start(data, offset) == first
            last = first + len(content.encode("utf-8", "surrogatepass"))
            assert position.line_end(data, offset) == last


@given(texts)
def test_snapshot_text_can_always_be_encoded_and_keeps_its_utf16_length(text):
    document = DocumentStore().open(URI, "python", 1, text)
    assert units(document.text(), "utf-16") == units(text, "utf-16")
    document.text().encode()
    for cut in range(len(document.data)):
        document.text(cut).encode()
