"""The `openai` back-end against a real llama-server with the real default model."""

import asyncio
import importlib.util
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from inkling.cli.bench.llama_server import RunningServer, ServerOptions, llama_server
from inkling.engine import markers
from inkling.engine.api import (
    DoneEvent,
    Event,
    GenerateRequest,
    ModelInfo,
    Piece,
    Ready,
    TextEvent,
    Unavailable,
)
from inkling.engine.asking import Server
from inkling.engine.dialects import CompletionsServer, Finish, Order, Words
from inkling.engine.http import address
from inkling.engine.openai import OpenAIEngine
from inkling.models.cache import resolve

pytestmark = pytest.mark.model
PATIENCE_S = 120.0

BEFORE = 'def longest(items: list[str]) -> str:\n    result = ""\n    '
AFTER = "\n    return result\n"


@pytest.fixture(scope="session")
def options() -> ServerOptions:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp, which carries llama-server, is not installed")
    given = os.environ.get("INKLING_TEST_MODEL", "qwen2.5-coder-0.5b")
    model = resolve(given)
    if not isinstance(model, Path):
        pytest.skip(f"{given} is not on this machine; run `inkling pull {given}`")
    return ServerOptions(model, threads=1, context_tokens=2048)


@pytest.fixture(scope="module")
def server(options: ServerOptions) -> Iterator[RunningServer]:
    with llama_server(options) as running:
        yield running


@asynccontextmanager
async def engine_at(url: str, key_variable: str = "") -> AsyncIterator[OpenAIEngine]:
    engine = OpenAIEngine(url, key_variable=key_variable)
    running = asyncio.create_task(engine.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for state in engine.states():
                if isinstance(state, Ready | Unavailable):
                    break
        yield engine
    finally:
        await engine.close()
        await running


def head(engine: OpenAIEngine, before: str = BEFORE) -> tuple[Piece, ...]:
    assert isinstance(engine.state, Ready)
    fim = engine.state.model.fim
    assert fim is not None
    return (fim.prefix, before, fim.suffix, AFTER, fim.middle)


async def read(events: AsyncIterator[Event]) -> tuple[dict[int, str], DoneEvent]:
    texts: dict[int, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        async for one in events:
            if isinstance(one, DoneEvent):
                return texts, one
            if isinstance(one, TextEvent):
                texts[one.candidate] = texts.get(one.candidate, "") + one.text
    raise AssertionError("no DoneEvent")


async def test_knows_the_model(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        assert isinstance(engine.state, Ready)
        model = engine.state.model
        assert model.fim is not None
        assert (model.fim.prefix, model.fim.middle, model.fim.suffix) == (151659, 151660, 151661)
        assert (model.context_tokens, model.vocabulary_size) == (2048, 151936)


@pytest.mark.parametrize(
    ("forced", "start"),
    [
        ("for it", "em in items:"),
        ("for item in it", "ems:"),
        ("for item in items:\n        if le", "n(item)"),
        ("for item in items:\n   ", "     if len(item)"),
    ],
)
async def test_heals_words_and_indentation(server: RunningServer, forced: str, start: str) -> None:
    async with engine_at(server.url) as engine:
        request = GenerateRequest(1, head(engine), forced, max_tokens=8)
        texts, done = await read(engine.generate(request))
        assert done.reason == "length"
        assert texts[0].startswith(start)


async def test_a_key_costs_a_few_prompt_tokens(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        await read(engine.generate(GenerateRequest(1, head(engine), max_tokens=0)))
        for number, forced in enumerate(("f", "fo", "for", "for ", "for i", "for it"), 2):
            request = GenerateRequest(number, head(engine), forced, max_tokens=2)
            _, done = await read(engine.generate(request))
            assert done.stats.evaluated_tokens <= 3
            assert done.stats.reused_tokens >= 22


async def test_candidates_differ(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        request = GenerateRequest(1, head(engine), "for", max_tokens=4, candidates=3)
        texts, _ = await read(engine.generate(request))
        assert sorted(texts) == [0, 1, 2]
        assert len(set(texts.values())) == 3


async def test_stops_and_says_so(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        request = GenerateRequest(1, head(engine), "for it", stop=("\n",))
        texts, done = await read(engine.generate(request))
        assert (texts[0], done.reason) == ("em in items:", "stop")


async def test_markers_in_the_document_are_only_text(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        sizes = []
        for mark in ("", "<|fim_middle|>"):
            prompt = head(engine, f"# {mark}\n{BEFORE}")
            request = GenerateRequest(1, prompt, "for it", max_tokens=2)
            texts, done = await read(engine.generate(request))
            assert texts[0].startswith("em")
            sizes.append(done.stats.prompt_tokens)
        assert sizes[1] - sizes[0] >= 5


async def test_a_cancelled_prompt_does_not_lose_the_next_one(server: RunningServer) -> None:
    async with engine_at(server.url) as engine:
        long = head(engine, "".join(f"value_{n} = {n}\n" for n in range(150)) + BEFORE)
        events = engine.generate(GenerateRequest(1, long, max_tokens=50))
        engine.cancel(1)
        assert (await read(events))[1].reason == "cancelled"
        events = engine.generate(GenerateRequest(2, long, max_tokens=50))
        newer = engine.generate(GenerateRequest(3, head(engine), "for it", max_tokens=2))
        assert (await read(events))[1].reason == "superseded"
        assert (await read(newer))[0][0].startswith("em")


async def test_the_plain_completions_interface(server: RunningServer) -> None:
    family = markers.FAMILIES[0][1]
    model = ModelInfo("any", "", 2048, 0, markers.stand_ins(family))
    asked = Server(address(server.url), CompletionsServer(model, family))
    order = Order((-1, BEFORE, -2, AFTER, -3), max_tokens=5, alternatives=True)
    said: list[Words | Finish] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(asked.ask(order)) as answer:
        said = [one async for one in answer]
    assert isinstance(said[-1], Finish)
    assert said[-1].reason == "length"
    words = [one for one in said if isinstance(one, Words)]
    assert "".join(one.text for one in words).startswith("for item in items")
    assert len(words[0].alternatives) > 1


async def test_a_server_with_a_key_that_is_killed_and_started_again(
    options: ServerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "abc")
    monkeypatch.setenv("WRONG_KEY", "abd")
    locked = replace(options, api_key="abc")
    with llama_server(locked) as first:
        port = int(first.url.rpartition(":")[2])
        for variable, sentence in (("", "wants a key"), ("WRONG_KEY", "refuses the key")):
            async with engine_at(first.url, variable) as engine:
                assert isinstance(engine.state, Unavailable)
                assert sentence in engine.state.reason
        async with engine_at(first.url, "TEAM_KEY") as engine:
            request = GenerateRequest(1, head(engine), max_tokens=500)
            events = engine.generate(request)
            await anext(events)
            os.kill(first.pid, signal.SIGTERM)
            _, done = await read(events)
            assert done.reason == "failed"
            assert "went away" in done.error
            async with asyncio.timeout(PATIENCE_S):
                states = engine.states()
                async for state in states:
                    if isinstance(state, Unavailable):
                        break
                with llama_server(replace(locked, port=port)):
                    async for state in states:
                        if isinstance(state, Ready):
                            break
                    texts, _ = await read(
                        engine.generate(GenerateRequest(2, head(engine), "for it", max_tokens=2))
                    )
                    assert texts[0].startswith("em")
