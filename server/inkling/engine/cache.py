"""The prompts in a context, and the scores after the last token of the one that is worked on.

`KvCache` owns sequence 0 of its context: `path` is what the sequence is meant to hold, the
first `evaluated` of it are there. Adopting another path keeps the common beginning, and moves
what the new one has elsewhere. Prompts that are left for quite another one are kept, the largest
ones, so that going back costs nothing, and so that a prompt can be evaluated ahead of time
without losing the present one. Invariant: sequence 0 holds exactly `path[:evaluated]`, whatever
was stopped or failed.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inkling.engine.healing import Scores, Step
from inkling.engine.mailbox import Head
from inkling.engine.reuse import Run, Slot, after_cursor, common, movable
from inkling.engine.sequences import LEFT_SEQUENCES, MOVING_SEQUENCE, SPARE_SEQUENCE

if TYPE_CHECKING:  # llama.cpp need not be there for what is done here
    from inkling.engine.context import Context

REMEMBERED = 4
"""Positions whose scores are kept: 0.6 MB each for a vocabulary of 150,000 tokens."""
WORTH_KEEPING = 64
"""Tokens of a prompt that are evaluated and would be lost: from so many on it is kept."""
WORTH_TURNING = 16
"""So many tokens more must a prompt that was left have in common with the wanted one."""


class KvCache:
    """See the module. Owner: the decode thread."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._path: list[Step] = []
        self._head = Head((), ())
        self._evaluated = 0
        self._stale: int | None = None
        self._left: dict[int, Slot] = {}
        """By sequence."""
        self._latest = -1
        """The sequence of the one that was left last: a key may want it back at any moment."""
        self._moving: Run | None = None
        self.moved_tokens = 0
        """Tokens that were moved instead of evaluated, since the beginning."""
        self._fresh = -1
        self._fresh_row = -1
        self._fresh_batch = 0
        self._rows = 0
        self._scores: dict[int, Scores] = {}

    @property
    def path(self) -> Sequence[Step]:
        return self._path

    @property
    def head(self) -> Head:
        """The head that the path begins with."""
        return self._head

    @property
    def evaluated(self) -> int:
        return self._evaluated

    @property
    def kept(self) -> int:
        """Tokens of the prompts that were left, at most: some share a beginning."""
        return sum(slot.evaluated for slot in self._left.values())

    # -- which prompt ----------------------------------------------------------------------

    def turn_to(self, head: Head, *, fresh: bool) -> None:
        """Work on the one of the prompts kept that has most of `head`. `fresh`: of what was
        evaluated for just this beginning."""
        if not self._left:
            return
        here = self._slot().known(head.tokens, fresh=fresh)
        run = None if fresh else self._movable(head, here)
        here += run.size if run else 0
        known = {at: slot.known(head.tokens, fresh=fresh) for at, slot in self._left.items()}
        best = max(known, key=known.__getitem__)
        if known[best] < here + WORTH_TURNING:
            return
        self._drop_moving()
        now, left = self._slot(), self._left[best]
        self._context.share(0, SPARE_SEQUENCE, 0, now.evaluated)
        self._context.drop(0)
        self._context.share(best, 0, 0, left.evaluated)
        self._context.drop(best)
        self._context.share(SPARE_SEQUENCE, best, 0, now.evaluated)
        self._context.drop(SPARE_SEQUENCE)
        self._left[best] = now
        self._latest = best if now.evaluated >= WORTH_KEEPING else -1
        self._path, self._head = list(left.path), left.head
        self._evaluated, self._stale = left.evaluated, left.stale
        self._fresh = -1
        self._scores.clear()

    def adopt(self, path: list[Step], head: Head, *, fresh: bool, room: int) -> None:
        """Make `path`, which begins with `head`, the path; what is evaluated of its beginning
        stays so. `fresh`: unless it was evaluated for another beginning. `room`: how many
        tokens the context can hold besides the path and what will follow it."""
        same = common([step.token for step in self._path], [step.token for step in path])
        if fresh and self._stale is not None:
            same = min(same, self._stale)
        run = None if fresh else self._movable(head, same)
        lost = min(self._evaluated, len(self._head.tokens)) - same
        if run is not None:
            self._begin_moving(run)
        else:
            self._drop_moving()
            if lost >= WORTH_KEEPING and self._context.can_fork:
                self._keep()
        while self._left and self.kept > room:
            self._drop_one()
        self._path, self._head = path, head
        self._back_to(same)

    def _slot(self) -> Slot:
        return Slot(self._head, self._path[: self._evaluated], self._evaluated, self._stale)

    def _keep(self) -> None:
        """Keep the present prompt beside. It takes over from one for the same place, of which it
        differs by a line or two."""
        tokens = [step.token for step in self._path[: self._evaluated]]
        for former, slot in tuple(self._left.items()):
            if 2 * common([step.token for step in slot.path], tokens) > slot.evaluated:
                self._drop(former)
        if len(self._left) == len(LEFT_SEQUENCES):
            self._drop_one()
        sequence = next(each for each in LEFT_SEQUENCES if each not in self._left)
        self._left[sequence], self._latest = self._slot(), sequence
        self._context.share(0, sequence, 0, self._evaluated)

    def _drop_one(self) -> None:
        """Forget the prompt that costs least to evaluate again, the one left last at last."""
        chosen = min(
            self._left, key=lambda each: (each == self._latest, self._left[each].evaluated)
        )
        self._drop(chosen)

    def _drop(self, sequence: int) -> None:
        del self._left[sequence]
        self._context.drop(sequence)

    # -- moving ----------------------------------------------------------------------------

    def _movable(self, head: Head, same: int) -> Run | None:
        if not self._context.can_move:
            return None
        moving = self._moving
        if moving is None:
            return movable(after_cursor(self._slot(), same), head, same)
        still = head.tokens[moving.into : moving.into + moving.size] == moving.tokens
        return moving if still and same < moving.into else movable(moving, head, same)

    def _begin_moving(self, run: Run) -> None:
        """Put a run aside until what comes before it is evaluated."""
        if self._moving is None:
            path = [step.token for step in self._path]
            for sequence, slot in tuple(self._left.items()):
                # A cell that several prompts share would be moved for all of them.
                if common([step.token for step in slot.path], path) > run.start:
                    self._drop(sequence)
            self._context.share(0, MOVING_SEQUENCE, run.start, run.start + run.size)
        else:
            self._context.keep(MOVING_SEQUENCE, run.start, run.start + run.size)
        self._moving = run

    def _end_moving(self, run: Run) -> None:
        """What comes before the run is evaluated: it takes its place."""
        end = run.into + run.size
        self._context.move(MOVING_SEQUENCE, run.start, run.start + run.size, run.into - run.start)
        self._context.share(MOVING_SEQUENCE, 0, run.into, end)
        self._drop_moving()
        self._stale = run.into if self._stale is None else min(self._stale, run.into)
        self._evaluated = end
        self._fresh = -1
        self.moved_tokens += run.size

    def _drop_moving(self) -> None:
        if self._moving is not None:
            self._context.drop(MOVING_SEQUENCE)
            self._moving = None

    # -- evaluating ------------------------------------------------------------------------

    def append(self, step: Step) -> None:
        """Lengthen the path by one token, not evaluated yet."""
        self._path.append(step)

    def reach(self, end: int) -> int:
        """How far one call of `evaluate` gets that is asked to get to `end`."""
        return min(end, self._moving.into) if self._moving else end

    def evaluate(self, end: int) -> bool:
        """Evaluate the path up to `reach(end)` in one call; False if it was stopped on the way."""
        end = self.reach(end)
        tokens = [step.token for step in self._path[self._evaluated : end]]
        if not tokens:
            return True
        self._fresh = -1
        finished = self._context.decode(tokens, self._evaluated)
        self._evaluated = end if finished else self._context.length()
        if finished:
            self._fresh, self._fresh_row = end, -1
            self._fresh_batch = self._context.batches
            if self._moving is not None and self._moving.into == end:
                self._end_moving(self._moving)
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

    def undo_last(self) -> None:
        """Take the path's last token out of the cache, so that evaluating it gives its scores."""
        self._back_to(len(self._path) - 1)

    def clear(self) -> None:
        """Forget everything."""
        self._context.clear()
        self._path, self._head = [], Head((), ())
        self._evaluated = 0
        self._stale = self._moving = None
        self._left = {}
        self._fresh = -1
        self._scores.clear()

    def _back_to(self, length: int) -> None:
        for end in [end for end in self._scores if end > length]:
            del self._scores[end]
        if self._fresh > length:
            self._fresh = -1
        if self._stale is not None and self._stale >= length:
            self._stale = None
        if self._evaluated <= length:
            return
        if self._context.truncate(length):
            self._evaluated = length
        else:
            # Recurrent models cannot forget the end of a text: evaluate it again.
            self._context.clear()
            self._evaluated = 0
            self._fresh = -1

    # -- scores ----------------------------------------------------------------------------

    def scores_beside(self, row: int) -> Scores:
        """The scores of a row given to `evaluate_beside`, until the next evaluation."""
        return self._context.logits(self._rows + row)

    def scores(self) -> Scores | None:
        """The scores after the whole path, if they are known; valid until the next call."""
        end = len(self._path)
        if self._has_fresh(end) and end == self._evaluated:
            return self._context.logits(self._fresh_row)
        return self._scores.get(end)

    def scores_at(self, at: int) -> Scores | None:
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

    def remember(self, scores: Scores) -> None:
        """Keep a copy of the scores after the whole path."""
        end = len(self._path)
        if end not in self._scores:
            while len(self._scores) >= REMEMBERED:
                del self._scores[next(iter(self._scores))]
            self._scores[end] = scores.copy()

    def _has_fresh(self, end: int) -> bool:
        """Whether the context's scores are those after `end` tokens: nobody else, such as a
        calibration, has computed anything since."""
        return self._fresh == end and self._fresh_batch == self._context.batches
