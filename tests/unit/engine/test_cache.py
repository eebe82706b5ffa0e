"""The prompts in a context: what is kept, moved and found again, whatever is stopped."""

import random

import pytest

from inkling.engine.cache import KvCache
from inkling.engine.errors import NoRoom
from inkling.engine.healing import Step
from inkling.engine.mailbox import Head
from inkling.engine.reuse import ANEW
from inkling.engine.sequences import (
    LEFT_SEQUENCES,
    MAX_SEQUENCES,
    MOVING_SEQUENCE,
    SPARE_SEQUENCE,
)

from .test_reuse import MID, PRE, SUF
from .toy_context import ToyContext


def around(document: list[int], start: int, cursor: int, end: int) -> Head:
    """The prompt for a cursor in a document of tokens."""
    prefix, suffix = document[start:cursor], document[cursor:end]
    tokens = (PRE, *prefix, SUF, *suffix, MID)
    middle = 1 + len(prefix)
    ends = (1, middle, middle + 1, len(tokens) - 1, len(tokens))
    return Head(tokens, ends, (middle + 1, len(tokens) - 1))


def check(context: ToyContext, cache: KvCache) -> None:
    """Every sequence holds what the cache believes it does."""
    path = [step.token for step in cache.path[: cache.evaluated]]
    assert context.tokens(0) == list(enumerate(path))
    for sequence in LEFT_SEQUENCES:
        slot = cache._left.get(sequence)
        left = [step.token for step in slot.path] if slot else []
        assert context.tokens(sequence) == list(enumerate(left))
        assert slot is None or slot.evaluated == len(left)
    moving = cache._moving
    found = context.tokens(MOVING_SEQUENCE)
    if moving is None:
        assert not found
    else:
        assert found == list(enumerate(moving.tokens, start=moving.start))
        assert context.owners(MOVING_SEQUENCE) == {MOVING_SEQUENCE}, "moved for nobody else"
    assert not context.tokens(SPARE_SEQUENCE)


def ask(context: ToyContext, cache: KvCache, head: Head, *, ahead: bool = False) -> int:
    """Evaluate a prompt as the decoder does; how many tokens that took, or were done before it
    was stopped."""
    before = context.computed
    cache.turn_to(head, fresh=ahead)
    check(context, cache)
    path = [Step(token) for token in head.tokens]
    cache.adopt(path, head, fresh=ahead, room=context.size - len(path) - 40)
    check(context, cache)
    while cache.evaluated < len(head.tokens):
        finished = cache.evaluate(min(cache.evaluated + 32, len(head.tokens)))
        check(context, cache)
        if not finished:
            break
    return context.computed - before


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_context_holds_what_the_cache_believes(seed: int) -> None:
    dice = random.Random(seed)
    stops = dice.choice([0.0, 0.1, 0.4])
    size = dice.choice([300, 500, 900, 3000])
    context = ToyContext(size, ubatch=dice.choice([8, 16, 64]), stops=stops, seed=seed)
    cache = KvCache(context)  # type: ignore[arg-type]
    words = dice.choice([20, 300])
    documents = [[dice.randrange(10, 10 + words) for _ in range(400)] for _ in range(2)]
    start, cursor = 150, 200
    heads: list[Head] = []
    for _ in range(60):
        document = documents[dice.random() < 0.1]
        cursor = min(390, max(5, cursor + dice.choice([-20, -3, 3, 9, dice.randrange(-99, 99)])))
        if not start <= cursor <= start + 150:
            start = max(0, cursor - 60)
        heads.append(around(document, start, cursor, min(400, cursor + dice.choice([80, 110]))))
        head = dice.choice(heads) if dice.random() < 0.3 else heads[-1]
        if len(head.tokens) + 40 > size:
            continue
        try:
            ahead = dice.random() < 0.3
            ask(context, cache, head, ahead=ahead)
            if not ahead and cache.evaluated == len(head.tokens):
                speak(context, cache, dice)
        except NoRoom:
            cache.clear()
        check(context, cache)


