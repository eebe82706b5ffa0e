"""Finds definitions by parts of their names, over the whole workspace, best first.

Each segment gives names that may fit, by what costs least: names and initials that begin with
what was typed (bisected), names that hold it (a search through one text), names that have its
letters (one pass over bit masks). `fuzzy` grades them then, all by the same rules. What is in
memory is graded one by one.

Pure. Bounded: however many names fit, at most some thousands are graded.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.index.fuzzy import score
from inkling.index.letters import letters_mask, pairs, wanted_mask
from inkling.index.paths import is_test
from inkling.index.record import Definition, Kind
from inkling.index.segment import Segment
from inkling.index.view import Place, View

_QUERY_LIMIT = 100
"""Characters."""
_NAMES = 2000
"""Names that all segments together give for each way of fitting, the shortest where there are
more: grading one takes some microseconds."""
_SEEN = 2
"""So many times as many names are looked at for holding the query, the shortest first."""
_A_NAME = 200
"""Definitions of one name that are looked at."""
_KINDS: dict[Kind, int] = {
    "class": 0,
    "interface": 0,
    "enum": 0,
    "type": 1,
    "function": 1,
    "macro": 2,
    "module": 2,
    "method": 2,
    "constant": 3,
    "variable": 4,
    "field": 4,
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition that fits."""

    place: Place
    score: float


def find_symbols(view: View, query: str, limit: int = 100) -> list[Symbol]:
    """At most `limit` definitions whose names fit `query`, best first.

    Blanks in the query are left out. An empty query finds nothing: there is no best of all names.
    """
    wanted = "".join(query.split())[:_QUERY_LIMIT]
    if not wanted or limit <= 0:
        return []
    graded: dict[str, float] = {}
    for name in view.overlay.symbols():
        grade = score(wanted, name)
        if grade is not None:
            graded[name] = grade
    count = max(limit // 2, _NAMES // max(1, len(view.shown)))
    for shown in view.shown:
        for name in _may_fit(shown.segment, wanted, count):
            if name not in graded:
                grade = score(wanted, name)
                if grade is not None:
                    graded[name] = grade
    names = heapq.nsmallest(
        limit + 100, graded.items(), key=lambda item: (-item[1], len(item[0]), item[0])
    )
    found: list[Symbol] = []
    for name, grade in names:
        places = sorted(view.defined(name, _A_NAME), key=_rank)
        found.extend(Symbol(place, grade) for place in places)
        if len(found) >= limit:
            break
    return found[:limit]


def _rank(place: Place) -> tuple[bool, int, int, str, int]:
    """Of one name: source before tests, classes before variables, near the root first."""
    definition: Definition = place.definition
    depth = place.path.count("/")
    return (is_test(place.path), _KINDS[definition.kind], depth, place.path, definition.start)


def _may_fit(segment: Segment, wanted: str, count: int) -> set[str]:
    """Names that may fit, among them those that fit best; about `count` for each way of fitting."""
    low = wanted.lower()
    text = low.encode("utf-8", "surrogatepass")
    beginning = segment.symbols_beginning(text)
    found = _shortest(segment, np.arange(beginning.start, beginning.stop), count)
    if len(low) > 1:
        first = low.replace("_", "").encode("utf-8", "surrogatepass")
        if len(first) > 1:
            found |= _shortest(segment, segment.symbols_with_initials(first), count)
        # Two passes over masks leave nearly those that hold the text, and few others.
        bits, neighbours = np.uint64(letters_mask(low)), np.uint64(pairs(text))
        fits = np.flatnonzero((segment.symbol_masks & bits) == bits)
        holding = fits[(segment.symbol_pairs[fits] & neighbours) == neighbours]
        candidates = _shortest(segment, holding, _SEEN * count)
        found |= {symbol for symbol in candidates if segment.symbol_holds(symbol, text)}
        if len(found) < count:
            bits = np.uint64(wanted_mask(wanted))
            fits = fits[(segment.symbol_masks[fits] & bits) == bits]
            found |= _shortest(segment, fits, count - len(found))
    numbers = segment.symbol_names
    return {segment.name(int(numbers[symbol])) for symbol in found}


def _shortest(segment: Segment, symbols: NDArray[np.int64], count: int) -> set[int]:
    """Of many only the shortest: they fit best."""
    if len(symbols) > count:
        lengths = segment.symbol_at[symbols + 1] - segment.symbol_at[symbols]
        symbols = symbols[np.argpartition(lengths, count)[:count]]
    return set(symbols.tolist())
