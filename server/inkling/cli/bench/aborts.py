"""How fast the engine stops: cancel at seeded moments mid-prompt and mid-decode, and read from
the engine's own stats how long it took from the order to being idle. Alone with the engine.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from inkling.app import build
from inkling.cli.bench.corpus import SourceFile
from inkling.cli.bench.server_side import NotReady
from inkling.cli.bench.side import now
from inkling.config import Settings
from inkling.engine.api import DoneEvent, Engine, GenerateRequest, Ready, TextEvent, Unavailable

PROMPT_CHARACTERS = 2400


class Aborts(msgspec.Struct, frozen=True):
    """Milliseconds from the order to an idle engine, by what was going on."""

    prompt_ms: tuple[float, ...]
    decode_ms: tuple[float, ...]
    missed: int
    """Requests that had ended before the order came."""


async def measure(
    settings: Settings,
    files: Sequence[SourceFile],
    seed: int,
    rounds: int,
    progress: Callable[[int], None],
) -> Aborts:
    """`rounds` aborts of each kind. Raises NotReady."""
    app = build(settings)
    app.start()
    try:
        return await _rounds(app.engine, files, random.Random(seed), rounds, progress)
    finally:
        await app.close()


async def ready(engine: Engine) -> None:
    """Wait for the engine. Raises NotReady where it will not come by itself."""
    async for state in engine.states():
        if isinstance(state, Ready):
            return
        if isinstance(state, Unavailable) and state.retry_s is None:
            raise NotReady(state.reason)


async def _rounds(
    engine: Engine,
    files: Sequence[SourceFile],
    dice: random.Random,
    rounds: int,
    progress: Callable[[int], None],
) -> Aborts:
    await ready(engine)
    prompt: list[float] = []
    decode: list[float] = []
    missed = 0
    for number in range(2 * rounds):
        # A text the engine has not seen, so that there is a whole prompt to evaluate.
        text = dice.choice(files).text
        start = dice.randrange(max(1, len(text) - PROMPT_CHARACTERS))
        head = (f"{number}\n" + text[start : start + PROMPT_CHARACTERS],)
        request = GenerateRequest(id=1_000_000 + number, head=head, max_tokens=120)
        mid_decode = number % 2 == 1
        done = await _abort_one(engine, request, mid_decode, dice.uniform(0.05, 0.5))
        if done.reason != "cancelled" or not done.stats.abort_ms:
            missed += 1
        elif mid_decode:
            decode.append(done.stats.abort_ms)
        else:
            prompt.append(done.stats.abort_ms)
        progress(1)
    return Aborts(tuple(prompt), tuple(decode), missed)


async def _abort_one(
    engine: Engine, request: GenerateRequest, mid_decode: bool, after_s: float
) -> DoneEvent:
    """Cancel one request, either `after_s` after it was sent or after its first texts."""
    events = engine.generate(request)
    timer = None
    if not mid_decode:
        timer = asyncio.get_running_loop().call_later(after_s, engine.cancel, request.id)
    began = now()
    async for event in events:
        if isinstance(event, DoneEvent):
            if timer is not None:
                timer.cancel()
            return event
        # Mid-decode: a moment after the first text, wherever in a step that falls.
        if mid_decode and timer is None and isinstance(event, TextEvent):
            timer = asyncio.get_running_loop().call_later(after_s / 5, engine.cancel, request.id)
    raise NotReady(f"the engine ended without a word after {now() - began:.1f} s")
