"""Where the fill-in-the-middle split is put, and for how long it stays there.

The split is anchored at the start of a line, not at the cursor: what the user types
after it goes behind the FIM-middle token, so a key costs the engine one to three prompt
tokens instead of the whole suffix (DESIGN §5: 269 → 4 tokens a key, exact matches 24 → 40 %
with healing). Pure; any thread.

Invariant: an anchor is used only while the document still reads exactly as it did when the
anchor was placed, before it and after the cursor's line. `holds` proves that on each key by
comparing bytes, so no edit, however it arrived, can leave the prompt stale.
"""

from dataclasses import dataclass, replace

from inkling.context.blocks import Backdrop, Block
from inkling.context.window import Window, window
from inkling.syntax.scope import line_context
from inkling.text.difference import common_head
from inkling.text.document import Document, Edit

MIDDLE_BYTES = 600
"""About 200 tokens: past this the middle is long enough that re-anchoring costs less than
the quality lost by a stale window. Re-anchoring happens in idle time where it can."""
MIDDLE_LINES = 12
"""The same in line ends."""
PROBE = 64
"""Bytes that tell one place of a file from another."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Sizes of the window around the anchor, in bytes."""

    prefix_bytes: int
    suffix_bytes: int

    def scaled(self, by: float) -> "Budget":
        """`by` times as much."""
        return Budget(int(self.prefix_bytes * by), int(self.suffix_bytes * by))

    @property
    def size(self) -> int:
        """Of all together."""
        return self.prefix_bytes + self.suffix_bytes

    def beside(self, backdrop: Backdrop | None) -> "Budget":
        """What is left for the window beside a backdrop, half of it at least."""
        if backdrop is None or not backdrop.blocks:
            return self
        return self.scaled(max(0.5, 1 - backdrop.size / max(1, self.size)))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A frozen split of one document. Offsets are bytes into the document it was placed in."""

    uri: str
    window: Window
    prefix: bytes
    suffix: bytes
    indented: bool
    """The suffix starts at the end of the cursor's line; the rest of that line was nothing
    but closing brackets an editor inserts by itself, which the prompt leaves out."""

    to_the_end: bool
    """Nothing follows the suffix: it reaches the end of the document."""

    backdrop: Backdrop | None = None
    """What is shown of the repository; None where nobody has been asked for that yet."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What of other files the prompt shows."""
        return self.backdrop.blocks if self.backdrop is not None else ()

    @property
    def offset(self) -> int:
        """Where the middle starts."""
        return self.window.anchor


def place(
    document: Document,
    offset: int,
    budget: Budget,
    former: Anchor | None = None,
    backdrop: Backdrop | None = None,
) -> Anchor:
    """A new anchor for a cursor at byte `offset`; `budget` is for window and backdrop together.

    The window's start sticks to `former`'s where it can, so that the KV of the prefix stays.
    """
    budget = budget.beside(backdrop)
    context = line_context(document, offset)
    # Before the indentation, not behind it: models see the last blank of an indentation as part
    # of the word that follows it. With the split behind it, a third of HumanEval's lines came
    # out indented twice; exact matches on 24 of them went from 9 to 14.
    split = document.line_start(offset)
    suffix_start = document.line_end(offset) if context.tail_is_closers else offset
    sticky = former.window if former is not None and former.uri == document.uri else None
    chosen = window(
        document,
        split,
        suffix_start,
        prefix_bytes=budget.prefix_bytes,
        suffix_bytes=budget.suffix_bytes,
        sticky=sticky,
    )
    return Anchor(
        uri=document.uri,
        window=chosen,
        prefix=document.data[chosen.start : chosen.anchor],
        suffix=document.data[chosen.suffix_start : chosen.suffix_end],
        indented=context.tail_is_closers,
        to_the_end=chosen.suffix_end == len(document.data),
        backdrop=backdrop,
    )


def holds(anchor: Anchor, document: Document, offset: int) -> bool:
    """Whether `anchor` still describes `document` with the cursor at byte `offset`."""
    if anchor.uri != document.uri or not anchor.offset <= offset <= anchor.offset + MIDDLE_BYTES:
        return False
    if not _prefix_holds(document, anchor):
        return False
    middle = document.data[anchor.offset : offset]
    if max(middle.count(b"\n"), middle.count(b"\r")) > MIDDLE_LINES:
        return False
    context = line_context(document, offset)
    if context.tail_is_closers != anchor.indented:
        return False
    after = document.line_end(offset) if anchor.indented else offset
    end = after + len(anchor.suffix)
    if anchor.to_the_end and end != len(document.data):
        return False
    return document.data[after:end] == anchor.suffix


def shifted(anchor: Anchor, edits: tuple[Edit, ...]) -> Anchor:
    """`anchor` after `edits`: moved by those wholly before its window, else left for
    `holds` to refuse."""
    delta = 0
    for edit in edits:
        # What is inserted at the anchor itself is typed text, even where the window before it
        # is empty (at the start of a file).
        before = edit.start < anchor.offset + delta
        if before and edit.old_end <= anchor.window.start + delta:
            delta += edit.new_end - edit.old_end
    if not delta:
        return anchor
    old = anchor.window
    moved = Window(
        start=old.start + delta,
        anchor=old.anchor + delta,
        suffix_start=old.suffix_start + delta,
        suffix_end=old.suffix_end + delta,
    )
    return replace(anchor, window=moved)


def unknown_bytes(anchor: Anchor, former: Anchor) -> int:
    """How much of the text around `anchor` was not around `former`: about what an engine that
    has `former`'s prompt in its cache must evaluate. Behind other blocks nothing is known."""
    if anchor.blocks != former.blocks:
        size = anchor.backdrop.size if anchor.backdrop is not None else 0
        return size + len(anchor.prefix) + len(anchor.suffix)
    prefix = len(anchor.prefix) - common_head(anchor.prefix, former.prefix)
    return prefix + len(anchor.suffix) - _overlap(anchor.suffix, former.suffix)


def same_prompt(anchor: Anchor, other: Anchor) -> bool:
    """Whether both ask the model the same, at the same place."""
    return anchor.blocks == other.blocks and anchor == replace(other, backdrop=anchor.backdrop)


def _overlap(one: bytes, other: bytes) -> int:
    """Bytes of `one` that `other` has as well, where one of them begins inside the other."""
    for whole, part in ((one, other), (other, one)):
        start = whole.find(part[:PROBE])
        if start >= 0:
            return common_head(whole[start:], part)
    return 0


def _prefix_holds(document: Document, anchor: Anchor) -> bool:
    start, end = anchor.window.start, anchor.window.anchor
    return document.data[start:end] == anchor.prefix
