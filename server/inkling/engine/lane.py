"""One candidate while it is generated: its tokens in, its events out.

Invariant: a lane ends once, by a stop string, an end token or its token budget, and says so;
after that it gives out nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from inkling.engine.api import EndEvent, GenerateRequest, TextEvent
from inkling.engine.healing import Step
from inkling.engine.streaming import TextStream

Ended = Literal["end", "length", "stop"]


class Lane:
    """See the module. Owner: the decoder, for one request."""

    def __init__(
        self, candidate: int, request: GenerateRequest, forced: bytes, pieces: Sequence[bytes]
    ) -> None:
        self.candidate = candidate
        self.ended: Ended | None = None
        self.has_line = False
        """Whether a line of the text after the forced text is complete."""
        self._request = request
        self._forced = forced
        self._pieces = pieces
        self._stream = TextStream(len(forced), request.stop)
        self._bytes = 0
        self._tokens = 0
        self._last: Step | None = None

    @property
    def rest(self) -> bytes:
        """What of the forced text must still come first."""
        return self._forced[self._bytes :]

    @property
    def tokens(self) -> int:
        """How many tokens it has taken that go beyond the forced text."""
        return self._tokens

    @property
    def last(self) -> Step:
        """The token taken last; there must have been one."""
        assert self._last is not None
        return self._last

    def beside(self, candidate: int) -> "Lane":
        """A lane that has come as far as this one, which has given out no text yet."""
        lane = Lane(candidate, self._request, self._forced, self._pieces)
        lane._stream.feed(self._forced[: self._bytes])
        lane._bytes = self._bytes
        return lane

    def take(self, step: Step) -> Iterator[TextEvent | EndEvent]:
        """Add a token."""
        piece = self._pieces[step.token]
        self.has_line = self.has_line or b"\n" in piece[len(self.rest) :]
        self._last = step
        self._bytes += len(piece)
        self._tokens += self._bytes > len(self._forced)
        yield from self._event(self._stream.feed(piece))
        if self._stream.stopped:
            yield self._close("stop")
        elif self._tokens >= self._request.max_tokens:
            yield from self.end("length")

    def end(self, reason: Ended) -> Iterator[TextEvent | EndEvent]:
        """No token follows: give out what was held back."""
        yield from self._event(self._stream.finish())
        yield self._close(reason)

    def _close(self, reason: Ended) -> EndEvent:
        self.ended = reason
        return EndEvent(self._request.id, self.candidate, reason)

    def _event(self, text: str) -> Iterator[TextEvent]:
        if text:
            choice = self._last.choice if self._last else None
            probability = choice.probability if choice else 1.0
            yield TextEvent(self._request.id, text, self.candidate, probability)
