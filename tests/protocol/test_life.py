"""How a server starts and ends: quickly, small, and never alone with its children."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "server" / "inkling"


async def test_start_to_initialized(start, script, capsys):
    """Printed, not asserted: the machine may be busy. The target is 1 s on an idle one."""
    begun = time.perf_counter()
    client = await start()
    await client.initialize(options=script())
    took = (time.perf_counter() - begun) * 1000
    with capsys.disabled():
        print(f"\nstart to answered initialize: {took:.0f} ms")
    begun = time.perf_counter()
    await client.ready()
    assert await client.stop() == 0
    with capsys.disabled():
        print(f"ready to ended: {(time.perf_counter() - begun) * 1000:.0f} ms")


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
async def test_memory_with_20_files_open(start, script, capsys):
    client = await start()
    await client.initialize(options=script({"ends_with": "\n", "answer": "x = 1\n"}))
    sources = sorted(SERVER.rglob("*.py"))[:20]
    for path in sources:
        text = path.read_text(encoding="utf-8")
        client.open(path.as_uri(), text)
        await client.ready()
        await client.inline(path.as_uri(), text.count("\n"), 0)
    resident = _resident_mb(client.process.pid)
    with capsys.disabled():
        print(f"\nserver with {len(sources)} files open: {resident:.0f} MB resident")
    assert resident <= 120
    assert await client.stop() == 0


async def test_exit_without_shutdown(start, script):
    client = await start()
    await client.initialize(options=script())
    client.notify("exit")
    assert await client.ended() == 1


async def test_exit_before_initialize(start):
    client = await start()
    client.notify("exit")
    assert await client.ended() == 1


async def test_the_client_closes_the_pipe(start, script):
    client = await start()
    await client.initialize(options=script())
    await client.ready()
    children = await _children(client.process.pid)
    client.process.stdin.close()
    assert await client.ended() == 1
    await _gone(children)


@pytest.mark.parametrize("killed", ["editor", "server"])
async def test_one_is_killed_while_a_request_runs(killed, start, script):
    """Its death takes the others along, the server's children too, generation or not."""
    slow = {"ends_with": "x = ", "answer": "1", "prompt_delay_ms": 60_000}
    client = await start()
    await client.initialize(options=script(slow))
    client.open("file:///a.py", "x = ")
    await client.ready()
    _, asked = client.ask("textDocument/inlineCompletion", client.at("file:///a.py", 0, 4))
    await client.command("inkling.status")
    children = await _children(client.process.pid)
    if killed == "server":
        client.process.kill()
    else:  # what an editor's death leaves: both pipes are closed at once
        for number in (0, 1):
            client.process._transport.get_pipe_transport(number).close()  # type: ignore[attr-defined]
    code = await client.ended()
    assert code == 1 if killed == "editor" else code != 0
    with pytest.raises(ConnectionError):
        await asked
    await _gone(children)


async def test_an_answer_under_way_at_shutdown_is_given(start, script):
    slow = {"ends_with": "x = ", "answer": "1", "prompt_delay_ms": 60_000}
    client = await start()
    await client.initialize(options=script(slow))
    client.open("file:///a.py", "x = ")
    await client.ready()
    _, asked = client.ask("textDocument/inlineCompletion", client.at("file:///a.py", 0, 4))
    assert await client.stop() == 0
    assert asked.done()
    asked.exception()


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def _children(pid: int) -> list[int]:
    """Processes of `pid`, at least one, where the system tells of them (Linux)."""
    async with asyncio.timeout(30):
        while sys.platform == "linux":
            if children := _listed(pid):
                return children
            await asyncio.sleep(0.02)
    return []


def _listed(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in listed.split()]


async def _gone(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        for pid in pids:
            while _alive(pid):  # noqa: ASYNC110 - nothing else tells of a grandchild's end
                await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"
