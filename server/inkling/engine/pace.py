"""Feeding a long prompt to a server in stages, so that stopping it soon takes effect.

HTTP can only cancel by closing the connection, and llama-server looks for that between
batches: a whole prompt at once is evaluated to its end, however long ago nobody wanted it,
and the next request waits. A stage is a prompt that stops short, with no tokens asked for; its
KV cache is what the next stage starts from.

Invariant: the server is never given more at once than `STAGE_S` of evaluation, as far as its
speed and what it still holds are known.
"""

from collections.abc import Sequence
from os.path import commonprefix

from inkling.engine.api import Piece, Stats

STAGE_S = 0.25
FEWEST_TOKENS = 64
"""Below this a stage's overhead, a round trip and a token or two again, starts to show."""
ASSUMED_TOKENS_PER_S = 250.0
"""Until the server has been seen at work."""
_TELLING_TOKENS = 24
_CHARACTERS_PER_TOKEN = 3.2
_MARKER_LENGTH = 1  # characters, for measuring prompts


class Pace:
    """What is known of one server's speed and cache. Owner: the engine that asks the server."""

    def __init__(self) -> None:
        self._tokens_per_s = ASSUMED_TOKENS_PER_S
        self._held: tuple[Piece, ...] = ()

    def stages(self, prompt: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], ...]:
        """The prompts to evaluate before `prompt`, shortest first; none for a short way."""
        stride = int(max(FEWEST_TOKENS, self._tokens_per_s * STAGE_S) * _CHARACTERS_PER_TOKEN)
        at, end = shared(self._held, prompt) + stride, length(prompt)
        cuts = []
        while at + stride / 2 < end:
            cuts.append(at)
            at += stride
        return tuple(beginning(prompt, cut) for cut in cuts)

    def evaluated(self, prompt: tuple[Piece, ...], stats: Stats) -> None:
        """The server has this prompt now, and this is what it took."""
        self._held = prompt
        if stats.evaluated_tokens >= _TELLING_TOKENS and stats.prompt_ms:
            self._tokens_per_s = 1000 * stats.evaluated_tokens / stats.prompt_ms


def length(prompt: Sequence[Piece]) -> int:
    """Characters; a marker counts as one."""
    return sum(len(piece) if isinstance(piece, str) else _MARKER_LENGTH for piece in prompt)


def shared(one: Sequence[Piece], other: Sequence[Piece]) -> int:
    """The length of what two prompts have in common at their start."""
    total = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            if isinstance(a, str) and isinstance(b, str):
                total += len(commonprefix((a, b)))
            break
        total += length((a,))
    return total


def beginning(prompt: Sequence[Piece], size: int) -> tuple[Piece, ...]:
    """The first `size` characters, or fewer: text is cut after a line where it has one."""
    taken: list[Piece] = []
    for piece in prompt:
        if size < length((piece,)):
            if isinstance(piece, str):
                taken.append(piece[: piece.rfind("\n", 0, size) + 1 or size])
            break
        size -= length((piece,))
        taken.append(piece)
    return tuple(taken)
