"""Token bytes in, whole characters out, ending before the first stop string.

Invariant: joined, what `feed` and `finish` return is the decoded text after the skipped
bytes, up to the first stop string. A character split over tokens waits for its last byte.
"""

import codecs
from collections.abc import Sequence

from inkling.engine.stops import StopWatch


class TextStream:
    """One candidate's text. Owner: the decode loop; one thread."""

    def __init__(self, skip: int, stops: Sequence[str] = ()) -> None:
        """Drop the first `skip` bytes: text that is in the document already."""
        self._skip = skip
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._stops = StopWatch(stops)

    @property
    def stopped(self) -> bool:
        """A stop string was met; further bytes are ignored."""
        return self._stops.hit

    @property
    def missing(self) -> int:
        """Bytes still to be skipped before text comes out."""
        return self._skip

    def feed(self, data: bytes) -> str:
        """Add a token's bytes; the text that became certain by it (may be empty)."""
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        return self._stops.feed(self._decoder.decode(data[dropped:]))

    def finish(self) -> str:
        """What was held back; half a character at the very end is dropped."""
        return self._stops.rest()
