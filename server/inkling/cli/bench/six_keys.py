"""Six keys typed in the middle of a line of unseen code: last key → first usable line.

The place is warm: a wrong key was typed there, stood until the side had nothing more to do (no
prompt to evaluate, no work ahead), and was taken back. llama.vim asks when the cursor arrives, so
it has an answer for the place itself by then; Inkling has evaluated its wide window. All sides type
the same keys at the same places with the same pauses. Nothing within 10 s counts as not answered.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterator, Sequence

import msgspec

from inkling.cli.bench.corpus import SourceFile
from inkling.cli.bench.lines import code_lines
from inkling.cli.bench.replay import exact_line
from inkling.cli.bench.side import Side, now
from inkling.cli.bench.trace import Step

KEYS = 6
LIMIT_S = 10.0
POLL_S = 0.002
SLIP = "~"
"""The wrong key: no line of code goes on with it."""


class Spot(msgspec.Struct, frozen=True):
    """A place: `text` lacks the rest of one line from code point `at`; `keys` come first."""

    name: str
    language_id: str
    text: str
    at: int
    keys: str
    goal: str
    pauses_s: tuple[float, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What one side did at one spot; ms None: nothing in time."""

    name: str
    ms: float | None
    exact: bool
    kept: bool
    """It was there already when the last key came: typed through."""
    before: str = ""
    after: str = ""


def spots(files: Sequence[SourceFile], seed: int, count: int) -> list[Spot]:
    """`count` seeded places, one a file while the files last."""
    found: list[Spot] = []
    for round_number in range(8):
        for file in files:
            if len(found) == count:
                return found
            dice = random.Random(f"{seed}:{round_number}:{file.name}")
            fit = list(_fit(file.text))
            if fit:
                found.append(_spot(file, *dice.choice(fit), dice))
    return found


async def play_spot(spot: Spot, side: Side) -> Outcome:
    """Type the keys and wait for the line. Takes 3 to 20 s."""
    await side.open(spot.name, spot.language_id, spot.text)
    text, cursor = spot.text, spot.at
    await side.did(text, Step(0, "jump", cursor, cursor, "", cursor, spot.goal, True))
    slip = text[:cursor] + SLIP + text[cursor:]
    await side.did(slip, Step(0, "slip", cursor, cursor, SLIP, cursor + 1, spot.goal, False))
    await side.quiet()
    back = Step(0, "backspace", cursor, cursor + 1, "", cursor, spot.goal, True)
    await side.did(text, back)
    last = now()
    for key, pause in zip(spot.keys, spot.pauses_s, strict=True):
        await asyncio.sleep(pause)
        text = text[:cursor] + key + text[cursor:]
        step = Step(0, "key", cursor, cursor, key, cursor + 1, spot.goal, True)
        cursor += 1
        last = now()
        await side.did(text, step)
    kept = side.ghost is not None
    # Polled: what the sides wait for are a socket, a pipe and a timer, with nothing in common.
    while side.ghost is None and side.busy() and now() - last < LIMIT_S:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)
    ghost = side.ghost
    seen = None if ghost is None else max(0.0, (side.since - last) * 1000)
    await side.quiet()
    if ghost is None or seen is None:
        return Outcome(spot.name, None, False, False)
    right = exact_line(text, ghost, cursor, spot.goal)
    return Outcome(spot.name, round(seen, 2), right, kept, text, ghost.taken(text))


async def play_spots(
    places: Sequence[Spot], side: Side, progress: Callable[[int], None]
) -> list[Outcome]:
    """All spots, one after the other."""
    outcomes = []
    for place in places:
        outcomes.append(await play_spot(place, side))
        progress(1)
    return outcomes


def _fit(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, cut and end of the lines that can be cut inside a word with enough left."""
    for start, line in code_lines(text, 24, 90):
        indent = len(line) - len(line.lstrip())
        cut = indent + max(4, (len(line) - indent) // 3)
        yield start, start + cut, start + len(line)


def _spot(file: SourceFile, start: int, cut: int, end: int, dice: random.Random) -> Spot:
    return Spot(
        file.name,
        file.language_id,
        file.text[:cut] + file.text[end:],
        cut,
        file.text[cut : cut + KEYS],
        file.text[start:end],
        tuple(min(max(dice.lognormvariate(math.log(0.17), 0.45), 0.04), 1.2) for _ in range(KEYS)),
    )
