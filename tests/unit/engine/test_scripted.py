"""The scripted engine keeps the promises of `engine.api`, so tests may stand on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.api import (
    DoneEvent,
    EndEvent,
    Engine,
    Event,
    GenerateRequest,
    Ready,
    Starting,
    TextEvent,
    Unavailable,
)
from inkling.engine.script import FIM, MODEL, Rule, Script, StateStep, Step, words
from inkling.engine.scripted import ScriptedEngine
from inkling.engine.stops import StopWatch

HEAD = (FIM.prefix, "def add(a, b):\n    ", FIM.suffix, "\nprint(1)\n", FIM.middle)
RETURN = Rule(ends_with="    ", answer="return a + b\n")


def engine_with(*rules: Rule) -> ScriptedEngine:
    return ScriptedEngine(Script(rules=rules))


async def read(events: AsyncIterator[Event]) -> tuple[dict[int, str], DoneEvent]:
    """All the text, by candidate, and the end."""
    texts: dict[int, str] = {}
    done = []
    async for event in events:
        if isinstance(event, DoneEvent):
            done.append(event)
        elif isinstance(event, TextEvent):
            texts[event.candidate] = texts.get(event.candidate, "") + event.text
    assert len(done) == 1
    return texts, done[0]


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    """The engine's `run` as a task, ended with the block."""
    task = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        await engine.close()
        await task


async def answer(engine: Engine, **fields: object) -> tuple[str, str]:
    request = msgspec.structs.replace(GenerateRequest(id=1, head=HEAD), **fields)
    texts, done = await read(engine.generate(request))
    return texts.get(0, ""), done.reason


def test_is_an_engine() -> None:
    engine: Engine = ScriptedEngine()
    assert engine.state == Ready(MODEL)


@pytest.mark.parametrize(
    ("forced", "expected"),
    [
        ("", "return a + b\n"),
        ("r", "eturn a + b\n"),
        ("return a", " + b\n"),
        ("return a + b\n", ""),
    ],
)
async def test_goes_on_after_what_was_typed(forced: str, expected: str) -> None:
    assert await answer(engine_with(RETURN), forced=forced) == (expected, "end")


async def test_echoes_the_line_where_no_rule_fits() -> None:
    assert await answer(engine_with(RETURN), forced="if x") == ("if x", "end")


