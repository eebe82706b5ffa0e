"""The peer's driver against a stand-in for llama-server: when it asks, waits and remembers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from inkling.cli.bench.http import NoAnswer, post
from inkling.cli.bench.llama_server import RunningServer, ServerOptions
from inkling.cli.bench.llama_vim import LlamaVimSide
from inkling.cli.bench.side import Ghost
from inkling.cli.bench.trace import Step


class Infill:
    """Answers `/infill` with `content`; holds answers back while `gate` is not set."""

    def __init__(self) -> None:
        self.content = "one"
        self.status = "200 OK"
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        self.server: asyncio.Server | None = None

    async def start(self) -> RunningServer:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        return RunningServer(f"http://127.0.0.1:{port}", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0])
        self.asked.append(json.loads(await reader.readexactly(length)))
        self.arrived.set()
        await self.gate.wait()
        body = json.dumps({"content": self.content, "timings/prompt_n": 7}).encode()
        writer.write(
            f"HTTP/1.1 {self.status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        )
        writer.close()


@pytest.fixture
async def infill() -> AsyncIterator[Infill]:
    server = Infill()
    yield server
    if server.server is not None:
        server.server.close()


@pytest.fixture
async def side(infill: Infill) -> AsyncIterator[LlamaVimSide]:
    found = LlamaVimSide("peer", ServerOptions(Path("none")), await infill.start())
    await found.start()
    await found.open("a.py", "python", "\n")
    yield found
    await found.stop()


def typed(text: str) -> tuple[str, Step]:
    at = len(text)
    return text + "\n", Step(0, "key", at - 1, at - 1, text[-1:], at, "", True)


async def test_a_hint_is_shown_and_typed_through(side: LlamaVimSide, infill: Infill) -> None:
    await side.did(*typed("x = "))
    await side.quiet()
    assert side.ghost == Ghost(4, 4, "one")
    # The request ahead is answered with nothing, so it shows nothing.
    infill.content = ""
    await side.did(*typed("x = o"))
    assert side.ghost == Ghost(5, 5, "ne")
    await side.quiet()
    await side.did(*typed("x = p"))
    assert side.ghost is None


async def test_one_request_at_a_time(side: LlamaVimSide, infill: Infill) -> None:
    infill.gate.clear()
    await side.did(*typed("x"))
    await infill.arrived.wait()
    await side.did(*typed("x "))
    await side.did(*typed("x ="))
    assert side.busy()
    assert [body["prompt"] for body in infill.asked] == ["x"]
    infill.arrived.clear()
    infill.content = ""
    infill.gate.set()
    await asyncio.wait_for(infill.arrived.wait(), 10)
    assert [body["prompt"] for body in infill.asked] == ["x", "x ="]


async def test_what_is_known_is_not_asked_again(side: LlamaVimSide, infill: Infill) -> None:
    infill.content = ""
    await side.did(*typed("x"))
    await side.quiet()
    await side.did(*typed("x"))
    await side.quiet()
    assert len(infill.asked) == 1
    assert side.served[0].prompt_tokens == 7


async def test_a_shown_hint_is_continued_ahead(side: LlamaVimSide, infill: Infill) -> None:
    await side.did(*typed("x = "))
    await side.quiet()
    assert [body["prompt"] for body in infill.asked] == ["x = ", "x = one"]
    assert [body["t_max_predict_ms"] for body in infill.asked] == [250, 1000]


async def test_nothing_is_asked_before_much_text(side: LlamaVimSide, infill: Infill) -> None:
    await side.did("x = one + two + three\n", Step(0, "key", 0, 0, "x", 1, "", True))
    await side.quiet()
    assert infill.asked == []


async def test_a_refusal_is_an_error(infill: Infill) -> None:
    infill.status = "503 Busy"
    running = await infill.start()
    with pytest.raises(NoAnswer, match="503"):
        await post(f"{running.url}/infill", {})


async def test_only_this_machine_is_talked_to() -> None:
    with pytest.raises(ValueError, match="this machine"):
        await post("http://example.org:80/infill", {})
