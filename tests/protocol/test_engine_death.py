"""The engine is killed while it generates: nobody waits, and it comes back."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from protocol.client import PATIENCE_S, Client

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the engine in /proc"),
]

URI = "file:///a.py"
TEXT = 'def read_lines(path: str) -> list[str]:\n    """Read a file."""\n    '


async def test_killed_mid_generation(start, default_model, capsys):
    client = await start()
    options = {"model": str(default_model), "optimiseWeights": False, "answerBudgetMs": 60_000}
    await client.initialize(options=options, experimental={"inkling": {"status": True}})
    client.open(URI, TEXT)
    assert (await client.ready())["state"] == "ready"
    _, asked = client.ask("textDocument/inlineCompletion", client.at(URI, 2, 4))
    before = client.count("inkling/status")
    begun = time.perf_counter()
    os.kill(_engine_of(client), getattr(signal, "SIGKILL", signal.SIGTERM))
    await client.command("inkling.why")
    other_ms = (time.perf_counter() - begun) * 1000
    assert (await asked)["items"] == []
    # Starting again is told in the status, and in no more than one message.
    await client.until(lambda: client.count("inkling/status") > before)
    await _ready(client)
    restart_s = time.perf_counter() - begun
    async with asyncio.timeout(60):
        assert await client.suggested(URI, 2, 4)
    assert client.count("window/showMessage") <= 1
    with capsys.disabled():
        print(f"\nkilled: next answer {other_ms:.0f} ms, engine back in {restart_s:.1f} s")
    assert await client.stop() == 0


async def test_it_cannot_be_loaded(start, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    client = await start()
    await client.initialize(options={"model": str(broken)})
    client.open(URI, TEXT)
    status = await client.ready()
    assert status["state"] == "unavailable"
    assert await client.inline(URI, 2, 4) == []
    shown = await client.message("window/showMessage")
    assert status["detail"] in shown["params"]["message"]
    assert await client.stop() == 0


async def _ready(client: Client) -> None:
    seen = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await client.message("inkling/status", seen)
            seen += 1
            if seen > 1 and message["params"]["state"] == "ready" and seen == _count(client):
                return


def _count(client: Client) -> int:
    return client.count("inkling/status")


def _engine_of(client: Client) -> int:
    """The server's child that runs the engine."""
    server = client.process.pid
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        if b"inkling.engine.process" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("the server has no engine process")
