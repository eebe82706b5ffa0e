"""The candidates of one scripted request, said in turns as a batch of sequences is decoded.

Invariant: no candidate ever shows a stop string or the text after it, nor more than
max_tokens pieces.
"""

from collections.abc import Iterator

from inkling.engine.api import EndEvent, GenerateRequest, StopReason, TextEvent
from inkling.engine.script import Rule, Step, steps
from inkling.engine.stops import StopWatch


class Speech:
    """What is still to be said. Owner: the engine's task that plays the request.

    Draw a step from `steps`, wait as it asks, then pass it to `say`.
    """

    def __init__(self, request: GenerateRequest, rule: Rule) -> None:
        self.said_tokens = 0
        answers = (rule.answer, *rule.alternatives)[: max(1, request.candidates)]
        self._request = request
        self._turns = [_Turn(steps(answer), StopWatch(request.stop)) for answer in answers]
        self._turns[0].reason = rule.reason
        self._turn = 0

    @property
    def reason(self) -> StopReason:
        """How candidate 0 ended; valid when `steps` is exhausted."""
        return self._turns[0].reason

    def missing(self) -> tuple[EndEvent, ...]:
        """The candidates there are not."""
        wanted = range(len(self._turns), self._request.candidates)
        return tuple(EndEvent(self._request.id, number, "missing") for number in wanted)

    def steps(self) -> Iterator[Step]:
        """The pieces, one of each candidate in turn."""
        while any(turn.left for turn in self._turns):
            for number, turn in enumerate(self._turns):
                if turn.left:
                    self._turn = number
                    yield turn.left.pop(0)

    def say(self, step: Step) -> tuple[TextEvent | EndEvent, ...]:
        """What the step just drawn shows: with what a stop string held back, or nothing yet."""
        turn = self._turns[self._turn]
        turn.tokens += 1
        self.said_tokens += 1
        shown = turn.stops.feed(step.text)
        if turn.stops.hit:
            self._finish("stop")
        elif turn.tokens >= self._request.max_tokens:
            self._finish("length", unless_said=True)
        if not turn.left and not turn.stops.hit:
            shown += turn.stops.rest()
        said = [TextEvent(self._request.id, shown, self._turn, step.probability)] if shown else []
        if not turn.left and turn.reason in ("end", "length", "stop"):
            return (*said, EndEvent(self._request.id, self._turn, turn.reason))
        return tuple(said)

    def _finish(self, reason: StopReason, *, unless_said: bool = False) -> None:
        turn = self._turns[self._turn]
        if unless_said and not turn.left:
            return
        turn.left.clear()
        turn.reason = reason


class _Turn:
    """One candidate's pieces and its stop strings."""

    def __init__(self, left: tuple[Step, ...], stops: StopWatch) -> None:
        self.left = list(left)
        self.reason: StopReason = "end"
        self.stops = stops
        self.tokens = 0
