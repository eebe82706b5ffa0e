"""The composition root: which parts the settings choose, and that nothing outlives them."""

import asyncio

import pytest

from inkling.app import build
from inkling.config import Settings
from inkling.engine.api import DoneEvent, GenerateRequest, Ready, Unavailable


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))


async def test_a_missing_model_is_named_and_nothing_waits_for_it():
    app = build(Settings())
    app.start()
    assert app.missing is not None and app.missing.name == "qwen2.5-coder-0.5b"
    state = app.engine.state
    assert isinstance(state, Unavailable) and "inkling pull qwen2.5-coder-0.5b" in state.reason
    events = [event async for event in app.engine.generate(GenerateRequest(1, ("x",)))]
    assert [(type(each), each.reason) for each in events] == [(DoneEvent, "failed")]
    assert events[0].error == state.reason
    await app.close()
    assert [each async for each in app.engine.states()] == [state]


@pytest.mark.parametrize("model", ["no-such-model", "/no/such/file.gguf", "~/nothing.gguf"])
async def test_a_model_that_does_not_exist_is_no_exception(model):
    app = build(Settings(model=model))
    assert isinstance(app.engine.state, Unavailable)
    assert app.missing is None
    await app.close()


async def test_a_script_takes_the_place_of_the_model(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('{"otherwise": "nothing"}')
    app = build(Settings(backend="scripted", model=str(script)))
    app.start()
    assert isinstance(app.engine.state, Ready)
    await app.close()


async def test_a_server_that_is_not_there(unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    app = build(Settings(backend="openai", server_url=url))
    app.start()
    async with asyncio.timeout(30):
        async for state in app.engine.states():
            if isinstance(state, Unavailable):
                break
    assert state == app.engine.state
    assert str(unused_tcp_port) in state.reason
    await app.close()


@pytest.mark.parametrize("backend", ["scripted", "openai", "llama"])
async def test_closing_before_starting_is_allowed(backend):
    app = build(Settings(backend=backend))
    async with asyncio.timeout(30):
        await app.close()
        # Who follows the engine is not left waiting.
        assert len([each async for each in app.engine.states()]) <= 1
