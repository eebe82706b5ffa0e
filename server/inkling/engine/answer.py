"""One candidate as a remote server says it: fragment taken off, stop strings seen to.

Invariant: what is given out is text after the forced text only, without a stop string, and
at most as many pieces as the request allows tokens.
"""

from inkling.engine.api import GenerateRequest, StopReason, TextEvent
from inkling.engine.dialects import Words
from inkling.engine.stops import StopWatch


class Disagrees(Exception):
    """The answer does not begin with the fragment it had to begin with."""


class Answer:
    """Owner: the task that plays the request."""

    def __init__(
        self,
        request: GenerateRequest,
        fragment: str = "",
        *,
        markers: tuple[str, ...] = (),
        candidate: int = 0,
    ) -> None:
        self.ended: StopReason | None = None
        """Set when no more text is wanted, whatever the server still says."""
        self.tokens = 0
        self.alternatives: tuple[tuple[str, float], ...] = ()
        """What else the first text after the forced text could have been, best first."""
        self._request = request
        self.candidate = candidate
        self._left = fragment
        self._stops = StopWatch((*request.stop, *markers))

    def feed(self, words: Words) -> tuple[TextEvent, ...]:
        """The event that more text makes, if any. Raises `Disagrees`."""
        left, text = self._left, words.text
        if not (text.startswith(left) or left.startswith(text)):
            raise Disagrees
        self._left, text = left[len(text) :], text[len(left) :]
        if not text:
            return ()
        if not self.tokens:
            self.alternatives = tuple(
                (other[len(left) :], probability)
                for other, probability in words.alternatives
                if other.startswith(left) and len(other) > len(left) and other != words.text
            )
        self.tokens += 1
        shown = self._stops.feed(text)
        if self._stops.hit:
            self.ended = "stop"
        elif self.tokens >= self._request.max_tokens:
            self.ended = "length"
            shown += self._stops.rest()
        return self._event(shown, words.probability)

    def finish(self) -> tuple[TextEvent, ...]:
        """What was held back, when the server has said all. Raises `Disagrees`."""
        if self._left:
            raise Disagrees
        return self._event(self._stops.rest(), 1.0)

    def _event(self, text: str, probability: float) -> tuple[TextEvent, ...]:
        if not text:
            return ()
        return (TextEvent(self._request.id, text, self.candidate, probability),)
