"""What the model has said will come next, kept so that agreeing keys need no model.

A forecast is text that was predicted to follow a line's start. While the user types what it
says, the rest of it is the suggestion: that is typing through, continuing after an accepted
line, and going back with backspace, all by one comparison of bytes (`compare`).

Owner: the event loop's thread (through `Completer`).
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inkling.prompt.anchor import MIDDLE_LINES
from inkling.syntax.scope import line_context
from inkling.text.document import Document

BEFORE_BYTES = 256
AFTER_BYTES = 80
LINES_BACK = MIDDLE_LINES + 1
"""Lines above the cursor from which a forecast is looked for: those a held anchor can be in."""
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


@dataclass(slots=True, eq=False)
class Forecast:
    """Text predicted from a place on; grows until it has an end."""

    place: Place
    text: bytes
    given: int = 0
    """Bytes at the start of `text` that the user had typed when it was asked for."""
    end: Literal["growing", "model", "cut"] = "growing"
    """Who ended it: the model ("nothing more belongs here"), or something that cut it short,
    so that its last line may be half a line."""
    spread: bool = False
    """Several lines of it were shown. They stay while the user types the first of them, although
    a line that has been begun would get no more than its rest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A forecast against the text left of a cursor."""

    relation: Literal["says", "behind", "disagrees"]
    """It has something to say about what comes next (perhaps not yet); the user has typed past
    it; or it is about another text."""
    rest: bytes = b""
    """What it says next. Of a forecast that was cut short only whole lines."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A place seen from a cursor."""

    place: Place
    typed: bytes
    """The text from the place to the cursor, with "\\n" for every line end, as the model
    writes."""


def sights(document: Document, offset: int) -> Iterator[Sight]:
    """The places a cursor at byte `offset` can be seen from, nearest line first."""
    after = _after(document, offset)
    start = document.line_start(offset)
    for _ in range(LINES_BACK):
        typed = unix_lines(document.data[start:offset])
        yield Sight(Place(document.uri, _before(document, start), after), typed)
        if start == 0:
            return
        start = document.line_start(start - 1)


def place_at(document: Document, offset: int, start: int) -> Place:
    """The place of the line that starts at byte `start`, the hole ending at byte `offset`."""
    return Place(document.uri, _before(document, start), _after(document, offset))


def _before(document: Document, start: int) -> bytes:
    return document.data[max(0, start - BEFORE_BYTES) : start]


def _after(document: Document, offset: int) -> bytes:
    after = document.line_end(offset) if line_context(document, offset).tail_is_closers else offset
    return document.data[after : after + AFTER_BYTES]


def unix_lines(data: bytes) -> bytes:
    """`data` with "\\n" for every line end."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def compare(forecast: Forecast, document: Document, offset: int) -> Comparison:
    """What `forecast` has to do with a cursor at byte `offset`."""
    for sight in sights(document, offset):
        if sight.place == forecast.place:
            return _compare_typed(forecast, sight.typed)
    return Comparison("disagrees")


def _compare_typed(forecast: Forecast, typed: bytes) -> Comparison:
    if len(typed) < forecast.given:
        return Comparison("disagrees")  # it starts with what the user has just deleted
    if not forecast.text.startswith(typed):
        ahead = forecast.end == "growing" and typed.startswith(forecast.text)
        return Comparison("behind" if ahead else "disagrees")
    rest = forecast.text[len(typed) :]
    if forecast.end == "cut":
        rest = rest[: rest.rfind(b"\n") + 1]
        return Comparison("says" if rest.strip() else "behind", rest)
    return Comparison("says", rest)


class Forecasts:
    """The newest forecasts of each place, least recently used dropped first."""

    def __init__(self) -> None:
        self._by_place: OrderedDict[Place, list[Forecast]] = OrderedDict()

    def add(self, forecasts: tuple[Forecast, ...]) -> None:
        """Make a generation's forecasts, best first, the first choices at their place."""
        place = forecasts[0].place
        self._by_place[place] = [*forecasts, *self._by_place.get(place, ())][:CHOICES]
        self._by_place.move_to_end(place)
        while len(self._by_place) > CAPACITY:
            self._by_place.popitem(last=False)

    def find(self, document: Document, offset: int) -> tuple[Forecast, bytes] | None:
        """A forecast that agrees with the document up to the cursor, and what it says next.

        The rest is empty where the forecast is still on its way to the cursor, or says that
        nothing more belongs there. One the user has typed past is not found.
        """
        waiting: tuple[Forecast, bytes] | None = None
        for sight in sights(document, offset):
            for forecast in self._by_place.get(sight.place, ()):
                found = _compare_typed(forecast, sight.typed)
                if found.relation != "says":
                    continue
                if found.rest.strip() or forecast.end == "model":
                    return forecast, found.rest
                waiting = waiting or (forecast, found.rest)
        return waiting

    def forget(self, uri: str) -> None:
        """Drop what is known of a closed document."""
        for place in [place for place in self._by_place if place.uri == uri]:
            del self._by_place[place]
