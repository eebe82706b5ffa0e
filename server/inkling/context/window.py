"""Which part of the open document goes into a prompt: by budget, at line boundaries. Pure.

Invariant: the window's start is sticky. Whatever stands at the start of a prompt must stay
the same from one prompt to the next for the engine's KV cache to be worth anything, so the
start moves only when the cursor has left it too far behind (or too close).
"""

from dataclasses import dataclass

from inkling.text.document import Document
from inkling.text.encode import character_start
from inkling.text.position import TERMINATOR

STRETCH = 1.5
"""A sticky prefix may grow to this many times its budget before it is cut anew."""
_SPARE = 1 / 3
"""Share of the budget given away to start at a better place than in the middle of a block."""


@dataclass(frozen=True, slots=True)
class Window:
    """Byte offsets into one document: [start, anchor) and [suffix_start, suffix_end)."""

    start: int
    anchor: int
    suffix_start: int
    suffix_end: int


def window(
    document: Document,
    anchor: int,
    suffix_start: int,
    *,
    prefix_bytes: int,
    suffix_bytes: int,
    sticky: Window | None = None,
) -> Window:
    """The text around byte `anchor` to show; what lies between it and `suffix_start` is left out.

    `sticky` is the former window, its offsets already moved by the edits before it. The text
    inside it may have changed: up to the change its start is still worth keeping.
    """
    start = (
        None if sticky is None else _kept_start(document.data, sticky.start, anchor, prefix_bytes)
    )
    if start is None:
        start = _start(document.data, anchor, prefix_bytes)
    return Window(start, anchor, suffix_start, _end(document.data, suffix_start, suffix_bytes))


def _kept_start(data: bytes, start: int, anchor: int, budget: int) -> int | None:
    """The former start, if a prefix from there is neither too long nor needlessly short."""
    if not 0 <= start <= anchor <= start + int(budget * STRETCH):
        return None
    if start and not _starts_line(data, start):
        return None
    if start and anchor - start < budget / 2:
        return None
    return start


def _start(data: bytes, anchor: int, budget: int) -> int:
    """Where to cut: at the first top-level block, else paragraph, else line in the budget."""
    earliest = anchor - budget
    if earliest <= 0:
        return 0
    starts = [
        found.end()
        for found in TERMINATOR.finditer(data, earliest - 1, anchor)
        if not data[found.end() : anchor].isspace() and found.end() < anchor
    ]
    if not starts:
        return character_start(data, earliest)
    good = [at for at in starts if at <= earliest + budget * _SPARE and _after_blank_line(data, at)]
    outer = [at for at in good if not data[at : at + 1].isspace()]
    return (outer or good or starts)[0]


def _end(data: bytes, start: int, budget: int) -> int:
    """Where to cut: after the last whole line in the budget, else inside the line."""
    latest = start + budget
    if latest >= len(data):
        return len(data)
    # One byte further, so that "\r\n" is seen whole.
    ends = [found.end() for found in TERMINATOR.finditer(data, start, latest + 1)]
    whole = [end for end in ends if end <= latest]
    return whole[-1] if whole else character_start(data, latest)


def _starts_line(data: bytes, offset: int) -> bool:
    before = data[offset - 1 : offset]
    return before == b"\n" or (before == b"\r" and data[offset : offset + 1] != b"\n")


def _after_blank_line(data: bytes, offset: int) -> bool:
    """Whether the line before the one that starts at `offset` is blank."""
    line = data[max(0, offset - 200) : offset]
    rest = line.rstrip(b" \t\r\n")
    return len(TERMINATOR.findall(line, len(rest))) > 1
