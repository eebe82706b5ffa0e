"""What became of the last requests, for `inkling.why` and the benches. No source text.

Owner: the event loop's thread.
"""

from collections import deque
from dataclasses import replace

from inkling.service.generation import Generation
from inkling.service.records import Why

LENGTH = 512


class Journal:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Why, Generation | None]] = deque(maxlen=LENGTH)

    def add(self, why: Why, generation: Generation | None = None) -> None:
        self._entries.append((why, generation))

    def accept(self, suggestion_id: str) -> Why | None:
        """Note that a suggestion was taken; the record it was in, if it is still known."""
        for index in range(len(self._entries) - 1, -1, -1):
            why, generation = self._entries[index]
            if suggestion_id in why.suggestion_ids:
                self._entries[index] = (replace(why, accepted=True), generation)
                return why
        return None

    def records(self) -> tuple[Why, ...]:
        """With the engine's figures where a generation has ended meanwhile."""
        return tuple(
            replace(why, stats=generation.done.stats)
            if generation is not None and generation.done is not None
            else why
            for why, generation in self._entries
        )
