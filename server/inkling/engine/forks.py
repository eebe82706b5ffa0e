"""The other candidates of a request: sequences that share sequence 0's beginning.

`Forks` owns sequences 1 to MAX_CANDIDATES - 1 from the first token after the forced text until
`close`. Those that go on do so together, one token each per call; sequence 0 waits meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence

from inkling.engine import healing
from inkling.engine.api import EndEvent, TextEvent
from inkling.engine.context import Context
from inkling.engine.healing import Scores, Step
from inkling.engine.lane import Lane
from inkling.engine.llama import Model

Row = tuple[int, int, int]
"""A token, its position and its sequence."""


class Forks:
    """See the module. Owner: the decoder, for one request."""

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._context = context
        self._lanes: list[Lane] = []
        self._at = 0

    def start(
        self, lanes: Sequence[Lane], steps: Sequence[Step], at: int
    ) -> Iterator[TextEvent | EndEvent]:
        """Part from sequence 0 at position `at`; each lane goes on with its own step."""
        self._lanes = list(lanes)
        self._at = at
        for lane, step in zip(lanes, steps, strict=True):
            self._context.fork(lane.candidate, at)
            yield from lane.take(step)

    def going(self, to_line: bool) -> list[Lane]:
        """Those that have not ended; `to_line`: of these, those without a complete line."""
        return [lane for lane in self._lanes if not (lane.ended or (to_line and lane.has_line))]

    def rows(self, lanes: Sequence[Lane]) -> list[Row]:
        """What must be evaluated for the next step of `lanes`."""
        return [(lane.last.token, self._at + lane.tokens - 1, lane.candidate) for lane in lanes]

    def take(
        self, lanes: Sequence[Lane], scores_of: Callable[[int], Scores]
    ) -> Iterator[TextEvent | EndEvent]:
        """Choose the next token of each of `lanes`, by the scores of its row."""
        for row, lane in enumerate(lanes):
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
