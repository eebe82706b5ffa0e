"""Inkling's real server as an opponent: `inkling serve` over stdio, driven as VS Code does it.

Each change is a didChange, a `$/cancelRequest` for the request under way and an automatic
inlineCompletion request. Ghost text that the next key agrees with stays, as editors keep it,
until the answer to that key's own request replaces it.
"""

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import msgspec

from inkling.cli.bench.rpc import (
    LspClient,
    ServerError,
    ServerGone,
    capabilities,
    offset_of,
    position,
)
from inkling.cli.bench.side import Ghost, now
from inkling.cli.bench.trace import Step

PROBE_EVERY = 6
"""Steps between two `inkling.status` requests while typing."""
READY_S = 900.0
QUIET_S = 10.0
VS_CODE = "Visual Studio Code"
NEOVIM = "Neovim"


class NotReady(Exception):
    """The server could not be brought to complete anything; one sentence for people."""


class Answer(msgspec.Struct, frozen=True):
    """One inlineCompletion request, from the client's chair. Milliseconds."""

    uri: str
    version: int
    kind: str
    clean: bool
    same_line: bool
    ms: float
    items: int
    cancelled: bool


@dataclass(slots=True)
class Observed:
    """What this side noted besides the moments; owned by the side."""

    answers: list[Answer] = field(default_factory=list)
    probes_idle_ms: list[float] = field(default_factory=list)
    probes_busy_ms: list[float] = field(default_factory=list)
    changes_ms: list[float] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    initialize_ms: float = 0.0
    ready_s: float = 0.0
    rss_mb: dict[str, float] = field(default_factory=dict)
    failures: int = 0


