"""The `openai` back-end against servers that behave, misbehave and go away.

The servers here are real ones on the loopback interface that say what a test tells them to;
tests/model/test_llama_server.py asks a real llama-server.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from inkling.engine.api import (
    DoneEvent,
    EndEvent,
    EngineState,
    Event,
    GenerateRequest,
    Ready,
    Starting,
    TextEvent,
    Unavailable,
)
from inkling.engine.openai import OpenAIEngine

MODELS = {"object": "list", "data": [{"id": "qwen2.5-coder", "max_model_len": 2048}]}
HEAD = (-1, "def f(items):\n    ", -2, "\n", -3)
PATIENCE_S = 30.0
"""Far beyond what anything takes, so that only a hang is a failure."""


@dataclass
class Reply:
    """What the server says to one request; `parts` are sent as one chunk each."""

    status: int = 200
    parts: tuple[bytes, ...] = ()
    gate: asyncio.Event | None = None
    """Wait before the last part; the client's going away ends the wait, too."""
    cut: bool = False
    """Drop the connection after the last part, without an end."""
    headers: str = ""


def as_json(content: object, status: int = 200) -> Reply:
    return Reply(status, (json.dumps(content).encode(),))


def stream(*texts: str, reason: str | None = "stop", **rest: Any) -> Reply:
    """An event stream of OpenAI completions."""
    choices: list[dict[str, Any]] = [{"text": text, "index": 0} for text in texts]
    if reason:
        choices.append({"text": "", "finish_reason": reason})
    return Reply(parts=tuple(event({"choices": [choice]}) for choice in choices), **rest)


def event(content: object) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


