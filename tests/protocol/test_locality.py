"""Provably local: nothing but `pull` and a configured `openai` back-end opens a connection.

The server and all its children run with an audit hook (tests/fixtures/socket_watch) that notes
and refuses every connection and every look-up of a name; on Linux also in a network namespace
without a network, which binds native code, too.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protocol.client import PATIENCE_S, Client

WATCH = Path(__file__).parents[1] / "fixtures" / "socket_watch"
URI = "file:///a.py"
TEXT = "def f(items):\n    for it"


class Watched:
    """The environment of watched processes, and what they were seen to do."""

    def __init__(self, folder: Path, *, refuse: bool = True) -> None:
        self._log = folder / "sockets.log"
        path = [str(WATCH), os.environ.get("PYTHONPATH", "")]
        self.env = {
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "INKLING_SOCKET_LOG": str(self._log),
            "INKLING_SOCKETS": "refuse" if refuse else "allow",
        }

    def events(self) -> list[dict[str, Any]]:
        """All that happened, without the starts."""
        return [each for each in self._lines() if each["event"] != "started"]

    def started(self) -> str:
        """The command lines of the processes that were watched."""
        return "\n".join(
            " ".join(each["target"]) for each in self._lines() if each["event"] == "started"
        )

    def _lines(self) -> list[dict[str, Any]]:
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def use(client: Client, options: dict[str, Any], *, expect: bool = True) -> list[Any]:
    """What a person does: open a file, get a suggestion, ask why, leave."""
    await client.initialize(options=options)
    client.open(URI, TEXT)
    await client.ready()
    look = client.suggested if expect else client.inline
    items = await look(URI, 1, 10)
    await client.listed(URI, 1, 10)
    await client.command("inkling.why")
    assert await client.stop() == 0
    return items


async def test_the_server_connects_to_nothing(start, script, watched: Watched) -> None:
    client = await start(env=watched.env)
    items = await use(client, script({"ends_with": "for it", "answer": "em in items:"}))
    assert items[0]["insertText"].startswith("em in items:")
    assert "inkling serve" in watched.started()
    assert "inkling.syntax.worker" in watched.started()
    assert watched.events() == []


async def test_without_a_model_the_server_connects_to_nothing(start, watched: Watched) -> None:
    """It offers the download, and connects only if the user says yes; this one says no."""
    client = await start(env=watched.env)
    client.answers["window/showMessageRequest"] = lambda _: {"title": "Not now"}
    assert await use(client, {}, expect=False) == []
    assert client.count("window/showMessageRequest") == 1
    assert watched.events() == []


@pytest.mark.model
async def test_with_the_real_engine_the_server_connects_to_nothing(
    start, watched: Watched, default_model: Path
) -> None:
    client = await start(env=watched.env)
    items = await use(client, real(default_model))
    assert items[0]["insertText"]
    assert "inkling.engine.process" in watched.started()
    assert watched.events() == []


def real(model: Path) -> dict[str, Any]:
    return {"model": str(model), "optimiseWeights": False}


def has_namespaces() -> bool:
    """Whether a process may give itself a network without anything in it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    tried = subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False)
    return tried.returncode == 0


IN_NAMESPACE = pytest.mark.skipif(
    not has_namespaces(), reason="no unprivileged network namespaces on this machine"
)


async def in_namespace(cache: Path) -> Client:
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-rn", sys.executable, "-m", "inkling", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "INKLING_CACHE_DIR": str(cache)},
    )
    return Client(process)


@IN_NAMESPACE
async def test_works_in_a_namespace_without_a_network(tmp_path: Path, script) -> None:
    client = await in_namespace(tmp_path / "cache")
    items = await use(client, script({"ends_with": "for it", "answer": "em in items:"}))
    assert items[0]["insertText"].startswith("em in items:")
    assert await client.dispose() == ""


@IN_NAMESPACE
@pytest.mark.model
async def test_the_real_engine_works_in_a_namespace_without_a_network(
    tmp_path: Path, default_model: Path
) -> None:
    client = await in_namespace(tmp_path / "cache")
    items = await use(client, real(default_model))
    assert items[0]["insertText"]
    assert await client.dispose() == ""


async def test_the_openai_back_end_connects_to_its_server_only(start, tmp_path: Path) -> None:
    watched = Watched(tmp_path, refuse=False)
    listener = await asyncio.start_server(_complete, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = await start(env=watched.env)
    options = {"backend": "openai", "serverUrl": f"http://127.0.0.1:{port}/v1"}
    items = await use(client, options)
    assert items[0]["insertText"].startswith("em in items:")
    targets = {tuple(each["target"]) for each in watched.events()}
    assert targets == {("127.0.0.1", port)}
    listener.close()


async def _complete(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A completions server with one thing to say."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split()[1]
    if path == "/v1/models":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b'{"data": [{"id": "qwen2.5-coder"}]}')
    elif path == "/v1/completions":
        length = int(head.lower().partition("content-length:")[2].split()[0])
        prompt = json.loads(await reader.readexactly(length))["prompt"]
        rest = " item in items:".removeprefix(" it" if prompt.endswith("for it") else "")
        said = {"choices": [{"text": rest, "finish_reason": "stop"}]}
        writer.write(b"HTTP/1.1 200 OK\r\n\r\ndata: " + json.dumps(said).encode() + b"\n\n")
    else:
        writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
    writer.close()


def command(watched: Watched, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inkling", *arguments],
        env={**os.environ, "INKLING_CACHE_DIR": str(folder / "cache"), **watched.env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["models"], ["--help"], ["complete", __file__ + ":1:1"]])
def test_commands_that_connect_to_nothing(
    arguments: list[str], watched: Watched, tmp_path: Path
) -> None:
    command(watched, tmp_path, *arguments)
    assert f"inkling {arguments[0]}" in watched.started()
    assert watched.events() == []


def test_pull_does_connect(watched: Watched, tmp_path: Path) -> None:
    """So the hook sees what it should, and refusal is one clear sentence."""
    done = command(watched, tmp_path, "pull", "smollm2-135m")
    assert watched.events() != []
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
