"""What the index's figures are held to."""

import pytest

from inkling.cli.bench.index_targets import MANY, TARGETS, Target, held, limit_of, met

MOST = Target("a", "a", few=8, many=25)
LEAST = Target("b", "b", few=50, side="at least")


@pytest.mark.parametrize(
    ("target", "value", "files", "expected"),
    [
        (MOST, 8, 10_000, True),
        (MOST, 8.1, 10_000, False),
        (MOST, 8.1, MANY, True),
        (MOST, 25.1, MANY, False),
        (MOST, None, MANY, None),
        (LEAST, 50, 10, True),
        (LEAST, 49.9, 10, False),
        (LEAST, 49.9, MANY, None),
        (Target("c", "c"), 1, 10, None),
    ],
)
def test_a_figure_is_held_to_the_target_of_its_trees_size(target, value, files, expected):
    assert met(target, value, files) is expected


def test_each_figure_has_one_row():
    keys = [target.key for target in TARGETS]
    assert len(set(keys)) == len(keys)


def test_rows_come_in_the_tables_order_and_without_what_was_not_measured():
    figures = {"recall": 51.0, "key_to_buffer_p99_ms": 2.0, "cold_lexical_s": None}
    rows = held(figures, 500)
    assert [(row["key"], row["met"]) for row in rows] == [
        ("key_to_buffer_p99_ms", False),
        ("recall", True),
    ]
    assert rows[0]["target"] == limit_of(next(t for t in TARGETS if t.key == rows[0]["key"]), 500)
