"""The typing that is replayed: it ends in the file as it was, whatever the habits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.cli.bench.trace import Habits, apply, mates, plan

SOURCE = '''\
"""A module."""

import os


def total(values, start=0):
    result = start
    for value in values:
        if value is not None:
            result += convert(value, [1, 2], {"a": (3, 4)})
        else:
            print("nothing in", values)
    return result


class Box:
    def __init__(self, width, height):
        self.width = max(width, int("12"))
        self.height = height * (width + 1)
'''
HABITS = st.builds(
    Habits,
    slip_share=st.floats(0, 0.5),
    pause_share=st.floats(0, 1),
    look_share=st.floats(0, 1),
    closes_pairs=st.sampled_from([0.0, 0.5, 1.0]),
)


@given(st.integers(0, 10_000), st.integers(1, 400), HABITS)
def test_typing_restores_the_file(seed: int, keys: int, habits: Habits) -> None:
    trace = plan("a.py", "python", SOURCE, seed, keys, habits)
    text = trace.initial
    for step in trace.steps:
        assert 0 <= step.start <= step.end <= len(text)
        text = apply(text, step)
        assert 0 <= step.cursor <= len(text)
    assert text == trace.final == SOURCE
    assert len(trace.initial) < len(SOURCE)


def test_the_same_seed_types_the_same() -> None:
    one = plan("a.py", "python", SOURCE, 7, 100, Habits())
    assert one == plan("a.py", "python", SOURCE, 7, 100, Habits())
    assert one != plan("a.py", "python", SOURCE, 8, 100, Habits())


def test_a_slip_is_taken_back_and_marked() -> None:
    trace = plan("a.py", "python", SOURCE, 1, 200, replace(Habits(), slip_share=1.0))
    for slip, back in zip(trace.steps, trace.steps[1:], strict=False):
        if slip.kind == "slip":
            assert not slip.clean
            assert (back.kind, back.start, back.end) == ("backspace", slip.start, slip.cursor)
            assert back.clean


def test_an_editor_that_closes_pairs_has_its_closers_typed_over() -> None:
    trace = plan("a.py", "python", SOURCE, 1, 400, replace(Habits(), closes_pairs=1.0))
    doubled = [step for step in trace.steps if step.kind == "key" and len(step.text) == 2]
    assert doubled
    assert len(doubled) == sum(step.kind == "overtype" for step in trace.steps)


def test_goals_are_lines_of_the_file() -> None:
    trace = plan("a.py", "python", SOURCE, 3, 300, Habits())
    assert {step.goal for step in trace.steps} <= set(SOURCE.split("\n"))


def test_pauses_between_keys_have_the_wanted_median() -> None:
    trace = plan("a.py", "python", SOURCE, 5, 400, Habits())
    delays = sorted(step.delay_ms for step in trace.steps if step.kind == "key")
    assert 130 < delays[len(delays) // 2] < 230


def test_a_file_with_nothing_to_type_is_refused() -> None:
    with pytest.raises(ValueError, match="no line fit"):
        plan("a.py", "python", "x = 1\n", 1, 10, Habits())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("f(a[1])", {3: 5, 1: 6}),
        ("f(')')", {2: 4, 1: 5}),
        ("f(", {}),
        ("f)(", {}),
        ("don't (x", {}),
        ('"""(a)"""', {}),
        (r"'\'' (a)", {}),
        ("", {}),
    ],
)
def test_mates(line: str, found: dict[int, int]) -> None:
    assert mates(line) == found
