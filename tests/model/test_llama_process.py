"""The engine process with a real model: stopping, superseding, dying, and bad model files."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inkling.engine.api import DoneEvent, GenerateRequest, Ready, TextEvent, Unavailable
from inkling.engine.calibrate import Calibrator
from inkling.engine.choice import Wish
from inkling.engine.client import LlamaEngine
from inkling.engine.mailbox import Job

from .llama_cases import TIMEOUT, Answer, Bench, default_model, plain_model, running, settled

if TYPE_CHECKING:
    from inkling.engine.decode import Decoder

pytestmark = pytest.mark.model

LONG = "\n".join(f"value_{n} = compute({n}, other={n * 7})" for n in range(60))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running(default_model(), tmp_path) as made:
        yield made


async def finish(stream: AsyncIterator[TextEvent | DoneEvent]) -> Answer:
    async def read() -> Answer:
        answer = Answer()
        async for event in stream:
            answer.add(event)
        return answer

    return await asyncio.wait_for(read(), TIMEOUT)


async def test_stopping_a_prompt_keeps_what_is_evaluated(bench: Bench) -> None:
    request = bench.request(head=bench.head(LONG + "\n"), max_tokens=1)
    stream = bench.engine.generate(request)
    await asyncio.sleep(0.6)  # Some of the prompt, whatever the machine's speed.
    bench.engine.cancel(request.id)
    stopped = await finish(stream)
    again = await bench.answer(bench.request(head=request.head, max_tokens=1))

    assert stopped.done.reason == "cancelled"
    assert stopped.stats.evaluated_tokens % 64 == 0
    assert again.stats.reused_tokens >= stopped.stats.evaluated_tokens


async def test_stopping_while_text_comes(bench: Bench) -> None:
    for candidates in (1, 3):
        request = bench.request(stop=(), max_tokens=400, candidates=candidates)
        stream = bench.engine.generate(request)
        assert isinstance(await asyncio.wait_for(anext(stream), TIMEOUT), TextEvent)
        bench.engine.cancel(request.id)
        stopped = await finish(stream)

        assert stopped.done.reason == "cancelled"
        assert stopped.stats.abort_ms > 0


async def test_the_last_of_a_burst_is_answered_and_the_others_superseded(bench: Bench) -> None:
    typed = "self.counted += 1"
    streams = [
        bench.engine.generate(bench.request(typed[:size])) for size in range(1, len(typed) + 1)
    ]
    answers = [await finish(stream) for stream in streams]

    assert {answer.done.reason for answer in answers[:-1]} <= {"superseded", "stop", "end"}
    assert answers[-1].done.reason in ("stop", "end", "length")


async def test_typing_faster_than_a_cold_prompt_still_gets_it_evaluated(bench: Bench) -> None:
    head = bench.head(LONG + "\n")
    typed = "value_60 = comp"
    reasons = []
    streams = []
    for size in range(1, len(typed) + 1):
        streams.append(bench.engine.generate(bench.request(typed[:size], head=head)))
        await asyncio.sleep(0.02)  # Much less than the prompt takes.
    answers = [await finish(stream) for stream in streams]
    reasons = [answer.done.reason for answer in answers]
    evaluated = sum(answer.stats.evaluated_tokens for answer in answers)

    assert reasons[-1] in ("stop", "end", "length"), reasons
    assert evaluated <= answers[-1].stats.prompt_tokens + 8, "the prompt was evaluated once"


async def test_a_killed_engine_comes_back(bench: Bench) -> None:
    stream = bench.engine.generate(bench.request(stop=(), max_tokens=400))
    assert isinstance(await asyncio.wait_for(anext(stream), TIMEOUT), TextEvent)
    child = bench.engine._child
    assert child is not None
    os.kill(child.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    broken = await finish(stream)

    assert broken.done.reason == "failed" and "stopped unexpectedly" in broken.done.error
    assert isinstance(await asyncio.wait_for(ready_again(bench.engine), TIMEOUT), Ready)
    assert (await bench.answer(bench.request("self."))).text


async def ready_again(engine: LlamaEngine) -> Ready:
    gone = False
    async for state in engine.states():
        gone = gone or not isinstance(state, Ready)
        if gone and isinstance(state, Ready):
            return state
    raise AssertionError("the engine was closed")


def cut_short(path: Path) -> None:
    with plain_model().open("rb") as whole:
        path.write_bytes(whole.read(5_000_000))


def no_gguf(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\nexit 1\n")


def header_only(path: Path) -> None:
    path.write_bytes(b"GGUF\x03\0\0\0")


def absent(path: Path) -> None:
    assert not path.exists()


def another_kind(path: Path) -> None:
    data = bytearray(plain_model().read_bytes())
    at = data.index(b"general.architecture")
    at = data.index(b"llama", at)
    data[at : at + 5] = b"nova7"
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("make", "sign"),
    [
        (cut_short, "cut short or damaged"),
        (no_gguf, "not a GGUF"),
        (header_only, "cut short or damaged"),
        (absent, "no model file"),
        (another_kind, "nova7"),
    ],
)
async def test_a_model_that_cannot_be_used_is_one_clear_sentence(
    tmp_path: Path, make: object, sign: str
) -> None:
    path = tmp_path / "bad.gguf"
    make(path)  # type: ignore[operator]
    engine = LlamaEngine(path, name="bad", cache=tmp_path)
    task = asyncio.create_task(engine.run())
    try:
        state = await asyncio.wait_for(settled(engine), TIMEOUT)
        assert isinstance(state, Unavailable)
        assert sign in state.reason and "\n" not in state.reason and state.retry_s is None
        failed = await finish(engine.generate(GenerateRequest(1, ("x",))))
        assert failed.done == DoneEvent(1, "failed", error=state.reason)
    finally:
        await engine.close()
        await asyncio.wait_for(task, TIMEOUT)


def decoder(cache: Path) -> "Decoder":
    """In this process, which only these tests may load the native library into."""
    from inkling.engine.loading import load

    return load(Wish(default_model(), cache, 1, optimise=False), "m", 512, lambda _: None).decoder


def test_what_is_learned_between_two_requests_does_not_change_the_second(tmp_path: Path) -> None:
    made = decoder(tmp_path)
    calibrator = Calibrator(made._context, (1,))
    head = ("def count(self):\n    ",)
    expected = texts_of(made.run(Job(GenerateRequest(1, head, max_tokens=8))))
    texts_of(made.run(Job(GenerateRequest(2, ("another",), max_tokens=0))))
    texts_of(made.run(Job(GenerateRequest(3, head, max_tokens=0))))

    calibrator.step()
    text = texts_of(made.run(Job(GenerateRequest(4, head, max_tokens=8))))

    assert text and text == expected


def test_after_a_native_failure_everything_is_evaluated_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = decoder(tmp_path)
    head = ("def count(self):\n    ",)
    expected = texts_of(made.run(Job(GenerateRequest(1, head, max_tokens=8))))

    with monkeypatch.context() as broken:
        # The batch is computed, and then reported as failed.
        native = sys.modules["inkling.engine.llama"].lib
        decode = native.llama_decode
        broken.setattr(native, "llama_decode", lambda *given: decode(*given) or -3)
        *_, failed = made.run(Job(GenerateRequest(2, (*head, "x = "), max_tokens=8)))
    *events, done = made.run(Job(GenerateRequest(3, head, max_tokens=8)))

    assert isinstance(failed, DoneEvent) and "failed to decode" in failed.error
    assert isinstance(done, DoneEvent) and done.stats.reused_tokens == 0
    assert texts_of(events) == expected


def test_what_was_said_earlier_never_makes_a_prompt_too_long(tmp_path: Path) -> None:
    made = decoder(tmp_path)
    head = ("total = 0\n" * 95,)
    *_, measured = made.run(Job(GenerateRequest(1, head, max_tokens=0)))
    assert isinstance(measured, DoneEvent)
    room = made._context.size - measured.stats.prompt_tokens
    for number in (2, 3, 4):
        *events, done = made.run(Job(GenerateRequest(number, head, max_tokens=room)))
        assert isinstance(done, DoneEvent) and done.reason in ("length", "end"), done
        assert texts_of(events)
    *_, done = made.run(Job(GenerateRequest(5, head, max_tokens=room + 3)))
    assert isinstance(done, DoneEvent) and (done.reason, done.too_long_by) == ("failed", 3)


def test_one_idle_time_is_enough_to_calibrate_and_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkling.engine import loading

    made = []
    monkeypatch.setattr(loading, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(loading.choice, "make_copy", made.append)
    monkeypatch.setattr("inkling.engine.calibrate.IDLE_SHARE", 0.0)
    loaded = loading.load(Wish(default_model(), tmp_path, 1, True), "m", 512, lambda _: None)

    infos = list(loaded.learn())

    assert [info.calibration is not None for info in infos] == [True]
    assert [where.published for where in made] == [default_model()]
    assert list(loaded.learn()) == [] and len(made) == 1


def test_a_native_failure_while_calibrating_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkling.engine import loading

    monkeypatch.setattr("inkling.engine.calibrate.IDLE_SHARE", 0.0)
    monkeypatch.setattr("inkling.engine.calibrate.PAUSES", (0.0,))
    loaded = loading.load(Wish(default_model(), tmp_path, 1, False), "m", 512, lambda _: None)
    native = sys.modules["inkling.engine.llama"].lib
    decode, failures = native.llama_decode, [-3]
    monkeypatch.setattr(
        native, "llama_decode", lambda *given: failures.pop() if failures else decode(*given)
    )

    assert [info.calibration is not None for info in loaded.learn()] == [True]
    assert not failures


def texts_of(events: Iterable[TextEvent | DoneEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextEvent))
