"""Which pieces of other files a prompt shows besides the document. Pure.

Invariants: blocks fit the budget together; none repeats what the window or another block shows;
none comes from a file that may hold secrets, and secrets are taken out of the text, whatever the
source has left in. Blocks stand at the start of a prompt, so those that are kept come first and
in the order they had: their KV is worth nothing behind one that has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkling.text.secrets import is_secret_path, redact

if TYPE_CHECKING:  # the server needs none of what retrieving takes
    from inkling.index.snippet import Snippet

REPEATS = 0.5
"""A block of whose lines more than this share stand in the window, or in another block, says
nothing new (the rule of llama.vim, but as a share of the block: a window of sixty lines has little
in common with any ten, even if it holds all of them)."""
TELLING = 4
"""Characters from which on a line counts there; shorter ones (`}`, `end`) are everywhere."""
LEAST_BYTES = 80
"""A beginning cut to less than this is not worth its header."""
HEADER_BYTES = 4
"""For the separator before a block's path and the line ends behind path and text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece as a prompt shows it."""

    path: str
    text: str
    """Ends with a line end; lines end with "\\n" alone."""
    reason: str

    @property
    def size(self) -> int:
        """Bytes it takes in a prompt, its header included."""
        return _header(self.path) + len(self.text.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What a prompt shows of the repository besides the document, and what it calls both."""

    repository: str = ""
    path: str = ""
    """Of the document, relative to the workspace."""
    comment: str = "#"
    """What starts a comment in the document's language, for models without file separators."""
    blocks: tuple[Block, ...] = ()

    @property
    def size(self) -> int:
        """Bytes it takes in a prompt; nothing without blocks, as it is not shown then."""
        if not self.blocks:
            return 0
        names = len(self.repository.encode("utf-8", "replace")) + _header(self.path)
        return names + sum(block.size for block in self.blocks)


def choose(
    snippets: "Sequence[Snippet]",
    window_text: bytes,
    budget_bytes: int,
    former: Sequence[Block] = (),
) -> tuple[Block, ...]:
    """The blocks for a prompt whose window shows `window_text`.

    `former` blocks stay, first and in their order, as far as the snippets still have them. The
    others follow by rising score: what stands nearest to the document is heeded most.
    """
    offered = [each for each in map(_block, snippets) if each is not None]
    offered.sort(key=lambda each: -each[0])
    window = _lines(window_text.decode("utf-8", "replace"))
    left = budget_bytes
    kept: list[Block] = []
    for block in former:
        wanted = any(_shows(other, block) for _, other in offered)
        # Not compared with one another: they stood together before.
        if wanted and block.size <= left and not _repeats(block, window, ()):
            kept.append(block)
            left -= block.size
    added: list[Block] = []
    for _, offer in offered:
        fitting = _cut(offer, left)
        if fitting is not None and not _repeats(fitting, window, [*kept, *added]):
            added.append(fitting)
            left -= fitting.size
    return (*kept, *reversed(added))


def differs(blocks: Sequence[Block], former: Sequence[Block]) -> bool:
    """Whether `blocks` are so much better than `former` that a prompt that holds those is worth
    evaluating anew: most of their text is new."""
    known = {(block.path, block.text) for block in former}
    new = sum(block.size for block in blocks if (block.path, block.text) not in known)
    return 2 * new > sum(block.size for block in blocks)


def _block(snippet: "Snippet") -> tuple[float, Block] | None:
    """A snippet as it may be shown, with its score."""
    if is_secret_path(snippet.path):
        return None
    text = redact(snippet.text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.strip("\n")
    if not text.strip():
        return None
    return snippet.score, Block(_one_line(snippet.path), text + "\n", _one_line(snippet.reason))


def _one_line(text: str) -> str:
    """A path is a header's line, a reason one of a table: neither may start another one."""
    return " ".join(text.split("\n")).replace("\r", " ")


def _shows(offer: Block, block: Block) -> bool:
    """Whether an offered block begins with a former one, which may have been cut."""
    return offer.path == block.path and offer.text.startswith(block.text)


def _cut(block: Block, budget: int) -> Block | None:
    """`block`, or the whole lines of it that fit; None if that is too little to be worth it."""
    if block.size <= budget:
        return block
    room = budget - _header(block.path)
    if room < LEAST_BYTES:
        return None
    data = block.text.encode("utf-8", "replace")
    text = data[: data.rfind(b"\n", 0, room) + 1].decode("utf-8", "replace")
    if len(text) < LEAST_BYTES or not text.strip():
        return None
    return Block(block.path, text, block.reason)


def _repeats(block: Block, window: set[str], others: Sequence[Block]) -> bool:
    """Whether a block says nothing that is not shown already."""
    lines = _lines(block.text)
    if not lines:
        return True
    shown = [window]
    for other in others:
        if other.path == block.path and (block.text in other.text or other.text in block.text):
            return True
        shown.append(_lines(other.text))
    return any(len(lines & known) > REPEATS * len(lines) for known in shown)


def _lines(text: str) -> set[str]:
    return {line for each in text.splitlines() if len(line := each.strip()) >= TELLING}


def _header(path: str) -> int:
    return len(path.encode("utf-8", "replace")) + HEADER_BYTES
