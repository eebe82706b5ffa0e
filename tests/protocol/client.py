"""A small LSP client for tests: starts the real server, speaks frames, records everything.

It answers the server's requests from `answers` (method → function of the params), as an editor
with the given capabilities would, and fails the test on an answer to a request that nobody
made or that was answered before.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROFILES = Path(__file__).parents[1] / "fixtures" / "client-capabilities"
PATIENCE_S = 30.0
"""Far beyond what anything takes, so that only a hang is a failure."""


class ServerError(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data = error.get("data")


def profile(name: str) -> dict[str, Any]:
    """The `initialize` parts of a captured client: `capabilities` and `clientInfo`."""
    found: dict[str, Any] = json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))
    return found


PROFILE_NAMES = sorted(path.stem for path in PROFILES.glob("*.json"))


class Client:
    """One editor with one server. Owner: the test's event loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.received: list[dict[str, Any]] = []
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self.capabilities: dict[str, Any] = {}
        self.strays: list[dict[str, Any]] = []
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._next_id = 0
        self._arrived = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self._errors = asyncio.create_task(process.stderr.read() if process.stderr else _no())

    @classmethod
    async def start(cls, cache: Path, *, env: dict[str, str] | None = None) -> "Client":
        """Start `inkling serve` with its files below `cache`."""
        environment = {**os.environ, "INKLING_CACHE_DIR": str(cache), **(env or {})}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "inkling", "serve"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        return cls(process)

    # -- sending -----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Raw bytes on the server's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> "tuple[int, asyncio.Future[Any]]":
        """Send a request without waiting: its id and the future of its answer."""
        self._next_id += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._next_id] = future
        self.send({"id": self._next_id, "method": method, "params": params})
        return self._next_id, future

    async def request(self, method: str, params: Any = None) -> Any:
        """Send a request and wait for its answer. Raises `ServerError`."""
        return await asyncio.wait_for(self.ask(method, params)[1], PATIENCE_S)

    # -- receiving ---------------------------------------------------------------------------

    async def message(self, method: str, seen: int = 0) -> dict[str, Any]:
        """Wait for the server's message of that method, after the first `seen` of them."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.received if each.get("method") == method][seen:]

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(found), PATIENCE_S)
        return found()[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what was received makes `condition` true."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(condition), PATIENCE_S)

    def count(self, method: str) -> int:
        return sum(each.get("method") == method for each in self.received)

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                length = 0
                while (line := await stdout.readuntil(b"\r\n")) != b"\r\n":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                await self._take(json.loads(await stdout.readexactly(length)))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the server's stdout ended"))

    async def _take(self, message: dict[str, Any]) -> None:
        assert message["jsonrpc"] == "2.0", message
        if "method" in message and "id" in message:
            self._answer(message)
        elif "id" in message:
            future = self._waiting.pop(message["id"], None)
            if future is None:
                self.strays.append(message)
            elif "error" in message:
                future.set_exception(ServerError(message["error"]))
            else:
                future.set_result(message["result"])
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()

    def _answer(self, message: dict[str, Any]) -> None:
        answer = self.answers.get(message["method"])
        if answer is None:
            error = {"code": -32601, "message": "Unhandled method"}
            self.send({"id": message["id"], "error": error})
            return
        result = answer(message["params"])
        if result is not NO_ANSWER:
            self.send({"id": message["id"], "result": result})

    # -- an editor's habits ------------------------------------------------------------------

    async def initialize(
        self,
        client: str | dict[str, Any] = "neovim-0.12.4",
        *,
        options: Any = None,
        settings: Any = None,
        experimental: Any = None,
    ) -> dict[str, Any]:
        """Introduce a captured client; its settings are given when the server pulls them."""
        params = profile(client) if isinstance(client, str) else client
        if experimental is not None:
            params["capabilities"]["experimental"] = experimental
        self.answers.setdefault(
            "workspace/configuration", lambda asked: [settings for _ in asked["items"]]
        )
        self.answers.setdefault("client/registerCapability", lambda _: None)
        self.answers.setdefault("window/workDoneProgress/create", lambda _: None)
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "initializationOptions": options,
            **params,
        }
        result = await self.request("initialize", params)
        self.capabilities = result["capabilities"]
        self.notify("initialized", {})
        return dict(result)

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def insert(self, uri: str, version: int, line: int, character: int, text: str) -> None:
        place = {"line": line, "character": character}
        change = {"range": {"start": place, "end": place}, "text": text}
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": [change]}
        self.notify("textDocument/didChange", params)

    @staticmethod
    def at(uri: str, line: int, character: int, **context: Any) -> dict[str, Any]:
        """Params of an inline completion request."""
        return {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 2, **context},
        }

    async def inline(self, uri: str, line: int, character: int, **context: Any) -> list[Any]:
        params = self.at(uri, line, character, **context)
        result = await self.request("textDocument/inlineCompletion", params)
        return list(result["items"])

    async def suggested(
        self, uri: str, line: int, character: int, *, at_least: int = 1, **context: Any
    ) -> list[Any]:
        """Ask, as an editor does with each key, until there is something."""
        async with asyncio.timeout(PATIENCE_S):
            while len(items := await self.inline(uri, line, character, **context)) < at_least:
                pass
        return items

    async def entries(self, uri: str, line: int, character: int) -> list[Any]:
        """The ordinary list's items: asked for, as with each key, until there are some."""
        async with asyncio.timeout(PATIENCE_S):
            while not (listed := await self.listed(uri, line, character))["items"]:
                # At once and empty while the model works: the editor shall ask again.
                assert listed["isIncomplete"] is True
        return list(listed["items"])

    async def listed(self, uri: str, line: int, character: int) -> dict[str, Any]:
        params = {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        }
        return dict(await self.request("textDocument/completion", params))

    async def command(self, name: str, *arguments: Any) -> Any:
        params = {"command": name, "arguments": list(arguments)}
        return await self.request("workspace/executeCommand", params)

    async def ready(self) -> dict[str, Any]:
        """Wait until the engine is ready (or cannot be): the last status."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                status: dict[str, Any] = await self.command("inkling.status")
                if status["state"] != "starting":
                    return status
                # Status is pushed, too, but not to the clients these profiles are of.
                await asyncio.sleep(0.02)

    # -- the end -----------------------------------------------------------------------------

    async def stop(self) -> int:
        """Shut down as LSP says: the server's exit code."""
        await self.request("shutdown")
        self.notify("exit")
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the server's end."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
            await self._reading
        return code

    async def dispose(self) -> str:
        """End it whatever state it is in: what it wrote to stderr."""
        async with asyncio.timeout(PATIENCE_S):
            if self.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
            await self._reading
            errors = await self._errors  # ends with the last process that holds stderr
        return errors.decode(errors="replace") if errors else ""


NO_ANSWER = object()
"""What an answer function returns for a client that never answers."""


async def _no() -> bytes:
    return b""
