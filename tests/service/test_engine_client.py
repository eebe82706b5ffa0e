"""The supervising side of the engine, against children that misbehave."""

import asyncio
import os
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from inkling.app import build
from inkling.config import Settings
from inkling.engine import client
from inkling.engine.api import (
    DoneEvent,
    EngineState,
    Event,
    GenerateRequest,
    Ready,
    TextEvent,
    Unavailable,
)
from inkling.engine.client import LlamaEngine

CHILD = """
import os, sys, time
from inkling.engine.api import *
from inkling.engine.frames import encode, read_order

def say(report):
    sys.stdout.buffer.write(encode(report))
    sys.stdout.buffer.flush()

def ready():
    say(Ready(ModelInfo("fake", "fake", 128, 10, None)))

def order():
    return read_order(sys.stdin.buffer)
"""
TIMEOUT = 20.0


@asynccontextmanager
async def engine(tmp_path: Path, script: str) -> AsyncIterator[LlamaEngine]:
    path = tmp_path / "child.py"
    path.write_text(CHILD + textwrap.dedent(script))
    made = LlamaEngine(
        tmp_path / "m.gguf",
        name="fake",
        cache=tmp_path,
        command=[sys.executable, str(path)],
    )
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await asyncio.wait_for(made.close(), TIMEOUT)
        await asyncio.wait_for(running, TIMEOUT)


async def until(made: LlamaEngine, kind: type[EngineState]) -> EngineState:
    """The next state of this kind (or the present one)."""

    async def seek() -> EngineState:
        async for state in made.states():
            if isinstance(state, kind):
                return state
        raise AssertionError("the engine was closed")

    return await asyncio.wait_for(seek(), TIMEOUT)


async def all_of(made: LlamaEngine, number: int, head: str = "x") -> list[Event]:
    async def read() -> list[Event]:
        return [event async for event in made.generate(GenerateRequest(number, (head,)))]

    return await asyncio.wait_for(read(), TIMEOUT)


def failure(events: list[Event]) -> str:
    assert [type(event) for event in events].count(DoneEvent) == 1
    done = events[-1]
    assert isinstance(done, DoneEvent) and done.reason == "failed"
    return done.error


async def test_events_arrive_in_order_and_end_once(tmp_path: Path) -> None:
    script = """
        ready()
        while (o := order()) is not None:
            say(TextEvent(o.id, "a"))
            say(TextEvent(o.id, "b"))
            say(DoneEvent(o.id, "stop"))
            say(DoneEvent(o.id, "end"))
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        for number in (1, 2):
            assert await all_of(made, number) == [
                TextEvent(number, "a"),
                TextEvent(number, "b"),
                DoneEvent(number, "stop"),
            ]


async def test_before_it_is_ready_requests_fail_at_once(tmp_path: Path) -> None:
    async with engine(tmp_path, "order()") as made:
        assert "still starting" in failure(await all_of(made, 1))


@pytest.mark.parametrize(
    "death",
    [
        "os.kill(os.getpid(), 9)",
        "os.abort()",
        "sys.exit(0)",
        "sys.stdout.buffer.write(b'Segmentation fault'); sys.stdout.buffer.flush(); time.sleep(60)",
        "say(TextEvent(o.id, 'x')); os.close(1); time.sleep(60)",
    ],
    ids=["killed", "aborted", "left", "garbage", "closed-pipe"],
)
async def test_a_dead_child_fails_its_requests_and_is_started_again(
    tmp_path: Path, death: str
) -> None:
    if death.startswith("os.kill") and sys.platform == "win32":
        death = "os._exit(9)"
    script = f"""
        ready()
        while (o := order()) is not None:
            if o.head == ("die",):
                say(TextEvent(o.id, "partial"))
                {death}
            say(DoneEvent(o.id, "end"))
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        events = await all_of(made, 1, "die")
        assert TextEvent(1, "partial") in events
        assert "stopped unexpectedly" in failure(events)
        await until(made, Unavailable)
        await until(made, Ready)
        assert await all_of(made, 2) == [DoneEvent(2, "end")]


