"""Places of the index as editors get them."""

from pathlib import Path, PurePath
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from inkling.index.record import Kind
from inkling.index.wire import Place
from inkling.lsp.symbols import (
    DEEPEST,
    KINDS,
    fitting,
    include_places,
    to_flat,
    to_location,
    to_nested,
    without,
)
from inkling.text.words import Word

ROOT = str(Path("/w").absolute())


def place(name, line=0, *, parent=-1, kind="class", container="", path="a.py", body=None):
    end = (line, len(name))
    where = str(PurePath(ROOT, path))
    return Place(where, (line, 0), end, name, kind, container, body, parent)


def names(found):
    """Nested symbols as nested lists of names."""
    return [(each.name, *names(each.children)) for each in found]


def test_every_kind_is_one_that_every_client_knows():
    assert set(KINDS) == set(get_args(Kind))
    assert all(kind <= types.SymbolKind.Array for kind in KINDS.values())


def test_symbols_lie_in_what_encloses_them():
    places = [
        place("A"),
        place("a", 1, parent=0),
        place("B", 2, parent=0),
        place("b", 3, parent=2),
        place("C", 4),
    ]
    assert names(to_nested(places)) == [("A", ("a",), ("B", ("b",))), ("C",)]


def test_parents_that_come_later_are_none():
    assert names(to_nested([place("A", parent=1), place("B", parent=1)])) == [("A",), ("B",)]


def test_nothing_lies_deeper_than_what_can_be_written():
    places = [place(f"n{number}", number, parent=number - 1) for number in range(2_000)]
    found = to_nested(places)
    depth = 0
    while found:
        depth, found = depth + 1, [child for one in found for child in one.children]
    assert depth == DEEPEST


@given(st.lists(st.integers(-1, 30), max_size=30))
def test_no_symbol_is_lost_or_told_twice(parents):
    places = [place(f"n{at}", at, parent=parent) for at, parent in enumerate(parents)]
    left, told = to_nested(places), []
    while left:
        told += [each.name for each in left]
        left = [child for each in left for child in each.children]
    assert sorted(told) == sorted(each.name for each in places)
    assert [each.name for each in to_flat(places, {})] == [each.name for each in places]


@pytest.mark.parametrize("body", [None, ((0, 0), (9, 0)), ((3, 0), (3, 0)), ((2, 0), (3, 1))])
def test_the_range_of_a_symbol_holds_its_name(body):
    (symbol,) = to_nested([place("abc", 3, body=body)])
    whole, name = symbol.range, symbol.selection_range
    assert (whole.start.line, whole.start.character) <= (name.start.line, name.start.character)
    assert (whole.end.line, whole.end.character) >= (name.end.line, name.end.character)


def test_flat_symbols_name_what_encloses_them():
    found = to_flat([place("A"), place("a", 1, parent=0)], {})
    assert [(each.name, each.container_name) for each in found] == [("A", None), ("a", "A")]


def test_open_documents_are_called_as_the_client_calls_them():
    one = place("A", path="a b.py")
    assert to_location(one, {}).uri == Path(one.path).as_uri()
    assert to_location(one, {one.path: "file:///w/a b.py"}).uri == "file:///w/a b.py"


@pytest.mark.parametrize(
    ("qualifier", "paths"),
    [
        ("", ["x.py", "y.py", "deep/config.py"]),
        ("self", ["x.py", "y.py", "deep/config.py"]),
        ("Basket", ["y.py"]),
        ("config", ["deep/config.py", "x.py", "y.py"]),
        ("basket", ["x.py", "y.py", "deep/config.py"]),
    ],
)
def test_definitions_are_those_that_the_qualifier_allows(qualifier, paths):
    found = [
        place("weigh", path="x.py"),
        place("weigh", path="y.py", container="Basket"),
        place("weigh", path="deep/config.py"),
    ]
    word = Word("weigh", qualifier=qualifier)
    assert [each.path for each in fitting(found, word)] == [
        str(PurePath(ROOT, path)) for path in paths
    ]


def test_mentions_without_the_declarations():
    mentions = [place("A", 0), place("A", 3), place("A", 3, path="b.py")]
    assert without(mentions, [place("A", 3, path="b.py"), place("A", 9)]) == mentions[:2]


def test_an_included_file_is_looked_for_from_the_document_to_the_root():
    found = include_places("x.h", f"{ROOT}/src/net/a.c", ROOT)
    shown = [PurePath(each).relative_to(ROOT).as_posix() for each in found]
    assert shown[0] == "src/net/x.h"
    assert "include/x.h" in shown
    assert shown.index("src/x.h") < shown.index("x.h")
    up = include_places("../x.h", f"{ROOT}/src/net/a.c", ROOT)
    assert up[0] == str(PurePath(ROOT, "src/x.h"))
