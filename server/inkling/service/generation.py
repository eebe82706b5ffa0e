"""One engine request on behalf of a document, and the forecasts it fills.

Owner: the event loop's thread. `pump` is the only writer of the forecasts' text.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from inkling.engine.api import DoneEvent, Event, GenerateRequest, TextEvent
from inkling.prompt.anchor import Anchor
from inkling.service.forecast import Forecast
from inkling.service.signal import Signal


@dataclass(slots=True)
class Generation:
    """A running or finished engine request."""

    request: GenerateRequest
    anchor: Anchor
    reanchored: bool
    forecasts: tuple[Forecast, ...]
    line_limit: int
    """Complete lines after which nobody needs more."""
    done: DoneEvent | None = None

    @property
    def spoken(self) -> bool:
        """Whether the model has said anything yet."""
        return any(len(forecast.text) > forecast.given for forecast in self.forecasts)

    @property
    def enough(self) -> bool:
        """Whether every candidate has as many lines as can be used."""
        return all(
            forecast.text.count(b"\n", forecast.given) >= self.line_limit
            for forecast in self.forecasts
        )

    async def pump(self, events: AsyncIterator[Event], signal: Signal) -> bool:
        """Move events into the forecasts until the end.

        Returns False when it stopped because there is enough; the caller cancels the request.
        """
        try:
            async for event in events:
                if isinstance(event, TextEvent):
                    self.forecasts[event.candidate].text += event.text.encode(
                        "utf-8", "surrogatepass"
                    )
                    if self.enough:
                        return False
                else:
                    self.done = event
                signal.fire()
            return True
        finally:
            ended = self.done is not None and self.done.reason in ("end", "stop")
            for forecast in self.forecasts:
                forecast.complete = True
                forecast.ended = ended
            signal.fire()
