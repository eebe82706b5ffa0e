"""Plays a trace on the wall clock against a side and notes what was to be seen after each step.

The keys, their times and the places are the trace's, whoever plays; a side may only save keys:
where the person looks and the ghost text is what the file has, it is taken, and the steps it
makes needless are left out.
"""

import asyncio
from collections.abc import Callable, Iterator

import msgspec

from inkling.cli.bench.side import Ghost, Side, now
from inkling.cli.bench.trace import Step, Trace, apply

LOOK_AHEAD = 400
"""Steps within which taken text must meet the trace again."""


class Moment(msgspec.Struct, frozen=True):
    """What followed one step. Times in milliseconds."""

    name: str
    index: int
    kind: str
    clean: bool
    same_line: bool
    """The step went on where the one before left off, on the same line."""
    window_ms: float
    """Until the next step."""
    seen_ms: float | None
    """Until ghost text stood there; None if it did not before the next step."""
    exact: bool | None
    """Whether it made the line what it is in the file; None where that can't be asked."""
    characters: int = 0
    lines: int = 0
    before: str = ""
    after: str = ""
    """The whole text without and with the ghost text, for a parse afterwards."""


class Played(msgspec.Struct, frozen=True):
    """One trace played by one side."""

    moments: tuple[Moment, ...]
    taken: int
    saved_keys: int


async def play(
    trace: Trace, side: Side, progress: Callable[[int], None] = lambda steps: None
) -> Played:
    """Type the whole trace. Takes as long as a person would."""
    await side.open(trace.name, trace.language_id, trace.initial)
    text, index, taken, saved = trace.initial, 0, 0, 0
    moments: list[Moment] = []
    before: Step | None = None
    due = now()
    while index < len(trace.steps):
        step = trace.steps[index]
        due += step.delay_ms / 1000
        await asyncio.sleep(max(0.0, due - now()))
        jumped = 1
        if step.kind == "look":
            found = _right(text, side.ghost, trace.steps[index + 1 :]) if side.ghost else None
            if found is None:
                index += 1
                progress(1)
                continue
            jumped, step = found
            taken += 1
            saved += jumped - 1
            text = apply(text, step)
            done_at = now()
            await side.take(text, step)
        else:
            text = apply(text, step)
            done_at = now()
            await side.did(text, step)
        index += jumped
        progress(jumped)
        same = before is not None and step.kind in ("key", "overtype") and before.kind != "jump"
        before = step
        upcoming = trace.steps[index].delay_ms / 1000 if index < len(trace.steps) else 1.0
        due = max(due, done_at)
        await asyncio.sleep(max(0.0, due + upcoming - now() - 0.0005))
        moments.append(_moment(trace, index, step, same, upcoming * 1000, done_at, text, side))
    await side.quiet()
    return Played(tuple(moments), taken, saved)


def exact_line(text: str, ghost: Ghost, cursor: int, goal: str) -> bool:
    """Whether taking the ghost text makes the cursor's line exactly `goal`."""
    after = ghost.taken(text)
    start = text.rfind("\n", 0, cursor) + 1
    end = after.find("\n", start)
    return after[start : end if end >= 0 else len(after)] == goal


def _moment(
    trace: Trace,
    index: int,
    step: Step,
    same_line: bool,
    window_ms: float,
    done_at: float,
    text: str,
    side: Side,
) -> Moment:
    ghost = side.ghost
    seen = None if ghost is None else max(0.0, (side.since - done_at) * 1000)
    exact = None
    if ghost is not None and step.clean:
        exact = exact_line(text, ghost, step.cursor, step.goal)
    return Moment(
        name=trace.name,
        index=index,
        kind=step.kind,
        clean=step.clean,
        same_line=same_line,
        window_ms=round(window_ms, 1),
        seen_ms=None if seen is None else round(seen, 2),
        exact=exact,
        characters=len(ghost.text) if ghost else 0,
        lines=ghost.text.count("\n") + 1 if ghost else 0,
        before=text if ghost else "",
        after=ghost.taken(text) if ghost else "",
    )


def _right(text: str, ghost: Ghost, rest: tuple[Step, ...]) -> tuple[int, Step] | None:
    """The longest beginning of the ghost text (all, its first line, its first word) that leads
    to a text the trace itself comes to, and how many steps that saves; None if none does."""
    for piece in _pieces(ghost.text):
        after = text[: ghost.start] + piece + text[ghost.end :]
        cursor = ghost.start + len(piece)
        reached = text
        for count, step in enumerate(rest[:LOOK_AHEAD], start=1):
            if step.kind == "jump":
                break
            reached = apply(reached, step)
            if reached == after and step.clean and after != text and step.cursor == cursor:
                taken = Step(
                    0.0, "look", ghost.start, ghost.end, piece, cursor, step.goal, clean=True
                )
                return count + 1, taken
    return None


def _pieces(text: str) -> Iterator[str]:
    yield text
    line, found, _ = text.partition("\n")
    if found:
        yield line
    word = line[: len(line) - len(line.lstrip())] + (line.split() or [""])[0]
    if word and word != line:
        yield word
