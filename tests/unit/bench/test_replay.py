"""What stands in the editor while a trace is played, and when a suggestion is taken."""

import asyncio

import pytest

from inkling.cli.bench.replay import Played, exact_line, play
from inkling.cli.bench.side import Ghost, now
from inkling.cli.bench.trace import Step, Trace


def key(at: int, text: str, kind: str = "key", goal: str = "x = one") -> Step:
    return Step(1.0, kind, at, at, text, at + len(text), goal, True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (key(2, "a"), Ghost(2, 3, "abc")),
        (key(2, "b"), None),
        (key(2, "abc"), None),
        (key(1, "a"), None),
        (Step(1.0, "backspace", 1, 2, "", 1, "", True), None),
        (Step(1.0, "key", 2, 2, "()", 3, "", True), None),
    ],
)
def test_typing_through(step: Step, left: Ghost | None) -> None:
    assert Ghost(2, 2, "abc").typed_through(step) == left


def test_typed_through_twice_is_taken_whole() -> None:
    ghost = Ghost(0, 0, "abc").typed_through(key(0, "a"))
    assert ghost is not None
    ghost = ghost.typed_through(key(1, "b"))
    assert ghost is not None
    assert ghost.taken("ab\n") == "abc\n"


def test_a_line_is_exact_only_as_a_whole() -> None:
    text = "x = \ny"
    assert exact_line(text, Ghost(4, 4, "one"), 4, "x = one")
    assert exact_line(text, Ghost(4, 4, "one\ntwo"), 4, "x = one")
    assert not exact_line(text, Ghost(4, 4, "on"), 4, "x = one")


class Oracle:
    """A side that always shows the rest of the line at once. Owner of what it was told."""

    name = "oracle"

    def __init__(self) -> None:
        self.ghost: Ghost | None = None
        self.since = 0.0
        self.told: list[str] = []
        self.taken: list[str] = []

    async def start(self) -> None:
        return None

    async def open(self, name: str, language_id: str, text: str) -> None:
        self.told.append(text)

    async def did(self, text: str, step: Step) -> None:
        self.told.append(text)
        rest = step.goal[len(text.partition("\n")[0]) :]
        self.ghost = Ghost(step.cursor, step.cursor, rest) if rest else None
        self.since = now()

    async def take(self, text: str, step: Step) -> None:
        self.taken.append(step.text)
        await self.did(text, step)

    def busy(self) -> bool:
        return False

    async def quiet(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        return None


def played(steps: list[Step]) -> tuple[Oracle, Played]:
    side = Oracle()
    trace = Trace("a.py", "python", "\n", "x = one\n", tuple(steps))
    return side, asyncio.run(play(trace, side))


def test_a_right_suggestion_is_taken_and_its_keys_are_saved() -> None:
    steps = [key(at, letter) for at, letter in enumerate("x = one")]
    look = Step(1.0, "look", 4, 4, "", 4, "x = one", True)
    side, result = played([*steps[:4], look, *steps[4:]])
    assert side.taken == ["one"]
    assert side.told[-1] == "x = one\n"
    assert (result.taken, result.saved_keys) == (1, 3)
    assert [moment.exact for moment in result.moments][:4] == [True] * 4


def test_a_wrong_suggestion_is_not_taken() -> None:
    goal = "x = two"
    steps = [key(at, letter, goal=goal) for at, letter in enumerate("x = one")]
    look = Step(1.0, "look", 4, 4, "", 4, goal, True)
    side, result = played([*steps[:4], look, *steps[4:]])
    assert (side.taken, result.saved_keys) == ([], 0)
    assert side.told[-1] == "x = one\n"
