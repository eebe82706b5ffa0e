"""Places of the index in LSP's shapes. Pure.

Invariant: the range of a symbol holds the range of its name, without which some editors show
no symbol at all.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from lsprotocol import types

from inkling.index.wire import Place
from inkling.text.uris import uri_of
from inkling.text.words import Word

KINDS: Mapping[str, types.SymbolKind] = {
    "class": types.SymbolKind.Class,
    "interface": types.SymbolKind.Interface,
    "enum": types.SymbolKind.Enum,
    "function": types.SymbolKind.Function,
    "method": types.SymbolKind.Method,
    "variable": types.SymbolKind.Variable,
    "field": types.SymbolKind.Field,
    # LSP has no kind for the names of types; editors look for them among classes.
    "type": types.SymbolKind.Class,
    "module": types.SymbolKind.Module,
    # Nor one for macros, most of which are called.
    "macro": types.SymbolKind.Function,
    "constant": types.SymbolKind.Constant,
}
"""By `record.Kind`. Only kinds that every client knows, whether it says so or not."""

DEEPEST = 50
"""Levels of symbols within symbols; what lies deeper is shown on the last one."""
_ITSELF = ("self", "this", "cls", "Self", "super", "parent", "static")

Uris = Mapping[str, str]
"""How the client calls the documents that it has open, by their paths."""


def to_location(place: Place, uris: Uris) -> types.Location:
    """Where a name stands."""
    return types.Location(
        uris.get(place.path) or uri_of(place.path), _range(place.start, place.end)
    )


def to_information(place: Place, uris: Uris, container: str = "") -> types.SymbolInformation:
    """A symbol by itself."""
    return types.SymbolInformation(
        name=place.name,
        kind=KINDS.get(place.kind, types.SymbolKind.Variable),
        location=to_location(place, uris),
        container_name=container or place.container or None,
    )


def to_flat(places: Sequence[Place], uris: Uris) -> list[types.SymbolInformation]:
    """An outline for clients that show no symbols within others."""
    found = []
    for number, place in enumerate(places):
        inside = 0 <= place.parent < number
        found.append(to_information(place, uris, places[place.parent].name if inside else ""))
    return found


def to_nested(places: Sequence[Place]) -> list[types.DocumentSymbol]:
    """An outline; those of its entries that are in no other one, with the others in them."""
    top: list[types.DocumentSymbol] = []
    made: list[tuple[types.DocumentSymbol, list[types.DocumentSymbol], int]] = []
    for number, place in enumerate(places):
        parent = place.parent if 0 <= place.parent < number else -1
        while parent >= 0 and made[parent][2] >= DEEPEST:
            parent = places[parent].parent
        children: list[types.DocumentSymbol] = []
        symbol = types.DocumentSymbol(
            name=place.name,
            kind=KINDS.get(place.kind, types.SymbolKind.Variable),
            range=_whole(place),
            selection_range=_range(place.start, place.end),
            children=children,
        )
        made.append((symbol, children, made[parent][2] + 1 if parent >= 0 else 1))
        (made[parent][1] if parent >= 0 else top).append(symbol)
    return top


def fitting(places: Sequence[Place], word: Word) -> list[Place]:
    """Of the definitions of a word's name, nearest first, those that its qualifier allows.

    `Basket.weigh` is a member of something called Basket, where there is one that has it; else
    what stands in a file called so comes first.
    """
    if not word.qualifier or word.qualifier in _ITSELF:
        return list(places)
    members = [place for place in places if place.container == word.qualifier]
    return members or sorted(places, key=lambda one: PurePath(one.path).stem != word.qualifier)


def without(mentions: Sequence[Place], definitions: Sequence[Place]) -> list[Place]:
    """Those mentions that are no definition's name."""
    defined = {(one.path, one.start) for one in definitions}
    return [one for one in mentions if (one.path, one.start) not in defined]


def include_places(written: str, document: str, root: str) -> tuple[str, ...]:
    """Where a file that `document` includes may be, the likeliest first: next to the document, in
    a folder above it up to the root, or where headers usually are in one of these."""
    above = [folder for folder in PurePath(document).parents if folder.is_relative_to(root)]
    usual = ("", "include", "src", "inc")
    return tuple(os.path.normpath(folder / name / written) for folder in above for name in usual)


def _whole(place: Place) -> types.Range:
    start, end = place.body or (place.start, place.end)
    return _range(min(start, place.start), max(end, place.end))


def _range(start: tuple[int, int], end: tuple[int, int]) -> types.Range:
    return types.Range(types.Position(*start), types.Position(*end))
