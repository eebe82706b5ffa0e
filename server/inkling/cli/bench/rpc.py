"""A small LSP client: JSON-RPC frames to and from a server's stdin and stdout.

Written apart from the server's own library, so that a fault of the one cannot hide in the
other. Owner of the child process: `LspClient`; everything runs on one event loop.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = Any


class ServerGone(Exception):
    """The server ended; the message holds the last lines it wrote to stderr."""


class ServerError(Exception):
    """The server answered a request with an error."""


class LspClient:
    """One running server. `settings` is what it gets when it asks for its configuration."""

    def __init__(self, settings: dict[str, Json]) -> None:
        self._settings = settings
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._errors: list[str] = []
        self.messages: list[str] = []
        """What the server told the user (window/showMessage), oldest first."""

    @property
    def pid(self) -> int:
        return self._child().pid

    async def start(self, command: Sequence[str], environment: dict[str, str]) -> None:
        """Spawn the server. Raises OSError when it cannot be started."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, limit=2**20
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._drain())]

    async def request(self, method: str, params: Json, timeout_s: float = 30.0) -> Json:
        """Ask and wait. Raises ServerError, ServerGone, TimeoutError."""
        _, answer = self.send(method, params)
        return await asyncio.wait_for(answer, timeout_s)

    def send(self, method: str, params: Json) -> tuple[int, asyncio.Future[Json]]:
        """Ask without waiting; returns the request's id and its future answer."""
        number = next(self._ids)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._write({"id": number, "method": method, "params": params})
        return number, answer

    def notify(self, method: str, params: Json) -> None:
        self._write({"method": method, "params": params})

    async def command(self, name: str, arguments: Sequence[Json] = ()) -> Json:
        """workspace/executeCommand."""
        params = {"command": name, "arguments": list(arguments)}
        return await self.request("workspace/executeCommand", params)

    async def stop(self) -> None:
        """shutdown, exit; killed where it does not end in 5 s."""
        process = self._child()
        if process.returncode is None:
            with contextlib.suppress(TimeoutError, ServerError, ServerGone):
                await self.request("shutdown", None, 5.0)
                self.notify("exit", None)
            try:
                await asyncio.wait_for(process.wait(), 5.0)
            except TimeoutError:
                process.kill()
                await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _child(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ServerGone("the server was not started")
        return self._process

    def _write(self, message: Json) -> None:
        pipe = self._child().stdin
        if pipe is None or pipe.is_closing():
            raise ServerGone(self._last_words())
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def _last_words(self) -> str:
        return "the server ended: " + (" | ".join(self._errors[-5:]) or "without a word")

    async def _drain(self) -> None:
        """Keep the pipe of stderr empty; a full one would stop the server."""
        stream = self._child().stderr
        while stream is not None and (line := await stream.readline()):
            self._errors.append(line.decode(errors="replace").rstrip())
            del self._errors[:-50]

    async def _read(self) -> None:
        stream = self._child().stdout
        if stream is None:
            return
        try:
            while True:
                length = 0
                while (header := (await stream.readuntil(b"\n")).strip()) != b"":
                    name, _, value = header.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                self._take(json.loads(await stream.readexactly(length)))
        except asyncio.IncompleteReadError:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ServerGone(self._last_words()))
                    # Nobody may be waiting for this one any more.
                    answer.exception()
            self._waiting.clear()

    def _take(self, message: Json) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            answer = self._waiting.pop(number, None)
            if answer is not None and not answer.done():
                if "error" in message:
                    answer.set_exception(ServerError(message["error"].get("message", "")))
                    answer.exception()
                else:
                    answer.set_result(message.get("result"))
        elif number is not None:
            result: Json = None
            if method == "workspace/configuration":
                result = [self._settings for _ in message["params"]["items"]]
            self._write({"id": number, "result": result})
        elif method == "window/showMessage":
            self.messages.append(message["params"]["message"])


def capabilities() -> Json:
    """What a VS Code-like client says of itself."""
    return {
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {
            "synchronization": {"didSave": True},
            "inlineCompletion": {"dynamicRegistration": False},
        },
        "window": {"workDoneProgress": True},
        "workspace": {"configuration": True, "applyEdit": True},
    }


def position(text: str, offset: int) -> Json:
    """LSP position (UTF-16 units) of a code point offset. Lines end in \\n only here."""
    start = text.rfind("\n", 0, offset) + 1
    character = len(text[start:offset].encode("utf-16-le")) // 2
    return {"line": text.count("\n", 0, start), "character": character}


def offset_of(text: str, place: Json) -> int:
    """Code point offset of an LSP position; the inverse of `position`."""
    start = 0
    for _ in range(place["line"]):
        start = text.index("\n", start) + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)].encode("utf-16-le")
    return start + len(line[: 2 * place["character"]].decode("utf-16-le"))


def uri_of(path: Path) -> str:
    return path.absolute().as_uri()
