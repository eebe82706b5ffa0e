"""What one request costs while it runs. Times are milliseconds."""

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import TypeVar

from inkling.engine.api import Stats, TextEvent

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

    def watch(self, texts: Generator[TextEvent, None, T]) -> Generator[TextEvent, None, T]:
        """Pass `texts` on, and note when the first one came."""
        while True:
            try:
                text = next(texts)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self.first_text_ms = self.first_text_ms or since(self.arrived)
            yield text

    def stats(self) -> Stats:
        values = asdict(self)
        del values["arrived"]
        return Stats(**values)


def since(moment: float) -> float:
    """Milliseconds since a `time.perf_counter()` moment."""
    return (time.perf_counter() - moment) * 1000
