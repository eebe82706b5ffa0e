"""What of one prompt's KV can serve another prompt. Pure; positions and sizes in tokens.

Two prompts share their beginning: that is exact. Besides, the text after the cursor mostly stays
the same when the cursor goes to another line, only its positions change. A model's keys can be
turned to other positions, so most of it need not be evaluated again (PIE, arXiv 2407.03157). The
first tokens of what is moved are evaluated anew all the same: they hold what the model has
concluded of the text before them (LegoLink, arXiv 2410.15332). Of 90 lines of HumanEval, one after
the other, 59 % passed their tests with all evaluated afresh, 56 % with eight tokens anew, 58 %
with 32. So it is for keys alone: what was moved is evaluated afresh when there is time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from inkling.engine.healing import Step
from inkling.engine.mailbox import Head

ANEW = 32
"""Tokens at the beginning of a run that are evaluated although they are there."""
LEAST = 24
"""A shorter run is not worth turning the keys of the whole cache for."""


@dataclass(slots=True)
class Slot:
    """One prompt, what the model said after it, and how much of that is in the cache: `path`
    goes no further than that where the prompt has been left."""

    head: Head
    path: Sequence[Step]
    evaluated: int
    stale: int | None
    """From here on the cache holds what was evaluated for another beginning."""

    def known(self, tokens: Sequence[int], *, fresh: bool) -> int:
        """How many of `tokens` it begins with; `fresh`: that were evaluated for just these."""
        same = common([step.token for step in self.path[: self.evaluated]], tokens)
        return same if self.stale is None or not fresh else min(same, self.stale)


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens in the cache from position `start` on, which another prompt has from `into` on."""

    start: int
    into: int
    tokens: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.tokens)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    for count, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return count
    return min(len(one), len(other))


def after_cursor(slot: Slot, same: int) -> Run | None:
    """The evaluated part of a prompt's last text behind its first `same` tokens."""
    start, end = slot.head.last_text
    start, end = max(start, same), min(end, slot.evaluated)
    if start >= end:
        return None
    return Run(start, start, tuple(step.token for step in slot.path[start:end]))


def movable(source: Run | None, head: Head, same: int) -> Run | None:
    """The longest part of `source` that the last text of `head` has, too, behind `same` tokens.
    Only between prompts for the same place: half of what comes before must be the same."""
    start, end = head.last_text
    if source is None or 2 * same < start:
        return None
    start = max(start, same)
    if start >= end:
        return None
    wanted = head.tokens[start:end]
    found = SequenceMatcher(None, source.tokens, wanted, autojunk=False).find_longest_match()
    size = found.size - ANEW
    if size < LEAST:
        return None
    first = found.a + ANEW
    return Run(source.start + first, start + found.b + ANEW, source.tokens[first : first + size])
