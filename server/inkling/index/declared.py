"""Definitions of the names that are used at a place and come from elsewhere. Pure.

Only names tell what is meant here: `connect` may be defined in forty files. What decides is
whether the document imports the file's name, whether the file shares other names with the place,
how near it lies, and how many definitions compete.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from inkling.index.paths import nearness, stem
from inkling.index.query import Query
from inkling.index.search import Search
from inkling.index.view import Place, View

_NAMES = 24
"""Names whose definitions are looked for, the heaviest first."""
_PLACES = 48
"""Definitions of one name; where there are more, nobody can tell which is meant."""
_LOOKED_AT = 80
"""Definitions that are looked at in all."""
_WHOLE = 500
"""Bytes up to which a definition is shown whole; of a longer one the signature."""
_SIGNATURE = 400
_BOUND = 0.25
"""A definition that scores less than this is a guess."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A definition to show."""

    name: str
    path: str
    start: int
    end: int
    """Where it is cut, if `cut`: in the midst of a line."""
    cut: bool
    score: float


def declared(
    view: View, query: Query, search: Search, related: Mapping[str, float]
) -> list[Declared]:
    """The best definition of each name that is used near the place, best first.

    `related` are the files that share names with the place, and how much.
    """
    own = {definition.name for definition in view.definitions(query.path) or ()}
    imported = {name for name in search.names if name.startswith("/")} - {stem(query.path)}
    most = max(related.values(), default=1.0)
    found: list[Declared] = []
    counts = search.definers()
    candidates = [
        (float(worth), index)
        for index, (name, worth) in enumerate(zip(search.names, search.worth[1:], strict=True))
        if worth > 0.0 and 0 < counts[index] <= _PLACES and name not in own
    ]
    candidates.sort(key=lambda item: (-item[0], search.names[item[1]]))
    left = _LOOKED_AT
    for worth, index in candidates:
        left -= int(counts[index])
        if left < 0 or len(found) >= _NAMES:
            break
        places = [place for place in search.places(index) if place.path != query.path]
        graded = [(_score(place, query, imported, related, most), place) for place in places]
        if not graded:
            continue
        score, best = min(graded, key=lambda item: (-item[0], item[1].path))
        score /= len(places) ** 0.5
        if score >= _BOUND:
            found.append(_shown(best, worth * score))
    found.sort(key=lambda entry: (-entry.score, entry.path, entry.start))
    return found


def _score(
    place: Place, query: Query, imported: set[str], related: Mapping[str, float], most: float
) -> float:
    """How likely it is that this one is meant; 1 or a little more for one that is sure."""
    score = 0.3 * nearness(place.path, query.path)
    if stem(place.path) in imported:
        score += 0.6
    score += 0.3 * related.get(place.path, 0.0) / most
    if place.definition.kind in ("class", "function", "interface", "type", "enum", "macro"):
        score += 0.2
    if query.language and place.language != query.language:
        score *= 0.3
    return score


def _shown(place: Place, score: float) -> Declared:
    definition = place.definition
    start, end = definition.start, definition.end
    if end - start > _WHOLE:
        end = min(definition.head_end, start + _SIGNATURE)
    cut = end < min(definition.head_end, definition.end)
    return Declared(definition.name, place.path, start, end, cut, score)
