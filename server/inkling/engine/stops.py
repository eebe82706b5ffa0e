"""Stop strings in a text that arrives in pieces, cut anywhere.

Invariant: joined, what `feed` and `rest` give out never contains a stop string, and is the
text up to the one that is complete first.
"""

from collections.abc import Sequence


class StopWatch:
    """Holds back what might become a stop string. Owner: whoever reads the one text."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.hit = False
        """Whether a stop string was met; after that nothing more is given out."""

    def feed(self, text: str) -> str:
        """The text that is certain to come before any stop string."""
        if self.hit:
            return ""
        text = self._held + text
        # The stop string that is complete first counts, so that the cut of the pieces does not.
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.hit = True
            self._held = ""
            return text[: min(found)[1]]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, once the text has ended without completing a stop string."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
