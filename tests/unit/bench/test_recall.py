"""Hidden lines: where they are taken out, and what counts as shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.cli.bench.recall import (
    HIDDEN_LINES,
    Cursor,
    cursors,
    siblings_of,
    yardstick,
)

FILES = {
    f"shop/part_{number}.py": "".join(
        f"value_{number}_{line} = call_{line % 7}(other_{number})\n" for line in range(40)
    ).encode()
    for number in range(6)
} | {"shop/short.py": b"x = 1\n", "docs/readme.md": b"words\n" * 30}


@given(st.integers(0, 10_000))
def test_a_hidden_name_stands_nowhere_else_in_its_file(seed):
    found = list(cursors(FILES.get, sorted(FILES), 5, seed))
    assert found == list(cursors(FILES.get, sorted(FILES), 5, seed))
    for cursor in found:
        whole = FILES[cursor.path]
        assert cursor.names
        assert whole.count(b"\n") - cursor.data.count(b"\n") == HIDDEN_LINES
        assert whole.startswith(cursor.data[: cursor.offset])
        for name in cursor.names:
            assert name.encode() in whole and name.encode() not in cursor.data


def test_there_are_fewer_places_than_asked_for_where_few_serve():
    assert list(cursors(FILES.get, ["shop/short.py", "docs/readme.md"], 5, 1)) == []
    assert list(cursors(FILES.get, [], 5, 1)) == []
    assert list(cursors(FILES.get, ["gone.py"], 5, 1)) == []


@pytest.mark.parametrize(
    ("texts", "share"),
    [([], 0.0), (["open_shop()"], 0.5), (["open_shop", "close_shop"], 1.0), (["open_shops"], 0.0)],
)
def test_a_name_is_shown_where_it_stands_as_a_whole(texts, share):
    cursor = Cursor("a.py", b"", 0, frozenset({"open_shop", "close_shop"}))
    assert cursor.recall(texts) == share


def test_siblings_are_those_of_the_same_folder_and_kind_the_nearest_first():
    of = siblings_of(["a/1.py", "a/2.py", "a/3.py", "a/2.js", "b/2.py"])
    assert of("a/2.py") == ["a/1.py", "a/3.py"]
    assert of("a/1.py") == ["a/2.py", "a/3.py"]
    assert of("c/1.py") == []


def test_the_yardstick_takes_the_likeliest_window_within_its_budget():
    here = Cursor("a.py", b"weigh(basket, apples)\n", 22, frozenset({"x"}))
    window = b"weigh(basket, pears)\n"
    files = {"b.py": b"one = two\n" * 60 + window, "c.py": b"nothing = here\n"}
    assert yardstick(files.get, here, ["b.py"], 1_000) == [window.decode()]
    assert yardstick(files.get, here, ["b.py", "c.py"], 25) == [window.decode()]
    assert yardstick(files.get, here, ["gone.py"], 10) == [""]
