"""Which documents somebody asks for suggestions in. Owner: the event loop's thread."""

import time

SECONDS = 30.0


class Demand:
    """Remembers requests for a while, so that a key can start the model before the next."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}

    def note(self, uri: str) -> None:
        """A suggestion was asked for."""
        self._asked[uri] = time.monotonic()

    def holds(self, uri: str) -> bool:
        """Whether a request is likely to follow the next key in this document."""
        return time.monotonic() - self._asked.get(uri, -SECONDS) < SECONDS

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._asked.pop(uri, None)
