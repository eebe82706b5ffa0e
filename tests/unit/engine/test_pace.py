"""Long prompts are fed in stages, each the beginning of the next; short ways are gone at once."""

from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.api import Piece, Stats
from inkling.engine.pace import FEWEST_TOKENS, Pace, beginning, length, shared

LINES = "a = 1\n" * 400
PROMPT: tuple[Piece, ...] = (1, LINES, 2, "b\n" * 100, 3)
PIECES = st.lists(st.one_of(st.integers(1, 3), st.text("ab\n", max_size=40)), max_size=6).map(tuple)


def evaluated(tokens: int, ms: float) -> Stats:
    return Stats(prompt_tokens=tokens, evaluated_tokens=tokens, prompt_ms=ms)


def test_a_short_prompt_goes_at_once() -> None:
    assert Pace().stages((1, "a = 1\n" * 10, 3)) == ()


def test_a_long_prompt_goes_in_stages_cut_at_lines() -> None:
    stages = Pace().stages(PROMPT)
    assert len(stages) > 5
    for shorter, longer in zip(stages, (*stages[1:], PROMPT), strict=True):
        assert shared(shorter, longer) == length(shorter) < length(longer)
        text = shorter[-1]
        assert isinstance(text, str)
        assert text.endswith("\n")


def test_what_the_server_holds_is_not_fed_again() -> None:
    pace = Pace()
    pace.evaluated(PROMPT, evaluated(1000, 4000))
    assert pace.stages(PROMPT) == ()
    assert pace.stages((*PROMPT, "typed since")) == ()
    assert pace.stages((1, LINES + "c = 2\n", *PROMPT[2:])) == ()


def test_a_faster_server_gets_longer_stages() -> None:
    slow, fast = Pace(), Pace()
    slow.evaluated(("x",), evaluated(100, 10_000))
    fast.evaluated(("x",), evaluated(1000, 250))
    assert len(slow.stages(PROMPT)) > len(Pace().stages(PROMPT)) - 1
    assert fast.stages(PROMPT) == ()


def test_a_token_or_two_tell_nothing_of_the_speed() -> None:
    pace = Pace()
    pace.evaluated(("x",), evaluated(1, 1000))
    assert len(pace.stages(PROMPT)) == len(Pace().stages(PROMPT))


@given(PIECES, st.integers(0, 100))
def test_a_beginning_is_one(prompt: tuple[Piece, ...], size: int) -> None:
    taken = beginning(prompt, size)
    assert length(taken) <= size
    assert shared(taken, prompt) == length(taken)


@given(PIECES)
def test_stages_grow(prompt: tuple[Piece, ...]) -> None:
    long = tuple(piece * FEWEST_TOKENS if isinstance(piece, str) else piece for piece in prompt)
    sizes = [length(stage) for stage in Pace().stages(long)]
    assert sizes == sorted(sizes)
    assert all(size < length(long) for size in sizes)