class InklingSide:
    """Owner of one server process and of what the editor would show."""

    name = "inkling"

    def __init__(self, settings: dict[str, Any], client_name: str = VS_CODE) -> None:
        """`client_name`: some editors drop late answers, so the server answers them sooner."""
        self._client_name = client_name
        self._settings = settings
        self._client = LspClient(settings)
        self.ghost: Ghost | None = None
        self.since = 0.0
        self.seen = Observed()
        self._uri = ""
        self._text = ""
        self._version = 0
        self._steps = 0
        self._pending: tuple[int, asyncio.Future[Any]] | None = None
        self._commands: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the server and wait until its model is ready. Raises NotReady."""
        started = now()
        try:
            command = [sys.executable, "-P", "-m", "inkling", "serve"]
            await self._client.start(command, dict(os.environ))
            await self._client.request("initialize", self._initialize())
            self.seen.initialize_ms = (now() - started) * 1000
            self._client.notify("initialized", {})
            while (status := await self._status())["state"] != "ready":
                if status["state"] in ("unavailable", "off"):
                    raise NotReady(status.get("detail") or "the engine is not available")
                if now() - started > READY_S:
                    raise NotReady("the engine was not ready in 15 minutes")
                await asyncio.sleep(0.2)
        except (ServerGone, ServerError, TimeoutError) as problem:
            raise NotReady(str(problem)) from problem
        self.seen.ready_s = now() - started

    async def open(self, name: str, language_id: str, text: str) -> None:
        if self._uri:
            self._client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._uri = f"file:///bench/{name.lstrip('@')}"
        self._text, self._version, self.ghost = text, 1, None
        document = {"uri": self._uri, "languageId": language_id, "version": 1, "text": text}
        self._client.notify("textDocument/didOpen", {"textDocument": document})
        await self._status()

    async def did(self, text: str, step: Step) -> None:
        self._change(text, step)
        if self.ghost is not None:
            self.ghost = self.ghost.typed_through(step)
            self.since = now()
        if step.kind != "jump":
            self._ask(step)
        self._steps += 1
        if self._steps % PROBE_EVERY == 0:
            self._start(self._probe(self.seen.probes_busy_ms))

    async def take(self, text: str, step: Step) -> None:
        commands, self._commands = self._commands, []
        await self.did(text, step)
        for command in commands[:1]:
            with contextlib.suppress(ServerError):
                await self._client.command(command["command"], command.get("arguments") or [])

    def busy(self) -> bool:
        return (self._pending is not None and not self._pending[1].done()) or bool(self._tasks)

    async def quiet(self) -> None:
        if self._pending is not None:
            await asyncio.wait([self._pending[1]], timeout=10.0)
        await asyncio.gather(*self._tasks)
        until = now() + QUIET_S
        # Polled, as a status bar would: the server tells nobody of each generation's end.
        while now() < until and (await self._status()).get("working"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        self.seen.journal += await self._journal()

    async def stop(self) -> None:
        await self._client.stop()

    async def measure_idle(self, rounds: int = 40) -> None:
        """The round trip of a request that needs no model while nothing runs, and what a
        didChange in front of it adds."""
        for _ in range(rounds):
            await self._probe(self.seen.probes_idle_ms)
            await asyncio.sleep(0.02)
        alone = sorted(self.seen.probes_idle_ms)[len(self.seen.probes_idle_ms) // 2]
        for turn in range(rounds * 2):
            started = now()
            # A blank at the end of the file and back again.
            end = len(self._text) - turn % 2
            text = self._text + " " if turn % 2 == 0 else self._text[:-1]
            step = Step(
                0.0, "key", end, len(self._text), "" if turn % 2 else " ", end, "", clean=True
            )
            self._change(text, step)
            await self._status()
            self.seen.changes_ms.append(max(0.0, (now() - started) * 1000 - alone))
            await asyncio.sleep(0.02)

    @property
    def pid(self) -> int:
        return self._client.pid

    def _change(self, text: str, step: Step) -> None:
        """Tell the server of the edit, if there is one; `self._text` is what it has so far."""
        if step.start != step.end or step.text:
            self._version += 1
            span = {
                "start": position(self._text, step.start),
                "end": position(self._text, step.end),
            }
            self._client.notify(
                "textDocument/didChange",
                {
                    "textDocument": {"uri": self._uri, "version": self._version},
                    "contentChanges": [{"range": span, "text": step.text}],
                },
            )
        self._text = text

    def _ask(self, step: Step) -> None:
        if self._pending is not None and not self._pending[1].done():
            self._client.notify("$/cancelRequest", {"id": self._pending[0]})
        number, answer = self._client.send(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": self._uri},
                "position": position(self._text, step.cursor),
                "context": {"triggerKind": 2},
            },
        )
        self._pending = (number, answer)
        self._start(self._await_answer(number, answer, step))

    async def _await_answer(self, number: int, answer: asyncio.Future[Any], step: Step) -> None:
        uri, version, text = self._uri, self._version, self._text
        same_line = step.kind in ("key", "overtype")
        asked, cancelled = now(), False
        items: list[dict[str, Any]] = []
        try:
            result = await answer
            items = result["items"] if isinstance(result, dict) else result or []
        except ServerError:
            cancelled = True
        except ServerGone:
            self.seen.failures += 1
            cancelled = True
        newest = self._pending is not None and self._pending[0] == number
        self.seen.answers.append(
            Answer(
                uri,
                version,
                step.kind,
                step.clean,
                same_line,
                round((now() - asked) * 1000, 3),
                len(items),
                cancelled or not newest,
            )
        )
        if newest and (uri, version) == (self._uri, self._version):
            was = self.ghost
            self.ghost = _ghost(text, step.cursor, items[0]) if items else None
            self._commands = [items[0]["command"]] if items and items[0].get("command") else []
            if was is None:
                self.since = now()

    async def _probe(self, into: list[float]) -> None:
        started = now()
        await self._status()
        into.append((now() - started) * 1000)

    async def _status(self) -> dict[str, Any]:
        status = await self._client.command("inkling.status")
        return status if isinstance(status, dict) else {"state": "starting"}

    async def _journal(self) -> list[dict[str, Any]]:
        """What the server itself noted about its last requests, oldest first."""
        try:
            found = await self._client.command("inkling.why", [{"journal": True}])
        except ServerError:
            return []
        rows = found.get("journal", []) if isinstance(found, dict) else []
        known = {(row["uri"], row["version"], row["offset"]) for row in self.seen.journal}
        return [row for row in rows if (row["uri"], row["version"], row["offset"]) not in known]

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _initialize(self) -> dict[str, Any]:
        return {
            "processId": os.getpid(),
            "clientInfo": {"name": self._client_name},
            "rootUri": None,
            "capabilities": capabilities(),
            "initializationOptions": self._settings,
        }


def _ghost(text: str, cursor: int, item: dict[str, Any]) -> Ghost:
    span = item.get("range")
    start, end = cursor, cursor
    if span:
        start, end = offset_of(text, span["start"]), offset_of(text, span["end"])
    inserted = item["insertText"]
    return Ghost(start, end, inserted if isinstance(inserted, str) else inserted["value"])
