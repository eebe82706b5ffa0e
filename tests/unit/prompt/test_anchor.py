"""The anchored split: where it is put and when it still holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.api import FimTokens, ModelInfo
from inkling.prompt.anchor import Budget, holds, place, shifted
from inkling.prompt.fim import completion_head
from inkling.text.document import Document, Edit

BUDGET = Budget(prefix_bytes=400, suffix_bytes=100)


def document(text: str) -> Document:
    return Document("file:///a.py", "python", 1, text.encode())


def opened(marked: str) -> tuple[Document, int]:
    before, _, after = marked.partition("|")
    return document(before + after), len(before.encode())


def test_the_split_is_at_the_start_of_the_line():
    anchor = place(*opened("def f():\n    retu|\n\nx = 1\n"), BUDGET)
    assert anchor.prefix == b"def f():\n"
    assert anchor.suffix == b"\n\nx = 1\n"


def test_brackets_an_editor_closes_by_itself_stay_out_of_the_prompt():
    anchor = place(*opened("print(|)\nx = 1\n"), BUDGET)
    assert anchor.suffix == b"\nx = 1\n"


def test_text_right_of_the_cursor_is_in_the_suffix():
    anchor = place(*opened("x = | + rest\n"), BUDGET)
    assert anchor.suffix == b" + rest\n"


@pytest.mark.parametrize(
    ("before", "after", "still"),
    [
        ("a = |\nb\n", "a = 12|\nb\n", True),
        ("a = |\nb\n", "a = f(|)\nb\n", True),
        ("a = f(|)\nb\n", "a = f(1|)\nb\n", True),
        ("a = |\nb\n", "a = 1\n    c|\nb\n", True),
        ("a = |\nb\n", "a = 1|\nbb\n", False),
        ("x\na = |\nb\n", "y\na = |\nb\n", False),
        ("a = |\nb\n", "|a = \nb\n", False),
        ("    a = |\nb\n", "  |  a = \nb\n", False),
        ("a = |\nb\n", "a = \nb|\n", False),
        ("a = |", "a = 1|\nb = 2\n", False),
        ("a = |\n", "a = 1|\nb = 2\n", False),
        ("a = |\n", "a = 12|\n", True),
        ("a = |\nb\n", "a = 1\n" + "\n" * 13 + "c|\nb\n", False),
        ("a = |\nb\n", "a = " + "1" * 700 + "|\nb\n", False),
    ],
)
def test_holds_while_only_the_middle_changes(before, after, still):
    anchor = place(*opened(before), BUDGET)
    assert holds(anchor, *opened(after)) is still


def test_an_edit_above_the_window_moves_the_anchor_along():
    lines = "".join(f"line{number} = {number}\n" for number in range(100))
    old, offset = opened(lines + "a = |\nend\n")
    anchor = place(old, offset, BUDGET)
    assert anchor.window.start > 20
    inserted = b"import os\n"
    new = document((inserted + old.data).decode())
    moved = shifted(anchor, (Edit(0, 0, len(inserted), inserted),))
    assert not holds(anchor, new, offset + len(inserted))
    assert holds(moved, new, offset + len(inserted))


def test_the_windows_start_stays_while_the_cursor_moves_down():
    lines = "".join(f"line{number} = {number}\n" for number in range(60))
    old, offset = opened(lines + "a = |\n")
    first = place(old, offset, BUDGET)
    new, offset = opened(lines + "a = 1\nb = |\n")
    second = place(new, offset, BUDGET, first)
    assert second.window.start == first.window.start
    assert second.prefix.startswith(first.prefix)


@given(st.text("ab(){} \n\t=é", max_size=80), st.integers(0, 80), st.text("ab( \n", max_size=4))
def test_an_anchor_that_holds_describes_the_document(text, cut, typed):
    cut = min(cut, len(text))
    before, after = text[:cut], text[cut:]
    anchor = place(document(text), len(before.encode()), BUDGET)
    new = document(before + typed + after)
    offset = len((before + typed).encode())
    if holds(anchor, new, offset):
        middle = new.data[anchor.offset : offset]
        assert new.data.startswith(anchor.prefix + middle, anchor.window.start)
        rest = new.data[offset:]
        assert anchor.suffix in rest
        skipped = rest[: rest.index(anchor.suffix)] if anchor.suffix else b""
        assert b"\n" not in skipped


FIM = FimTokens(prefix=1, suffix=2, middle=3)


@pytest.mark.parametrize(
    ("name", "fim", "expected"),
    [
        ("Qwen2.5-Coder-0.5B", FIM, (1, "before", 2, "after", 3)),
        ("Seed-Coder-8B", FIM, (2, "after", 1, "before", 3)),
        ("Codestral-22B", FIM, (2, "after", 1, "before", 3)),
        ("SmolLM2-135M", None, ("before",)),
    ],
)
def test_the_parts_come_in_the_order_the_family_was_trained_on(name, fim, expected):
    model = ModelInfo(name=name, architecture="x", context_tokens=1, vocabulary_size=1, fim=fim)
    assert completion_head(model, "before", "after") == expected
