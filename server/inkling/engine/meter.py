"""What one request costs while it runs. Times are milliseconds."""

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import TypeVar

from inkling.engine.api import EndEvent, Stats, TextEvent

T = TypeVar("T")


@dataclass(slots=True)
class Meter:
    """A `Stats` that can still change. Owner: the decoder, for one request."""

    arrived: float
    prompt_tokens: int = 0
    reused_tokens: int = 0
    evaluated_tokens: int = 0
    decoded_tokens: int = 0
    queue_ms: float = 0.0
    tokenize_ms: float = 0.0
    prompt_ms: float = 0.0
    first_text_ms: float = 0.0
    decode_ms: float = 0.0
    abort_ms: float = 0.0

    def watch(
        self, events: Generator[TextEvent | EndEvent, None, T]
    ) -> Generator[TextEvent | EndEvent, None, T]:
        """Pass `events` on, and note when the first text came."""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(event, TextEvent):
                self.first_text_ms = self.first_text_ms or since(self.arrived)
            yield event

    def stats(self) -> Stats:
        values = asdict(self)
        del values["arrived"]
        return Stats(**values)


def since(moment: float) -> float:
    """Milliseconds since a `time.perf_counter()` moment."""
    return (time.perf_counter() - moment) * 1000
