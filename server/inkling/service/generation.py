"""One engine request on behalf of a document, and the forecasts it fills.

Owner: the event loop's thread.
"""

from dataclasses import dataclass, field

from inkling.engine.api import (
    DoneEvent,
    EndEvent,
    EndReason,
    Event,
    GenerateRequest,
    StopReason,
    TextEvent,
)
from inkling.prompt.anchor import Anchor
from inkling.service.forecast import Forecast

CHATTER = b"\n```"
"""Instruction-tuned models end a file with a fence and then explain it. Not a stop string of the
engine: those hold a line's end back until the next token shows that it is none."""


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
    multiline: bool = False
    """Several lines are wanted, not only used where they come."""
    may_fence: bool = False
    """The document is of a kind that has code fences itself."""
    receipt: Receipt = field(default_factory=Receipt)

    @property
    def done(self) -> DoneEvent | None:
        return self.receipt.done

    @property
    def spoken(self) -> bool:
        """Whether the model has said anything yet."""
        return any(len(forecast.text) > forecast.given for forecast in self.forecasts)

    @property
    def can_stop(self) -> bool:
        """Whether what is wanted is there, and what comes is only a provision: one line, that
        opens no block."""
        first = self.forecasts[0]
        line, ended, _ = first.text[first.given :].lstrip().partition(b"\n")
        return bool(ended) and not self.multiline and not line.rstrip().endswith(b"{")

    @property
    def enough(self) -> bool:
        """Whether every candidate has ended or has as many lines as can be used."""
        return all(
            forecast.end != "growing"
            or forecast.text.count(b"\n", forecast.given) >= self.line_limit
            for forecast in self.forecasts
        )

    def take(self, event: Event) -> None:
        """Note what the engine says."""
        if isinstance(event, TextEvent):
            # A model may write Windows line ends; the document's own are put in at the end.
            text = event.text.replace("\r", "")
            self._grow(self.forecasts[event.candidate], text.encode("utf-8", "surrogatepass"))
        elif isinstance(event, EndEvent):
            self._close(self.forecasts[event.candidate], event.reason)
        else:
            self.receipt.done = event
            self.end()

    def _grow(self, forecast: Forecast, text: bytes) -> None:
        if forecast.end != "growing":
            return
        forecast.text += text
        fence = -1 if self.may_fence else forecast.text.find(CHATTER, forecast.given)
        if fence >= 0:
            forecast.text = forecast.text[: fence + 1]
            forecast.end = "model"

    def end(self) -> None:
        """No more is coming."""
        done = self.receipt.done = self.receipt.done or DoneEvent(
            self.request.id, "failed", error="The engine's answer was cut off."
        )
        for forecast in self.forecasts:
            self._close(forecast, done.reason)

    def _close(self, forecast: Forecast, reason: StopReason | EndReason) -> None:
        if forecast.end == "growing":
            forecast.end = "model" if reason in ("end", "stop") else "cut"
