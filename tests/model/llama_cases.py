"""Running a real engine process in the tests: where the models are, and how to read answers."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inkling.engine.api import (
    DoneEvent,
    Event,
    FimTokens,
    GenerateRequest,
    Piece,
    Ready,
    Starting,
    Stats,
    TextEvent,
    Unavailable,
)
from inkling.engine.client import LlamaEngine
from inkling.models.cache import Missing, resolve

TIMEOUT = 120.0
BEFORE = '''class Basket:
    """Fruit, and how to count it."""

    def __init__(self, fruit: list[str]) -> None:
        self.fruit = fruit
        self.counted = 0

    def count_all(self) -> int:
        """Count every piece of fruit once."""
        for piece in self.fruit:
            '''
AFTER = "\n        return self.counted\n"


def model_file(variable: str, name: str) -> Path:
    """The model to test with: a path in an environment variable, or the installed one."""
    if path := os.environ.get(variable):
        return Path(path)
    found = resolve(name)
    if isinstance(found, Missing):
        pytest.skip(f"{name} is not installed (`inkling pull {name}`) and {variable} is not set")
    return found


def default_model() -> Path:
    return model_file("INKLING_TEST_MODEL", "qwen2.5-coder-0.5b")


def plain_model() -> Path:
    """A model without fill-in-the-middle tokens."""
    return model_file("INKLING_TEST_PLAIN_MODEL", "smollm2-135m")


@dataclass
class Answer:
    """One request's events, put together."""

    texts: dict[int, str] = field(default_factory=dict)
    probabilities: list[float] = field(default_factory=list)
    done: DoneEvent = field(default_factory=lambda: DoneEvent(0, "failed"))

    @property
    def text(self) -> str:
        return self.texts.get(0, "")

    @property
    def stats(self) -> Stats:
        return self.done.stats

    def add(self, event: Event) -> None:
        if isinstance(event, DoneEvent):
            self.done = event
        elif isinstance(event, TextEvent):
            self.texts[event.candidate] = self.texts.get(event.candidate, "") + event.text
            self.probabilities.append(event.probability)


class Bench:
    """An engine that is ready, and a counter for request ids."""

    def __init__(self, engine: LlamaEngine, ready: Ready) -> None:
        self.engine = engine
        self.model = ready.model
        self._ids = 0

    def head(self, before: str = BEFORE, after: str = AFTER) -> tuple[Piece, ...]:
        fim: FimTokens | None = self.model.fim
        if fim is None:
            return (before,)
        return (fim.prefix, before, fim.suffix, after, fim.middle)

    def request(
        self, forced: str = "", head: tuple[Piece, ...] | None = None, **values: Any
    ) -> GenerateRequest:
        self._ids += 1
        defaults: dict[str, Any] = {"max_tokens": 24, "stop": ("\n",)}
        return GenerateRequest(
            self._ids, self.head() if head is None else head, forced, **(defaults | values)
        )

    async def answer(self, request: GenerateRequest) -> Answer:
        async def read() -> Answer:
            answer = Answer()
            async for event in self.engine.generate(request):
                answer.add(event)
            return answer

        return await asyncio.wait_for(read(), TIMEOUT)


@asynccontextmanager
async def running(model: Path, cache: Path, *, context_tokens: int = 2048) -> AsyncIterator[Bench]:
    engine = LlamaEngine(
        model, name=model.stem, cache=cache, context_tokens=context_tokens, optimise_weights=False
    )
    task = asyncio.create_task(engine.run())
    try:
        state = await asyncio.wait_for(settled(engine), TIMEOUT)
        assert isinstance(state, Ready), state
        yield Bench(engine, state)
    finally:
        await engine.close()
        await asyncio.wait_for(task, TIMEOUT)


async def settled(engine: LlamaEngine) -> Ready | Unavailable:
    """The first state in which the engine has loaded its model, or cannot."""
    async for state in engine.states():
        if not isinstance(state, Starting):
            return state
    raise AssertionError("the engine was closed")