async def test_a_rule_can_ask_for_the_text_after_the_cursor() -> None:
    engine = engine_with(
        Rule(ends_with="    ", after="nothing like it", answer="no"),
        Rule(ends_with="    ", after="\nprint", answer="yes"),
    )
    assert await answer(engine) == ("yes", "end")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 3}, ("return a", "length")),
        ({"max_tokens": 0}, ("", "length")),
        ({"stop": ("\n",)}, ("return a + b", "stop")),
        ({"stop": ("n a", "+")}, ("retur", "stop")),
        ({"stop": ("b\nc",)}, ("return a + b\n", "end")),
    ],
)
async def test_limits(fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert await answer(engine_with(RETURN), **fields) == expected


async def test_candidates() -> None:
    rule = Rule(ends_with="    ", answer="return a", alternatives=("return b", "raise X"))
    engine = engine_with(rule)
    texts, _ = await read(engine.generate(GenerateRequest(1, HEAD, candidates=2)))
    assert texts == {0: "return a", 1: "return b"}
    texts, _ = await read(engine.generate(GenerateRequest(2, HEAD, "ret", candidates=3)))
    assert texts == {0: "urn a", 1: "urn b"}


async def test_each_candidate_says_that_it_has_ended() -> None:
    rule = Rule(ends_with="    ", answer="return a\n", alternatives=("return b",))
    events = engine_with(rule).generate(GenerateRequest(1, HEAD, candidates=3, stop=("\n",)))
    ends = [event async for event in events if isinstance(event, EndEvent)]
    assert sorted((end.candidate, end.reason) for end in ends) == [
        (0, "stop"),
        (1, "end"),
        (2, "missing"),
    ]


async def test_newer_supersedes_running() -> None:
    engine = engine_with(
        Rule(ends_with="slow", answer=(Step("a"), Step("b", gate="never"))), RETURN
    )
    first = engine.generate(GenerateRequest(1, HEAD, "slow"))
    await engine.reached("never")
    second = engine.generate(GenerateRequest(2, HEAD))
    assert await read(first) == ({0: "a"}, engine.finished[0])
    assert engine.finished[0].reason == "superseded"
    assert (await read(second))[0] == {0: "return a + b\n"}


async def test_burst_only_the_last_is_answered() -> None:
    engine = engine_with(RETURN)
    streams = [engine.generate(GenerateRequest(number, HEAD)) for number in range(50)]
    ends = [(await read(stream))[1].reason for stream in streams]
    assert ends == ["superseded"] * 49 + ["end"]


async def test_warm_up_waits_for_the_user_and_yields_to_the_user() -> None:
    engine = engine_with(Rule(ends_with="slow", answer=(Step("a", gate="g"),)), RETURN)
    user = engine.generate(GenerateRequest(1, HEAD, "slow"))
    old_warm_up = engine.generate(GenerateRequest(2, HEAD, max_tokens=0, background=True))
    warm_up = engine.generate(GenerateRequest(3, HEAD, max_tokens=0, background=True))
    assert (await read(old_warm_up))[1].reason == "superseded"
    engine.open_gate("g")
    assert (await read(user))[0] == {0: "a"}
    assert (await read(warm_up))[1].reason == "length"
    held = engine.generate(GenerateRequest(4, HEAD, max_tokens=0, background=True))
    user = engine.generate(GenerateRequest(5, HEAD))
    assert (await read(held))[1].reason == "superseded"
    assert (await read(user))[1].reason == "end"


async def test_cancel_and_close_of_the_iterator() -> None:
    engine = engine_with(Rule(answer=(Step("a"), Step("b", delay_ms=3_600_000))))
    stream = engine.generate(GenerateRequest(1, HEAD))
    assert await anext(stream) == TextEvent(1, "a")
    engine.cancel(7)
    engine.cancel(1)
    assert (await read(stream))[1].reason == "cancelled"
    stream = engine.generate(GenerateRequest(2, HEAD))
    await anext(stream)
    await stream.aclose()
    assert [done.reason for done in engine.finished] == ["cancelled", "cancelled"]
    assert [event async for event in stream] == []


async def test_a_rule_can_fail() -> None:
    engine = engine_with(Rule(answer="half", error="It broke."))
    texts, done = await read(engine.generate(GenerateRequest(1, HEAD)))
    assert (texts, done.reason, done.error) == ({0: "half"}, "failed", "It broke.")


async def test_states_are_taken_in_order_and_requests_fail_outside_ready() -> None:
    engine = ScriptedEngine(
        Script(
            rules=(Rule(answer=(Step("a", gate="never"),)),),
            states=(
                StateStep(Starting("loading", 10)),
                StateStep(Ready(MODEL), gate="loaded"),
                StateStep(Unavailable("It died.", 1.0), gate="dead"),
            ),
        )
    )
    async with running(engine):
        states = engine.states()
        assert await anext(states) == Starting("loading", 10)
        assert await answer(engine) == ("", "failed")
        engine.open_gate("loaded")
        assert await anext(states) == Ready(MODEL)
        cut_short = engine.generate(GenerateRequest(3, HEAD))
        await engine.reached("never")
        engine.open_gate("dead")
        assert await anext(states) == Unavailable("It died.", 1.0)
        assert (await read(cut_short))[1].reason == "failed"
        _, done = await read(engine.generate(GenerateRequest(4, HEAD)))
        assert (done.reason, done.error) == ("failed", "It died.")
        await engine.close()
        assert [state async for state in states] == []


async def test_stats_count_the_shared_prompt() -> None:
    engine = engine_with(RETURN)
    _, cold = await read(engine.generate(GenerateRequest(1, HEAD)))
    _, warm = await read(engine.generate(GenerateRequest(2, HEAD, "ret")))
    assert cold.stats.evaluated_tokens == cold.stats.prompt_tokens
    assert cold.stats.decoded_tokens == len(words("return a + b\n"))
    assert (warm.stats.reused_tokens, warm.stats.evaluated_tokens) == (cold.stats.prompt_tokens, 1)


async def test_script_from_a_file(tmp_path: Path) -> None:
    script = Script(rules=(RETURN, Rule(answer=(Step("x", 1.0, "g"),))))
    file = tmp_path / "script.json"
    file.write_bytes(msgspec.json.encode(script))
    assert await answer(ScriptedEngine.from_path(file)) == ("return a + b\n", "end")
    file.write_text('{"rules": [{"anwser": "x"}]}')
    state = ScriptedEngine.from_path(file).state
    assert isinstance(state, Unavailable)
    assert "anwser" in state.reason
    state = ScriptedEngine.from_path(tmp_path / "none.json").state
    assert isinstance(state, Unavailable)
    assert "none.json" in state.reason


@given(st.lists(st.text("ab\n", max_size=4)), st.lists(st.text("ab\n", max_size=3), max_size=3))
def test_stop_strings_however_the_text_is_cut(pieces: list[str], stops: list[str]) -> None:
    watch = StopWatch(stops)
    said = "".join(map(watch.feed, pieces)) + watch.rest()
    whole = "".join(pieces)
    found = [
        (whole.find(stop) + len(stop), whole.find(stop)) for stop in stops if stop and stop in whole
    ]
    assert watch.hit == bool(found)
    assert said == whole[: min(found)[1] if found else len(whole)]


@given(st.text())
def test_words_lose_nothing(text: str) -> None:
    assert "".join(words(text)) == text
