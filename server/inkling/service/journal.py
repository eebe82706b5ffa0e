"""What became of the last requests, for `inkling.why` and the benches. No source text.

Owner: the event loop's thread.
"""

from collections import deque
from dataclasses import replace

from inkling.service.generation import Receipt
from inkling.service.records import Why

LENGTH = 512


class Journal:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Why, Receipt | None]] = deque(maxlen=LENGTH)

    def add(self, why: Why, receipt: Receipt | None = None) -> None:
        """Note a request; `receipt` will say what its generation cost."""
        self._entries.append((why, receipt))

    def accept(self, suggestion_id: str) -> None:
        """Note that a suggestion was taken."""
        for index in range(len(self._entries) - 1, -1, -1):
            why, receipt = self._entries[index]
            if suggestion_id in why.suggestion_ids:
                self._entries[index] = (replace(why, accepted=True), receipt)
                return

    def records(self) -> tuple[Why, ...]:
        """With the engine's figures where a generation has ended meanwhile."""
        return tuple(
            replace(why, stats=receipt.done.stats) if receipt and receipt.done else why
            for why, receipt in self._entries
        )