async def test_every_open_request_fails_when_the_child_dies(tmp_path: Path) -> None:
    script = """
        ready()
        order(), order(), order()
        os._exit(1)
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        results = await asyncio.gather(*(all_of(made, number) for number in (1, 2, 3)))
        assert all("stopped unexpectedly" in failure(events) for events in results)


async def test_what_the_child_said_last_is_in_the_reason(tmp_path: Path) -> None:
    script = """
        print("GGML_ASSERT(x) failed", file=sys.stderr, flush=True)
        os._exit(1)
    """
    async with engine(tmp_path, script) as made:
        state = await until(made, Unavailable)
        assert isinstance(state, Unavailable)
        assert "GGML_ASSERT(x) failed" in state.reason and state.retry_s is not None


async def test_back_off_grows_while_the_child_dies_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BACK_OFF_SECONDS", (0.0, 0.01, 0.02))
    delays: list[float | None] = []
    async with engine(tmp_path, "os._exit(1)") as made:
        async for state in made.states():
            if isinstance(state, Unavailable):
                delays.append(state.retry_s)
            if len(delays) == 4:
                break
    assert delays == [0.0, 0.01, 0.02, 0.02]


async def test_a_model_that_cannot_be_loaded_is_not_tried_again(tmp_path: Path) -> None:
    marks = tmp_path / "starts"
    script = f"""
        open({str(marks)!r}, "a").write("x")
        say(Unavailable("m.gguf is cut short"))
        sys.exit(3)
    """
    async with engine(tmp_path, script) as made:
        state = await until(made, Unavailable)
        assert state == Unavailable("m.gguf is cut short")
        assert failure(await all_of(made, 1)) == "m.gguf is cut short"
    assert marks.read_text() == "x"


async def test_a_command_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    made = LlamaEngine(
        tmp_path / "m.gguf", name="fake", cache=tmp_path, command=[str(tmp_path / "absent")]
    )
    running = asyncio.create_task(made.run())
    assert isinstance(await until(made, Unavailable), Unavailable)
    await made.close()
    await asyncio.wait_for(running, TIMEOUT)


async def test_closing_the_iterator_cancels(tmp_path: Path) -> None:
    script = """
        ready()
        first = order()
        say(TextEvent(first.id, "x"))
        cancel = order()
        assert isinstance(cancel, CancelRequest) and cancel.id == first.id
        say(DoneEvent(first.id, "cancelled"))
        while (o := order()) is not None:
            say(DoneEvent(o.id, "end"))
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        stream = made.generate(GenerateRequest(1, ("x",)))
        assert await asyncio.wait_for(anext(stream), TIMEOUT) == TextEvent(1, "x")
        await stream.aclose()  # type: ignore[attr-defined]
        assert await all_of(made, 2) == [DoneEvent(2, "end")]


async def test_a_hanging_child_does_not_hold_up_closing(tmp_path: Path) -> None:
    script = """
        import signal
        ready()
        while True:
            time.sleep(60)
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        stream = made.generate(GenerateRequest(1, ("x",)))
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(made.close(), 5)
        assert asyncio.get_running_loop().time() - began < 4
        assert failure([event async for event in stream]) == "the engine was closed"


async def test_half_a_character_in_a_prompt_fails_that_request_only(tmp_path: Path) -> None:
    script = """
        ready()
        while (o := order()) is not None:
            say(DoneEvent(o.id, "end"))
    """
    async with engine(tmp_path, script) as made:
        await until(made, Ready)
        assert "half a character" in failure(await all_of(made, 1, "\ud800"))
        assert await all_of(made, 2) == [DoneEvent(2, "end")]


async def test_the_child_ends_with_the_server(tmp_path: Path) -> None:
    script = """
        ready()
        while order() is not None:
            pass
        open("ended", "w").close()
    """
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        async with engine(tmp_path, script) as made:
            await until(made, Ready)
        assert (tmp_path / "ended").exists()
    finally:
        os.chdir(here)


def test_what_the_engine_keeps_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    made = build(Settings(model=str(model))).engine

    assert isinstance(made, LlamaEngine)
    assert str(tmp_path / "cache" / "engine") in made._command
