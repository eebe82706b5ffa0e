"""The tokens in a context's sequence 0, and the scores after the last of them.

`KvCache` owns sequence 0 of its context: `path` is what the sequence is meant to hold, the
first `evaluated` of it are there. Adopting another path keeps the common beginning. Invariant:
the context holds exactly `path[:evaluated]`, whatever was stopped or failed.
"""

from collections.abc import Sequence

from inkling.engine.healing import Step
from inkling.engine.llama import Context, Logits
from inkling.engine.sequences import SPARE_SEQUENCE

REMEMBERED = 4
"""Positions whose scores are kept: 0.6 MB each for a vocabulary of 150,000 tokens."""


class KvCache:
    """See the module. Owner: the decode thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._path: list[Step] = []
        self._evaluated = 0
        self._fresh = -1
        self._fresh_row = -1
        self._fresh_batch = 0
        self._rows = 0
        self._scores: dict[int, Logits] = {}

    @property
    def path(self) -> Sequence[Step]:
        return self._path

    @property
    def evaluated(self) -> int:
        return self._evaluated

    def adopt(self, path: list[Step]) -> None:
        """Make `path` the path; what is evaluated of its beginning stays so."""
        same = 0
        for old, new in zip(self._path, path, strict=False):
            if old.token != new.token:
                break
            same += 1
        self._path = path
        self._back_to(same)

    def append(self, step: Step) -> None:
        """Lengthen the path by one token, not evaluated yet."""
        self._path.append(step)

    def evaluate(self, end: int) -> bool:
        """Evaluate the path up to `end` in one call; False if it was stopped on the way."""
        tokens = [step.token for step in self._path[self._evaluated : end]]
        if not tokens:
            return True
        self._fresh = -1
        finished = self._context.decode(tokens, self._evaluated)
        self._evaluated = end if finished else self._context.length()
        if finished:
            self._fresh, self._fresh_row = end, -1
            self._fresh_batch = self._context.batches
        return finished

    def evaluate_beside(self, rows: Sequence[tuple[int, int, int]]) -> bool:
        """Evaluate the path's last token, if it is not yet, in one batch with `rows`, each a
        (token, position, sequence) of another sequence. False if it was stopped on the way."""
        end = len(self._path)
        own = [(self._path[-1].token, end - 1, 0)] if self._evaluated == end - 1 else []
        if own:
            self._fresh = -1
        elif self._has_fresh(end):
            # The batch takes the place of these scores.
            self.remember(self._context.logits(self._fresh_row))
            self._fresh = -1
        finished = self._context.decode_rows([*own, *rows])
        self._rows = len(own)
        if own and finished:
            self._evaluated, self._fresh, self._fresh_row = end, end, 0
            self._fresh_batch = self._context.batches
        return finished

    def scores_beside(self, row: int) -> Logits:
        """The scores of a row given to `evaluate_beside`, until the next evaluation."""
        return self._context.logits(self._rows + row)

    def scores(self) -> Logits | None:
        """The scores after the whole path, if they are known; valid until the next call."""
        end = len(self._path)
        if self._has_fresh(end) and end == self._evaluated:
            return self._context.logits(self._fresh_row)
        return self._scores.get(end)

    def scores_at(self, at: int) -> Logits | None:
        """The scores after the path's first `at` tokens, all evaluated; None if stopped."""
        if at == len(self._path) and (scores := self.scores()) is not None:
            return scores
        if at in self._scores:
            return self._scores[at]
        # Evaluate the token before once more, out of the way of what comes after it.
        self._context.fork(SPARE_SEQUENCE, at - 1)
        self._fresh = -1
        try:
            if self._context.decode_rows([(self._path[at - 1].token, at - 1, SPARE_SEQUENCE)]):
                return self._context.logits(0).copy()
            return None
        finally:
            self._context.drop(SPARE_SEQUENCE)

    def remember(self, scores: Logits) -> None:
        """Keep a copy of the scores after the whole path."""
        end = len(self._path)
        if end not in self._scores:
            while len(self._scores) >= REMEMBERED:
                del self._scores[next(iter(self._scores))]
            self._scores[end] = scores.copy()

    def undo_last(self) -> None:
        """Take the path's last token out of the cache, so that evaluating it gives its scores."""
        self._back_to(len(self._path) - 1)

    def clear(self) -> None:
        """Forget everything."""
        self._context.clear()
        self._path = []
        self._evaluated = 0
        self._fresh = -1
        self._scores.clear()

    def _has_fresh(self, end: int) -> bool:
        """Whether the context's scores are those after `end` tokens: nobody else, such as a
        calibration, has computed anything since."""
        return self._fresh == end and self._fresh_batch == self._context.batches

    def _back_to(self, length: int) -> None:
        for end in [end for end in self._scores if end > length]:
            del self._scores[end]
        if self._fresh > length:
            self._fresh = -1
        if self._evaluated <= length:
            return
        if self._context.truncate(length):
            self._evaluated = length
        else:
            # Recurrent models cannot forget the end of a text: evaluate it again.
            self._context.clear()
            self._evaluated = 0
            self._fresh = -1
