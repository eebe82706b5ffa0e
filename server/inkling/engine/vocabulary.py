"""A model's tokens as bytes, and which of them can continue a given piece of text.

Tokens are sorted by their bytes once, so the tokens that start with some text are one slice
of that order, found by two bisections; the tokens that the text starts with are one look-up
per length. Only plain text tokens are in here: no control, end or fill-in-the-middle token
can ever come out.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TokenIds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Immutable; any thread."""

    pieces: tuple[bytes, ...]
    """Every token's bytes by id; empty for tokens that stand for no text."""
    ordered: tuple[bytes, ...]
    """The text tokens' bytes, sorted."""
    order: TokenIds
    """The ids that belong to `ordered`."""
    ids: dict[bytes, int]
    """One id for each different piece of text."""
    longest: int
    """Bytes in the longest text token."""

    def starting_with(self, text: bytes) -> TokenIds:
        """The text tokens whose bytes start with `text`, as a view (do not write to it)."""
        low = bisect_left(self.ordered, text)
        above = _just_above(text)
        high = len(self.ordered) if above is None else bisect_left(self.ordered, above, low)
        return self.order[low:high]

    def agreeing(self, text: bytes) -> TokenIds:
        """The text tokens that start with `text` or that `text` starts with."""
        shorter = [
            self.ids[text[:size]]
            for size in range(1, min(len(text), self.longest + 1))
            if text[:size] in self.ids
        ]
        longer = self.starting_with(text)
        if not shorter:
            return longer
        return np.concatenate((np.array(shorter, dtype=np.int32), longer))


def vocabulary(pieces: Iterable[bytes], text_tokens: Iterable[int]) -> Vocabulary:
    """Index `pieces` (all tokens' bytes by id) for the ids that are plain text."""
    by_id = tuple(pieces)
    order = sorted((token for token in text_tokens if by_id[token]), key=by_id.__getitem__)
    ordered = tuple(by_id[token] for token in order)
    ids: dict[bytes, int] = {}
    for piece, token in zip(ordered, order, strict=True):
        ids.setdefault(piece, token)
    return Vocabulary(
        pieces=by_id,
        ordered=ordered,
        order=np.array(order, dtype=np.int32),
        ids=ids,
        longest=max(map(len, ordered), default=0),
    )


def _just_above(text: bytes) -> bytes | None:
    """The least bytes above everything that starts with `text`; None where there is none."""
    stripped = text.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None
