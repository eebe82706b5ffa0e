"""The other candidates of a request: sequences that share sequence 0's beginning.

`Forks` owns sequences 1 and up from the first token after the forced text until `close`.
They go on together, one token each per call, once sequence 0 has come to its end.
"""

from collections.abc import Callable, Iterator, Sequence

from inkling.engine import healing
from inkling.engine.api import TextEvent
from inkling.engine.healing import Step
from inkling.engine.lane import Lane
from inkling.engine.llama import Context, Logits, Model

Row = tuple[int, int, int]
"""A token, its position and its sequence."""


class Forks:
    """See the module. Owner: the decoder, for one request."""

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._context = context
        self._lanes: list[Lane] = []
        self._next_position = 0

    def start(self, lanes: Sequence[Lane], steps: Sequence[Step], at: int) -> Iterator[TextEvent]:
        """Part from sequence 0 at position `at`; each lane goes on with its own step."""
        self._lanes = list(lanes)
        self._next_position = at
        for lane, step in zip(lanes, steps, strict=True):
            self._context.fork(lane.candidate, at)
            yield from lane.take(step)

    @property
    def alive(self) -> bool:
        """Whether any of them still goes on."""
        return any(not lane.ended for lane in self._lanes)

    def rows(self) -> list[Row]:
        """What must be evaluated for the next step, in the order `take` wants the scores."""
        return [
            (lane.last.token, self._next_position, lane.candidate)
            for lane in self._lanes
            if not lane.ended
        ]

    def take(self, scores_of: Callable[[int], Logits]) -> Iterator[TextEvent]:
        """Choose the next token of each, by the scores of its row."""
        self._next_position += 1
        going = [lane for lane in self._lanes if not lane.ended]
        for row, lane in enumerate(going):
            step = healing.choose(scores_of(row), self._model.vocabulary, lane.rest, 0)
            if step.token in self._model.ends:
                yield from lane.end("end")
            else:
                yield from lane.take(step)

    def close(self) -> None:
        """Give the sequences back."""
        for lane in self._lanes:
            self._context.drop(lane.candidate)
        self._lanes = []
