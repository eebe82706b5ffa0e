"""The prompt window: within budget, at line boundaries, and still while the cursor moves down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.context.window import STRETCH, Window, window
from inkling.text.document import Document

SOURCE = b"".join(
    b"def f%03d(a, b):\n    c = a + b\n\n    return c * %03d\n\n\n" % (number, number)
    for number in range(200)
)
UNIT = len(SOURCE) // 200


def document(data: bytes) -> Document:
    return Document("file:///a.py", "python", 1, data)


def cut(
    data: bytes,
    anchor: int,
    prefix: int,
    suffix: int,
    sticky: Window | None = None,
    suffix_start: int | None = None,
) -> Window:
    return window(
        document(data),
        anchor,
        anchor if suffix_start is None else suffix_start,
        prefix_bytes=prefix,
        suffix_bytes=suffix,
        sticky=sticky,
    )


def starts_line(data: bytes, offset: int) -> bool:
    """By definition, not as the code under test does it."""
    whole = b"".join(data.splitlines(keepends=True)) if data else b""
    assert whole == data
    at, starts = 0, {0}
    for line in data.splitlines(keepends=True):
        at += len(line)
        starts.add(at)
    return offset in starts


def test_a_small_document_is_shown_whole() -> None:
    data = b"a = 1\nb = 2\n"
    assert cut(data, 6, 1000, 1000) == Window(0, 6, 6, len(data))


def test_starts_at_a_top_level_block() -> None:
    anchor = 100 * UNIT + 20
    chosen = cut(SOURCE, anchor, 10 * UNIT, 3 * UNIT)
    assert SOURCE[chosen.start :].startswith(b"def f0")
    assert 6 * UNIT <= anchor - chosen.start <= 10 * UNIT


def test_prefers_a_paragraph_where_there_is_no_top_level_block() -> None:
    body = b"class A:\n" + b"    x = 1\n" * 50 + b"\n    y = 2\n" + b"    z = 3\n" * 25
    chosen = cut(body, len(body), 300, 10)
    assert body[chosen.start :].startswith(b"    y = 2\n")


def test_what_is_between_anchor_and_suffix_start_is_left_out() -> None:
    data = b"f(x)\nnext\n"
    assert cut(data, 2, 100, 100, suffix_start=4) == Window(0, 2, 4, len(data))


def test_one_long_line_is_cut_between_characters() -> None:
    data = "é".encode() * 10_000
    chosen = cut(data, 10_000, 501, 501)
    assert chosen.start in (9_498, 9_499, 9_500)
    data[chosen.start : chosen.anchor].decode()
    data[chosen.suffix_start : chosen.suffix_end].decode()


def test_blanks_alone_are_no_prefix() -> None:
    data = b"x = [" + b"1, " * 1000 + b"]\n        "
    chosen = cut(data, len(data), 60, 60)
    assert b"1, " in data[chosen.start : chosen.anchor]


def test_the_start_stays_while_the_cursor_moves_down() -> None:
    budget = 20 * UNIT
    chosen = cut(SOURCE, 50 * UNIT, budget, UNIT)
    starts = [chosen.start]
    for line in range(50, 110):
        chosen = cut(SOURCE, line * UNIT, budget, UNIT, chosen)
        starts.append(chosen.start)
        assert chosen.anchor - chosen.start <= budget * STRETCH
    assert len(set(starts)) <= 7


@pytest.mark.parametrize(
    ("former", "kept"),
    [
        (80 * UNIT, True),
        (60 * UNIT, False),  # would be too long
        (98 * UNIT, False),  # would be needlessly short
        (80 * UNIT + 3, False),  # no longer the start of a line
        (120 * UNIT, False),  # the cursor has left it upwards
    ],
)
def test_when_a_start_is_kept(former: int, kept: bool) -> None:
    sticky = Window(former, former + 1, former + 1, former + 2)
    chosen = cut(SOURCE, 100 * UNIT, 20 * UNIT, UNIT, sticky)
    assert (chosen.start == former) == kept


def test_the_start_of_the_document_is_kept_however_short_the_prefix() -> None:
    assert cut(SOURCE, UNIT, 20 * UNIT, UNIT, Window(0, 5, 5, 9)).start == 0


LINES = st.lists(
    st.sampled_from([b"", b"  ", b"a = 1", b"    return", b"\xc3\xa9" * 30, b"x" * 90]),
    max_size=30,
)


@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_always_within_budget_and_at_boundaries(
    lines: list[bytes], newline: bytes, draw: st.DataObject
) -> None:
    data = newline.join(lines)
    offsets = [at for at in range(len(data) + 1) if not 0x80 <= (data + b" ")[at] < 0xC0]
    anchor = draw.draw(st.sampled_from(offsets))
    suffix_start = draw.draw(st.sampled_from([at for at in offsets if at >= anchor]))
    prefix, suffix = draw.draw(st.integers(1, 300)), draw.draw(st.integers(1, 300))
    chosen = cut(data, anchor, prefix, suffix, suffix_start=suffix_start)
    assert 0 <= chosen.start <= anchor == chosen.anchor
    assert suffix_start == chosen.suffix_start <= chosen.suffix_end <= len(data)
    assert anchor - chosen.start <= prefix + 3
    assert chosen.suffix_end - suffix_start <= suffix
    data[chosen.start : anchor].decode()
    data[suffix_start : chosen.suffix_end].decode()
    if chosen.start and not starts_line(data, chosen.start):
        # Only where the lines there are too long, or blank.
        longest = max(map(len, lines))
        assert longest >= prefix - 1 or not data[anchor - prefix : anchor].strip()
