"""What one request costs while it runs. Times are milliseconds."""

import time
from dataclasses import asdict, dataclass

from inkling.engine.api import Stats


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

    def text_came(self) -> None:
        """Note the time of the first text; later calls change nothing."""
        self.first_text_ms = self.first_text_ms or since(self.arrived)

    def stats(self) -> Stats:
        values = asdict(self)
        del values["arrived"]
        return Stats(**values)


def since(moment: float) -> float:
    """Milliseconds since a `time.perf_counter()` moment."""
    return (time.perf_counter() - moment) * 1000
