"""The gate on source code with holes: what it lets through never parses worse, and what
is true and complete gets through.
"""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.syntax.gate import judge

from .parses import SAMPLES, errors, parsed, parser

JUNK = [b"(", b")", b"{", b"}", b"]", b"'", b'"', b" x ", b"\n", b";", b"= =", b"`", b"\\", b":"]


def lines_of(data):
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


@st.composite
def holes(draw):
    """A sample with a hole, a text for it, and whether the text has arrived whole."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    data = SAMPLES[name]
    starts = lines_of(data)
    row = draw(st.integers(0, len(starts) - 3))
    line = data[starts[row] : starts[row + 1] - 1]
    indent = len(line) - len(line.lstrip())
    multiline = draw(st.booleans())
    if multiline:
        start = starts[row] + indent
        last = min(row + draw(st.integers(1, 9)), len(starts) - 2)
        end = starts[last] - 1
    else:
        start = starts[row] + draw(st.integers(indent, max(len(line), indent)))
        end = starts[row + 1] - 1
    text = bytearray(data[start:end])
    if multiline and draw(st.booleans()):
        text += data[end : end + draw(st.integers(0, 200))]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        text[at : at + cut] = draw(st.sampled_from(JUNK)) if draw(st.booleans()) else b""
    text = text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text
    if not multiline:
        text = text.partition(b"\n")[0]
    base = data[:start] + data[end:]
    broken = draw(st.sampled_from([b"", b"", b"", b"((\n", b"}\n", b"'''\n"]))
    place = draw(st.sampled_from(starts))
    base = base[:place] + broken + base[place:]
    start += len(broken) if place <= start else 0
    return name, base, start, text.decode("utf-8", "replace"), multiline, draw(st.booleans())


@settings(max_examples=600, deadline=None)
@given(holes(), st.sampled_from([b"", b"x", b"(", b"if a:\n", b"}"]))
def test_nothing_that_is_let_through_parses_worse(hole, typed_before):
    name, data, offset, inserted, multiline, finished = hole
    until = time.monotonic() + 60
    # The tree the judge starts from was grown by an edit, as it is while someone types.
    earlier = parsed(name, data[:offset] + typed_before + data[offset:])
    base = earlier.changed(data, until)
    judgement = judge(
        base,
        offset,
        inserted,
        multiline=multiline,
        finished=finished,
        deadline=until,
    )
    assert judgement.checked
    encoded = inserted.encode()
    kept = encoded[: judgement.keep]
    kept.decode()
    assert kept or not judgement.closers
    if kept:
        shown = kept + judgement.closers.encode()
        after = errors(name, data[:offset] + shown + data[offset:])
        assert after == judgement.errors_after
        assert after <= errors(name, data)
        if not finished:
            assert encoded[len(kept) : len(kept) + 1] in (b"\n", b"\r")


def statements(name, data):
    """Spans of complete lines that hold one to three whole statements of a block."""
    kinds = {"block", "statement_block", "compound_statement", "class_body", "statement_list"}
    pending = [parser(name).parse(data).root_node]
    while pending:
        node = pending.pop()
        pending.extend(node.named_children)
        inner = [child for child in node.named_children if not child.is_extra]
        if node.type not in kinds:
            continue
        for first in range(len(inner)):
            for last in inner[first : first + 3]:
                start, end = inner[first].start_byte, last.end_byte
                line = data.rfind(b"\n", 0, start) + 1
                whole_lines = not data[line:start].strip() and data[end : end + 1] in b";,\n"
                if whole_lines and b"\n" not in data[end : end + 1].strip(b"\n"):
                    yield start, data.find(b"\n", end)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_true_statements_get_through_whole(name):
    data = SAMPLES[name]
    asked = whole = some = 0
    for start, end in sorted(set(statements(name, data))):
        text = data[start:end]
        following = data[end : end + 120].decode("utf-8", "ignore")
        base = parsed(name, data[:start] + data[end:])
        judgement = judge(
            base,
            start,
            text.decode() + following,
            multiline=True,
            finished=False,
            deadline=time.monotonic() + 60,
        )
        asked += 1
        some += judgement.keep > 0
        whole += judgement.keep >= len(text)
    print(
        f"{name}: {asked} blocks, {100 * whole // asked} % whole, {100 * some // asked} % in part"
    )
    assert asked > 3
    assert some == asked


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_true_rests_of_lines_get_through(name):
    data = SAMPLES[name]
    starts = lines_of(data)
    asked = whole = 0
    for start, following in pairwise(starts):
        line = data[start : following - 1]
        indent = len(line) - len(line.lstrip())
        for column in range(indent + 1, len(line), 7):
            offset, text = start + column, line[column:]
            judgement = judge(
                parsed(name, data[:offset] + data[offset + len(text) :]),
                offset,
                text.decode("utf-8", "replace"),
                multiline=False,
                finished=True,
                deadline=time.monotonic() + 60,
            )
            asked += 1
            whole += judgement.keep == len(text) and not judgement.closers
    print(f"{name}: {asked} lines, {100 * whole / asked:.1f} % whole")
    assert whole >= 0.98 * asked