def speak(context: ToyContext, cache: KvCache, dice: random.Random) -> None:
    """Choose some tokens; sometimes go aside for other candidates."""
    for _ in range(dice.randrange(20)):
        while cache.scores() is None:
            if cache.evaluated == len(cache.path):
                cache.undo_last()
            if not cache.evaluate(min(cache.evaluated + 32, len(cache.path))):
                return
            check(context, cache)
        cache.append(Step(dice.randrange(10, 300)))
    at = dice.randrange(len(cache.head.tokens), cache.evaluated + 1)
    if cache.scores_at(at) is not None:
        context.fork(1, at)
        cache.evaluate_beside([(dice.randrange(10, 300), at, 1)])
        context.drop(1)


DOCUMENT = list(range(1000, 3000))


def test_another_line_costs_a_line_and_going_back_nothing() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    here, next_line = around(DOCUMENT, 0, 500, 700), around(DOCUMENT, 0, 510, 700)
    far = around(DOCUMENT, 1200, 1500, 1600)
    assert ask(context, cache, here) == len(here.tokens)
    assert ask(context, cache, next_line) == 10 + 2 + ANEW  # the line and the marks
    assert ask(context, cache, far) == len(far.tokens) - 1
    assert ask(context, cache, next_line) == 0
    assert ask(context, cache, far) == 0


def test_what_is_evaluated_ahead_takes_nothing_away() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    first = around(DOCUMENT, 0, 500, 700)
    quick, wide = around(DOCUMENT, 1400, 1500, 1550), around(DOCUMENT, 900, 1500, 1700)
    ask(context, cache, first)
    ask(context, cache, quick)
    assert ask(context, cache, wide, ahead=True) == len(wide.tokens) - 1
    for known in (quick, first, wide):
        assert ask(context, cache, known) == 0


def test_what_was_moved_is_evaluated_anew_when_there_is_time() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    ask(context, cache, around(DOCUMENT, 0, 500, 700))
    moved = around(DOCUMENT, 0, 510, 700)
    ask(context, cache, moved)
    assert ask(context, cache, moved, ahead=True) > 150
    assert ask(context, cache, moved, ahead=True) == 0


def test_what_was_left_last_stays_whatever_else_is_kept() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    for start in (0, 300, 600, 900):
        ask(context, cache, around(DOCUMENT, start, start + 190, start + 230))
    quick = around(DOCUMENT, 1500, 1590, 1600)
    ask(context, cache, quick)
    # Evaluating ahead begins with the beginning of a prompt that was left, and keeps that, too.
    ask(context, cache, around(DOCUMENT, 900, 1000, 1400), ahead=True)
    assert ask(context, cache, quick) == 0


def test_the_smallest_goes_first_where_there_is_no_room() -> None:
    context = ToyContext(1000)
    cache = KvCache(context)  # type: ignore[arg-type]
    large, small = around(DOCUMENT, 0, 350, 400), around(DOCUMENT, 1000, 1080, 1100)
    ask(context, cache, small)
    ask(context, cache, large)
    ask(context, cache, around(DOCUMENT, 1400, 1750, 1950))
    assert ask(context, cache, large) == 0
    assert ask(context, cache, small) == len(small.tokens) - 1


def test_a_model_that_cannot_share_keeps_one_prompt() -> None:
    context = ToyContext(4096)
    context.can_fork = context.can_move = False
    cache = KvCache(context)  # type: ignore[arg-type]
    here, there = around(DOCUMENT, 0, 500, 700), around(DOCUMENT, 1000, 1300, 1400)
    ask(context, cache, here)
    ask(context, cache, there)
    assert ask(context, cache, here) == len(here.tokens) - 1
    assert all(not context.tokens(sequence) for sequence in range(1, MAX_SEQUENCES))


def test_going_down_line_by_line_pushes_no_other_place_out() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    there = around(DOCUMENT, 1200, 1500, 1700)
    ask(context, cache, there)
    for line in range(500, 580, 10):
        here = around(DOCUMENT, 0, line, 700)
        ask(context, cache, here)
        ask(context, cache, here, ahead=True)
    assert ask(context, cache, there) == 0


def test_a_move_takes_no_other_place_away() -> None:
    context = ToyContext(4096)
    cache = KvCache(context)  # type: ignore[arg-type]
    there = around(DOCUMENT, 1200, 1500, 1700)
    ask(context, cache, there)
    ask(context, cache, around(DOCUMENT, 0, 500, 700))
    ask(context, cache, around(DOCUMENT, 0, 510, 700), ahead=True)
    for line in (400, 390, 380):
        ask(context, cache, around(DOCUMENT, 0, line, 700))
    assert ask(context, cache, there) == 0
