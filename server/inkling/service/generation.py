"""One engine request on behalf of a document, and the forecasts it fills.

Owner: the event loop's thread.
"""

from dataclasses import dataclass, field

from inkling.engine.api import DoneEvent, Event, GenerateRequest, TextEvent
from inkling.prompt.anchor import Anchor
from inkling.service.forecast import Forecast


@dataclass(slots=True)
class Receipt:
    """How a request ended; None until then. Holds no source text, so it may be kept."""

    done: DoneEvent | None = None


@dataclass(slots=True, eq=False)
class Generation:
    """A running or finished engine request."""

    request: GenerateRequest
    anchor: Anchor
    reanchored: bool
    forecasts: tuple[Forecast, ...]
    line_limit: int
    """Complete lines after which nobody needs more."""
    receipt: Receipt = field(default_factory=Receipt)

    @property
    def done(self) -> DoneEvent | None:
        return self.receipt.done

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

    def take(self, event: Event) -> None:
        """Note what the engine says."""
        if isinstance(event, TextEvent):
            self.forecasts[event.candidate].text += event.text.encode("utf-8", "surrogatepass")
        else:
            self.receipt.done = event
            self.end()

    def end(self) -> None:
        """No more is coming."""
        done = self.receipt.done
        by_model = done is not None and done.reason in ("end", "stop")
        for forecast in self.forecasts:
            if forecast.end == "growing":
                forecast.end = "model" if by_model else "cut"
