"""Holes: what is cut out is exactly what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.cli.bench.corpus import SourceFile, choose
from inkling.cli.bench.holes import KINDS, Hole, accepted, cut, similarity
from inkling.cli.bench.quality_run import figures, score
from inkling.cli.bench.side import Ghost
from inkling.cli.bench.six_keys import KEYS, spots

LINE = "    value_of_it = compute(first_part, second_part, {})\n"
FILE = SourceFile("a.py", "python", "import os\n" * 12 + LINE.replace("{}", "third") * 20)


@given(st.integers(0, 10_000))
def test_holes_are_reconstructible(seed: int) -> None:
    holes = cut([FILE], seed, 8)
    assert [hole.kind for hole in holes] == list(KINDS) * 2
    for hole in holes:
        assert hole.before + hole.expected + hole.after == FILE.text
        assert hole.goal in FILE.text.split("\n")
        assert "\n" not in hole.expected
        assert hole.expected


@given(st.integers(0, 10_000))
def test_six_key_spots_lead_to_the_line(seed: int) -> None:
    (spot,) = spots([FILE], seed, 1)
    line = spot.text[spot.text.rfind("\n", 0, spot.at) + 1 : spot.at] + spot.keys
    assert spot.goal.startswith(line)
    assert len(spot.keys) == len(spot.pauses_s) == KEYS


def test_choosing_is_seeded_and_whole() -> None:
    files = [SourceFile(f"{n}.py", "python", "") for n in range(5)]
    files += [SourceFile(f"{n}.go", "go", "") for n in range(3)]
    assert list(choose(files, 1)) == list(choose(list(reversed(files)), 1))
    assert sorted(file.name for file in choose(files, 2)) == sorted(file.name for file in files)


@pytest.mark.parametrize(
    ("expected", "got", "kept"),
    [("abc", "abc", 3), ("abc", "abd", 2), ("abc", "", 0), ("abc", "abcdef", 3), ("ab", "xab", 0)],
)
def test_accepted(expected: str, got: str, kept: int) -> None:
    assert accepted(expected, got) == kept


def test_similarity() -> None:
    assert similarity("abc", "abc") == 1.0
    assert similarity("abc", "xyz") == 0.0


HOLE = Hole("h:1", "arguments", "python", "x = f(", "a, b", ")\nz = 1\n")


@pytest.mark.parametrize(
    ("ghost", "got", "exact"),
    [
        (Ghost(6, 6, "a, b"), "a, b", True),
        (Ghost(6, 6, "a"), "a", False),
        (Ghost(6, 6, "a, b\nmore"), "a, b", True),
        (Ghost(4, 6, "f(a, b"), "a, b", True),
        (None, "", False),
    ],
)
def test_only_the_first_line_counts(ghost: Ghost | None, got: str, exact: bool) -> None:
    row = score(HOLE, ghost, 1.0, None, "")
    assert (row.got, row.exact) == (got, exact)


def test_figures_by_kind() -> None:
    rows = [score(HOLE, Ghost(6, 6, "a, b"), 1.0, 5, ""), score(HOLE, None, 3.0, None, "why")]
    found = figures(rows)
    assert found["arguments"] == found["all holes"]
    assert found["arguments"]["exact"] == 0.5
    assert found["arguments"]["shown"] == 0.5
    assert found["arguments"]["passed"] is None
    assert found["arguments"]["evaluated_tokens_median"] == 5
