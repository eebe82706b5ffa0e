"""Nothing leaves the machine: the server and all its children, watched by an audit hook."""

import os
from pathlib import Path

import pytest

WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["INKLING_TEST_WATCH"], "a") as file:
            file.write(f"{event} {arguments[1:]} {sys.argv}\\n")
        raise PermissionError("no network in this test")

sys.addaudithook(watch)
with open(os.environ["INKLING_TEST_WATCH"] + ".on", "a") as file:
    file.write(f"{sys.orig_argv}\\n")
"""


async def _watched(start, tmp_path: Path):
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(WATCH)
    paths = [str(tmp_path / "hook"), *filter(None, [os.environ.get("PYTHONPATH")])]
    watched = {
        "PYTHONPATH": os.pathsep.join(paths),
        "INKLING_TEST_WATCH": str(tmp_path / "connections"),
    }
    return await start(env=watched)


async def test_completing_opens_no_connection(start, script, tmp_path):
    client = await _watched(start, tmp_path)
    await client.initialize(options=script({"ends_with": "x = ", "answer": "1"}))
    client.open("file:///a.py", "x = ")
    await client.ready()
    assert await client.suggested("file:///a.py", 0, 4)
    assert await client.stop() == 0
    processes = (tmp_path / "connections.on").read_text().splitlines()
    assert len(processes) == 2, "the server and the syntax worker are watched"
    assert not (tmp_path / "connections").exists()


async def test_a_missing_model_opens_no_connection_until_the_user_says_yes(start, tmp_path):
    client = await _watched(start, tmp_path)
    client.answers["window/showMessageRequest"] = lambda _: {"title": "Not now"}
    await client.initialize()
    await client.message("window/showMessageRequest")
    await client.ready()
    assert await client.stop() == 0
    assert not (tmp_path / "connections").exists()


@pytest.mark.model
async def test_the_real_engine_opens_no_connection(start, tmp_path, default_model):
    client = await _watched(start, tmp_path)
    await client.initialize(options={"model": str(default_model), "optimiseWeights": False})
    client.open("file:///a.py", "def add(a, b):\n    return a")
    assert (await client.ready())["state"] == "ready"
    assert await client.suggested("file:///a.py", 1, 12)
    assert await client.stop() == 0
    processes = (tmp_path / "connections.on").read_text().splitlines()
    assert any("inkling.engine.process" in line for line in processes)
    assert not (tmp_path / "connections").exists()
