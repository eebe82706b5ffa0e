"""What of one prompt serves another."""

from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.healing import Step
from inkling.engine.mailbox import Head
from inkling.engine.reuse import ANEW, LEAST, Run, Slot, after_cursor, common, movable

PRE, SUF, MID = 1, 2, 3
BEFORE = list(range(500, 540))
TOKENS = st.lists(st.integers(10, 14), max_size=80)


def head(prefix: list[int], suffix: list[int]) -> Head:
    tokens = (PRE, *prefix, SUF, *suffix, MID)
    middle = 1 + len(prefix)
    ends = (1, middle, middle + 1, len(tokens) - 1, len(tokens))
    return Head(tokens, ends, (middle + 1, len(tokens) - 1))


def slot(prefix: list[int], suffix: list[int], evaluated: int | None = None) -> Slot:
    of = head(prefix, suffix)
    path = [Step(token) for token in of.tokens]
    return Slot(of, path, len(path) if evaluated is None else evaluated, None)


def run(before: Slot, after: Head) -> Run | None:
    same = common([step.token for step in before.path[: before.evaluated]], after.tokens)
    return movable(after_cursor(before, same), after, same)


def test_the_suffix_moves_with_a_new_line_but_its_beginning_is_evaluated_anew() -> None:
    suffix = list(range(100, 160))
    found = run(slot(BEFORE, suffix), head([*BEFORE, 12, 13, 14], suffix))
    start = len(BEFORE) + 2
    assert found == Run(start + ANEW, start + 3 + ANEW, tuple(suffix[ANEW:]))


def test_the_cursor_goes_down_and_up() -> None:
    lines = list(range(100, 200))
    down = run(slot(BEFORE, lines[:80]), head([*BEFORE, *lines[:20]], lines[20:]))
    assert down is not None and down.tokens == tuple(lines[20 + ANEW : 80])
    up = run(slot([*BEFORE, *lines[:20]], lines[20:]), head(BEFORE, lines[:80]))
    assert up is not None and up.tokens == tuple(lines[20 + ANEW : 80])


def test_what_is_not_worth_it_or_not_there_stays() -> None:
    suffix = list(range(100, 160))
    assert run(slot([10], suffix[: LEAST + ANEW - 1]), head([11], suffix)) is None
    assert run(slot([10], suffix, evaluated=LEAST), head([11], suffix)) is None
    assert run(slot([10], suffix), head([10], suffix)) is None
    assert run(slot(BEFORE, suffix), head(BEFORE[::-1], suffix)) is None, "another place"
    assert run(slot([10], suffix), Head((PRE, *suffix), (1, 61))) is None


@given(TOKENS, TOKENS, TOKENS, TOKENS, st.integers(0, 170))
def test_a_run_is_the_same_text_in_both_and_lies_behind_the_common_beginning(
    prefix: list[int], suffix: list[int], other: list[int], rest: list[int], evaluated: int
) -> None:
    before, after = slot(prefix, suffix), head(other, suffix[: len(rest)] + rest)
    before.evaluated = min(evaluated, len(before.path))
    found = run(before, after)
    if found is None:
        return
    same = common([step.token for step in before.path[: before.evaluated]], after.tokens)
    assert after.tokens[found.into : found.into + found.size] == found.tokens
    old = [step.token for step in before.path[found.start : found.start + found.size]]
    assert tuple(old) == found.tokens
    assert found.start + found.size <= before.evaluated
    assert found.into >= same + ANEW and found.start >= same + ANEW
    first, last = after.last_text
    assert first <= found.into and found.into + found.size <= last


def test_what_was_moved_is_not_fresh() -> None:
    known = slot([10, 11], [20, 21, 22])
    known.stale = 5
    assert known.known(known.head.tokens, fresh=False) == len(known.path)
    assert known.known(known.head.tokens, fresh=True) == 5