@dataclass
class Server:
    """Answers by path: each path's replies in turn, the last one for ever."""

    replies: dict[str, list[Reply]]
    url: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away before it had heard all."""

    def orders(self) -> list[dict[str, Any]]:
        return [body for path, _, body in self.asked if path == "/v1/completions"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = first.split()[1]
        self.asked.append((path, headers, json.loads(body) if body else None))
        known = self.replies.get(path, [as_json({"error": {"message": "Not Found"}}, 404)])
        await self._say(known.pop(0) if len(known) > 1 else known[0], reader, writer)
        writer.close()

    async def _say(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{reply.headers}".encode())
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        for number, part in enumerate(reply.parts):
            if reply.gate and number == len(reply.parts) - 1 and not await _opens(reply, reader):
                self.dropped.set()
                return
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        if reply.cut:
            await writer.drain()
            writer.transport.abort()
        else:
            writer.write(b"0\r\n\r\n")


async def _opens(reply: Reply, reader: asyncio.StreamReader) -> bool:
    """Whether the gate opens before the client goes away."""
    assert reply.gate
    opening = asyncio.create_task(reply.gate.wait())
    going = asyncio.create_task(reader.read())
    await asyncio.wait((opening, going), return_when=asyncio.FIRST_COMPLETED)
    opened = opening.done()
    opening.cancel()
    going.cancel()
    await asyncio.gather(opening, going, return_exceptions=True)
    return opened


@asynccontextmanager
async def serving(**paths: Reply | Iterable[Reply]) -> AsyncIterator[Server]:
    """A server; see `names` for which path each argument stands for."""
    names = {
        "completions": "/v1/completions",
        "models": "/v1/models",
        "props": "/props",
        "version": "/api/version",
        "generate": "/api/generate",
    }
    given = {"models": as_json(MODELS)} | paths
    replies = {
        names[name]: [reply] if isinstance(reply, Reply) else list(reply)
        for name, reply in given.items()
    }
    server = Server(replies)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()


@asynccontextmanager
async def engine_at(url: str, **options: str) -> AsyncIterator[OpenAIEngine]:
    """A running engine, once it has made up its mind about the server."""
    engine = OpenAIEngine(url, **options)
    running = asyncio.create_task(engine.run())
    try:
        await state_of(engine, Ready, Unavailable)
        yield engine
    finally:
        await engine.close()
        await asyncio.wait_for(running, PATIENCE_S)


async def state_of(engine: OpenAIEngine, *kinds: type[EngineState]) -> EngineState:
    """The first state of these kinds, now or later."""
    async with asyncio.timeout(PATIENCE_S):
        async for state in engine.states():
            if isinstance(state, kinds):
                return state
    raise AssertionError("the engine was closed")


async def answer(
    engine: OpenAIEngine, forced: str = "", head: tuple[str | int, ...] = HEAD, **rest: Any
) -> tuple[dict[int, str], DoneEvent]:
    return await read(engine.generate(GenerateRequest(1, head, forced, **rest)))


async def read(events: AsyncIterator[Event]) -> tuple[dict[int, str], DoneEvent]:
    texts: dict[int, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        async for one in events:
            if isinstance(one, DoneEvent):
                return texts, one
            if isinstance(one, TextEvent):
                texts[one.candidate] = texts.get(one.candidate, "") + one.text
    raise AssertionError("no DoneEvent")


async def test_meets_the_server_and_takes_its_model() -> None:
    async with serving() as server, engine_at(server.url + "/v1") as engine:
        assert isinstance(engine.state, Ready)
        model = engine.state.model
        assert (model.name, model.context_tokens) == ("qwen2.5-coder", 2048)
        assert model.fim is not None
        assert model.fim.prefix < 0


async def test_writes_the_markers_as_text_and_streams() -> None:
    async with (
        serving(completions=stream("return", " 1", reason="length")) as server,
        engine_at(server.url) as engine,
    ):
        texts, done = await answer(engine, max_tokens=7, stop=("\n", "+", "-", "*", "/"))
        assert (texts, done.reason) == ({0: "return 1"}, "length")
        (order,) = server.orders()
        assert order["prompt"] == (
            "<|fim_prefix|>def f(items):\n    <|fim_suffix|>\n<|fim_middle|>"
        )
        assert order["max_tokens"] == 7
        assert order["stop"] == ["\n", "+", "-", "*"]
        assert order["model"] == "qwen2.5-coder"


async def test_heals_where_the_server_agrees() -> None:
    async with (
        serving(completions=stream(" it", "ems", ":\n")) as server,
        engine_at(server.url) as engine,
    ):
        texts, done = await answer(engine, "for x in ite", stop=("\n",))
        assert (texts, done.reason) == ({0: "ms:"}, "stop")
        assert [order["prompt"][-8:] for order in server.orders()] == ["for x in"]


async def test_goes_on_unhealed_where_it_does_not() -> None:
    async with (
        serving(completions=[stream(" self"), stream("rator")]) as server,
        engine_at(server.url) as engine,
    ):
        texts, done = await answer(engine, "for x in ite")
        assert (texts, done.reason) == ({0: "rator"}, "end")
        assert [order["prompt"][-12:] for order in server.orders()][1] == "for x in ite"


async def test_candidates_fork_at_the_first_token() -> None:
    logprobs = {"token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -1.0, "c": -2.0}]}
    first = event({"choices": [{"text": "a", "logprobs": logprobs}]})
    async with (
        serving(completions=[Reply(parts=(first, b"data: [DONE]\n\n")), stream("2")]) as server,
        engine_at(server.url) as engine,
    ):
        texts, done = await answer(engine, candidates=2)
        assert (texts, done.reason) == ({0: "a", 1: "b2"}, "end")


async def test_each_candidate_says_once_that_it_has_ended() -> None:
    choices = {"a": -0.5, "<": -0.6, ";\n": -0.7, "(": -0.8}
    logprobs = {"token_logprobs": [-0.5], "top_logprobs": [choices]}
    first = event({"choices": [{"text": "a", "logprobs": logprobs}]})
    replies = [Reply(parts=(first, b"data: [DONE]\n\n")), stream("T>"), stream("y)")]
    async with serving(completions=replies) as server, engine_at(server.url) as engine:
        request = GenerateRequest(1, HEAD, "", candidates=4, stop=("\n",))
        said = [one async for one in engine.generate(request) if not isinstance(one, DoneEvent)]
    texts = {n: "".join(e.text for e in said if is_text(e, n)) for n in range(4)}
    assert texts == {0: "a", 1: "<T>", 2: ";", 3: "(y)"}
    for number in range(4):
        last = [one for one in said if one.candidate == number]
        assert [isinstance(one, EndEvent) for one in last] == [False] * (len(last) - 1) + [True]


def is_text(event: Event, candidate: int) -> bool:
    return isinstance(event, TextEvent) and event.candidate == candidate


async def test_ollama_is_asked_raw() -> None:
    """Its /v1/completions would put the prompt into a chat template."""
    last = {"response": "", "done": True, "done_reason": "length", "prompt_eval_count": 9}
    lines = [{"response": "return", "done": False}, {"response": " 1", "done": False}, last]
    said = Reply(
        parts=tuple(json.dumps(line).encode() + b"\n" for line in lines),
        headers="Content-Type: application/x-ndjson\r\n",
    )
    async with (
        serving(version=as_json({"version": "0.12.0"}), generate=said) as server,
        engine_at(server.url) as engine,
    ):
        texts, done = await answer(engine, stop=("\n",), max_tokens=5)
        assert (texts, done.reason) == ({0: "return 1"}, "length")
        assert done.stats.prompt_tokens == 9
        path, _, order = server.asked[-1]
        assert path == "/api/generate"
        assert order["raw"] is True
        assert order["prompt"].startswith("<|fim_prefix|>def f")
        assert order["options"] == {"num_predict": 5, "temperature": 0, "stop": ["\n"]}


async def test_a_server_that_does_not_stream() -> None:
    async with (
        serving(
            completions=as_json({"choices": [{"text": "all", "finish_reason": "stop"}]})
        ) as server,
        engine_at(server.url) as engine,
    ):
        assert (await answer(engine))[0] == {0: "all"}


async def test_a_warm_up_says_nothing() -> None:
    async with serving(completions=stream("x")) as server, engine_at(server.url) as engine:
        texts, done = await answer(engine, max_tokens=0, background=True)
        assert (texts, done.reason) == ({}, "length")


async def test_cancelling_closes_the_connection() -> None:
    async with (
        serving(completions=stream("a", "b", gate=asyncio.Event())) as server,
        engine_at(server.url) as engine,
    ):
        events = engine.generate(GenerateRequest(1, HEAD))
        await anext(events)
        engine.cancel(1)
        assert (await read(events))[1].reason == "cancelled"
        await asyncio.wait_for(server.dropped.wait(), PATIENCE_S)


async def test_a_newer_request_takes_over() -> None:
    async with (
        serving(completions=[stream("a", "b", gate=asyncio.Event()), stream("new")]) as server,
        engine_at(server.url) as engine,
    ):
        older = engine.generate(GenerateRequest(1, HEAD))
        await anext(older)
        newer = engine.generate(GenerateRequest(2, HEAD))
        assert (await read(older))[1].reason == "superseded"
        assert (await read(newer))[0] == {0: "new"}
        await asyncio.wait_for(server.dropped.wait(), PATIENCE_S)


async def test_nothing_listens() -> None:
    async with serving() as server:
        url = server.url
    async with engine_at(url) as engine:
        assert isinstance(engine.state, Unavailable)
        assert engine.state.reason.startswith(f"Nothing listens at {url}")
        assert engine.state.retry_s == 1.0
        texts, done = await answer(engine)
        assert (texts, done.reason, done.error) == ({}, "failed", engine.state.reason)


@pytest.mark.parametrize(
    ("replies", "options", "sentence"),
    [
        ({"models": as_json({}, 401)}, {}, "wants a key"),
        ({"props": as_json({}, 403)}, {}, "wants a key"),
        ({"models": as_json({"error": "who?"}, 401)}, {"key_variable": "K"}, "refuses the key"),
        ({"models": as_json({"error": "x"}, 404)}, {}, "has no /v1/models"),
        ({"models": as_json({"detail": "broken."}, 500)}, {}, "answered 500: broken."),
        ({"models": Reply(parts=(b"<html>",))}, {}, "not an OpenAI-compatible server"),
        ({"models": as_json({"data": []})}, {}, "has no model"),
        ({}, {"model": "big"}, "no model 'big', only qwen2.5-coder"),
        ({"models": Reply(302, headers="Location: http://elsewhere\r\n")}, {}, "points elsewhere"),
        ({"models": Reply(parts=(b"{",), cut=True)}, {}, "went away"),
        ({}, {"key_variable": "INKLING_NO_SUCH"}, "INKLING_NO_SUCH"),
    ],
)
async def test_servers_that_can_not_be_used(
    replies: dict[str, Reply],
    options: dict[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("K", "secret")
    async with serving(**replies) as server, engine_at(server.url, **options) as engine:
        assert isinstance(engine.state, Unavailable)
        assert sentence in engine.state.reason
        assert engine.state.reason.endswith(".")


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (as_json({"error": {"message": "too long"}}, 400), "answered 400: too long."),
        (as_json({"error": {"message": "oops"}}, 500), "answered 500: oops."),
        (as_json({"error": {"message": "no such model"}}, 404), "no such model"),
        (Reply(parts=(b"data: {nonsense\n\n",)), "not a completion"),
        (Reply(parts=(b'data: {"choices": 3}\n\n',)), "not a completion"),
        (Reply(parts=(event({"error": {"message": "out of memory"}}),)), "gave up: out of memory"),
        (Reply(parts=(b'error: {"message": "old style"}\n\n',)), "gave up: old style"),
        (stream("half", reason=None), "broke off"),
        (stream("half", reason=None, cut=True), "went away"),
        (Reply(parts=()), "broke off"),
    ],
)
async def test_requests_that_fail(reply: Reply, sentence: str) -> None:
    async with serving(completions=reply) as server, engine_at(server.url) as engine:
        _, done = await answer(engine)
        assert done.reason == "failed"
        assert sentence in done.error


async def test_a_server_without_completions_is_not_used_again_at_once() -> None:
    async with (
        serving(completions=as_json({}, 404)) as server,
        engine_at(server.url) as engine,
    ):
        await answer(engine)
        state = await state_of(engine, Unavailable)
        assert isinstance(state, Unavailable)
        assert "no /v1/completions" in state.reason
        assert state.retry_s == 60.0


async def test_what_does_not_speak_http() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with engine_at(url) as engine:
        assert isinstance(engine.state, Unavailable)
        assert "does not speak HTTP" in engine.state.reason
    listener.close()


async def test_comes_back_when_the_server_does() -> None:
    bad = as_json({}, 500)
    async with serving(models=[bad, as_json(MODELS)]) as server, engine_at(server.url) as engine:
        assert isinstance(engine.state, Unavailable)
        await state_of(engine, Ready)


async def test_waits_for_a_server_that_loads_its_model() -> None:
    loading = as_json({"error": {"message": "Loading model", "code": 503}}, 503)
    async with serving(props=[loading, as_json({}, 404)]) as server:
        engine = OpenAIEngine(server.url)
        running = asyncio.create_task(engine.run())
        seen = []
        async with asyncio.timeout(PATIENCE_S):
            async for state in engine.states():
                seen.append(type(state))
                if isinstance(state, Ready):
                    break
        assert seen == [Starting, Starting, Ready]
        await engine.close()
        await running


async def test_the_key_goes_into_the_header_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEAM_KEY", "s3cr3t")
    async with (
        serving(completions=as_json({"error": "no"}, 500)) as server,
        engine_at(server.url, key_variable="TEAM_KEY") as engine,
    ):
        _, done = await answer(engine)
        assert all(headers["authorization"] == "Bearer s3cr3t" for _, headers, _ in server.asked)
        assert "s3cr3t" not in f"{done} {engine.state} {vars(engine)} {caplog.text}"
