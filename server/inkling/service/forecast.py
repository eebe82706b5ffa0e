"""What the model has said will come next, kept so that agreeing keys need no model.

A forecast is text that was predicted to follow a line's start. While the user types what it
says, the rest of it is the suggestion: that is typing through, continuing after an accepted
line, and going back with backspace, all by one comparison of bytes.

Owner: the event loop's thread (through `Completer`).
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from inkling.syntax.scope import line_context
from inkling.text.document import Document

BEFORE_BYTES = 256
AFTER_BYTES = 80
LINES_BACK = 12
CAPACITY = 200
"""Places remembered, over all documents."""
CHOICES = 8
"""Forecasts remembered of one place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line's start and what surrounds the hole behind it.

    Equal places in different versions of a document are the same place: offsets are not
    part of it, so edits elsewhere do not lose a forecast.
    """

    uri: str
    before: bytes
    after: bytes


@dataclass(slots=True)
class Forecast:
    """Text predicted from a place on. Grows while `complete` is False."""

    place: Place
    text: bytes
    complete: bool = False
    """The model ended it: nothing more is to come."""
    given: int = 0
    """Bytes at the start of `text` that the user had typed when it was asked for."""
    ended: bool = field(default=False)
    """Ended because the model said so, not because of a limit."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A place seen from a cursor."""

    place: Place
    start: int
    """Byte offset of the place's line in the document it was seen in."""
    typed: bytes
    """The text from there to the cursor, with "\\n" for every line end, as the model writes."""


def sights(document: Document, offset: int) -> Iterator[Sight]:
    """The places a cursor at byte `offset` can be seen from, nearest line first."""
    context = line_context(document, offset)
    after_start = document.line_end(offset) if context.tail_is_closers else offset
    after = document.data[after_start : after_start + AFTER_BYTES]
    start = document.line_start(offset)
    for _ in range(LINES_BACK):
        before = document.data[max(0, start - BEFORE_BYTES) : start]
        typed = unix_lines(document.data[start:offset])
        yield Sight(Place(document.uri, before, after), start, typed)
        if start == 0:
            return
        start = document.line_start(start - 1)


def unix_lines(data: bytes) -> bytes:
    """`data` with "\\n" for every line end."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


class Forecasts:
    """The newest forecasts of each place, least recently used dropped first."""

    def __init__(self) -> None:
        self._by_place: OrderedDict[Place, list[Forecast]] = OrderedDict()

    def add(self, forecasts: tuple[Forecast, ...]) -> None:
        """Make a generation's forecasts, best first, the first choices at their place.

        Unfinished ones of an older generation give way: they never will be finished.
        """
        place = forecasts[0].place
        finished = [old for old in self._by_place.get(place, ()) if old.complete]
        self._by_place[place] = [*forecasts, *finished][:CHOICES]
        self._by_place.move_to_end(place)
        while len(self._by_place) > CAPACITY:
            self._by_place.popitem(last=False)

    def find(self, document: Document, offset: int) -> tuple[Forecast, bytes] | None:
        """A forecast that agrees with the document up to the cursor, and what it says next.

        The rest is empty when the forecast agrees but has not got past the cursor yet.
        """
        waiting: tuple[Forecast, bytes] | None = None
        for sight in sights(document, offset):
            typed = sight.typed
            for forecast in self._by_place.get(sight.place, ()):
                if len(typed) < forecast.given:
                    continue  # it starts with what the user has just deleted
                if forecast.text.startswith(typed):
                    rest = forecast.text[len(typed) :]
                    if rest.strip() or forecast.ended:
                        return forecast, rest
                    if not forecast.complete:
                        waiting = waiting or (forecast, rest)
                elif not forecast.complete and typed.startswith(forecast.text):
                    waiting = waiting or (forecast, b"")
        return waiting

    def forget(self, uri: str) -> None:
        """Drop what is known of a closed document."""
        for place in [place for place in self._by_place if place.uri == uri]:
            del self._by_place[place]
