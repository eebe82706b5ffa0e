"""The event loop's side of the index process: starts it, asks it, replaces it when it dies.

Invariant: every question is answered, empty after its deadline or when the process dies; a new
process is told all that the former one knew (roots, open documents). Nothing here waits for the
disk. Owner: the event loop's thread.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
import time
from collections.abc import AsyncIterator, Sequence

import msgspec

from inkling.index.wire import (
    HEADER,
    Answer,
    Ask,
    Closed,
    Opened,
    Order,
    Problem,
    Progress,
    Question,
    Report,
    Serve,
    Touched,
    decode_report,
    frame,
)

logger = logging.getLogger(__name__)

# -P: the folder the server was started in, often a workspace, is no place to import from.
COMMAND = (sys.executable, "-P", "-m", "inkling.index.process")
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 60.0  # seconds before a restart
_HEALTHY_SECONDS = 60.0  # after which an old crash no longer counts
_CLOSE_SECONDS = 2.0
_BACKLOG_BYTES = 32 * 1024 * 1024
"""More than that unread by the process: it is too busy for questions, and for further texts of open
documents, which are sent with a question anyway."""


class IndexClient:
    """Asks the index process. `run` must be running for answers other than empty ones."""

    def __init__(self, serve: Serve, command: Sequence[str] = COMMAND) -> None:
        self._serve = serve
        self._command = tuple(command)
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._open: dict[str, bytes] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._closed = asyncio.Event()
        self._wanted = asyncio.Event()
        if serve.roots:
            self._wanted.set()
        self._watchers: list[asyncio.Queue[Progress | Problem | None]] = []
        self._told: set[str] = set()
        self.progress = Progress("looking")
        """How far it is."""

    async def run(self) -> None:
        """Keep a process alive until `close`, as soon as there is a folder to index. Returns when
        the last one has ended."""
        delay = _FIRST_DELAY
        await self._wanted.wait()
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                await self._live()
            except OSError as error:
                logger.error("the index process can't be started: %s", error)
            if self._closed.is_set():
                break
            if time.monotonic() - begun > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            logger.warning("the index process ended, starting another in %.1f s", delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)
            delay = min(delay * 2, _LONGEST_DELAY)
        for watcher in self._watchers:
            watcher.put_nowait(None)

    async def ask(self, question: Question, deadline_s: float) -> Answer:
        """The answer, or an empty one with an `error` after `deadline_s`. Never raises but when
        cancelled."""
        number = next(self._ids)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self._send(Ask(number, question)):
            return Answer(number, complete=False, error="The index is not running.")
        self._asked[number] = answer
        try:
            async with asyncio.timeout(deadline_s):
                return await answer
        except TimeoutError:
            return Answer(number, complete=False, error="The index did not answer in time.")
        finally:
            self._asked.pop(number, None)

    def opened(self, path: str, data: bytes) -> None:
        """A document is open and has this text."""
        self._open[path] = data
        self._send(Opened(path, data))

    def closed(self, path: str) -> None:
        """It is no longer open."""
        if self._open.pop(path, None) is not None:
            self._send(Closed(path))

    def touched(self, paths: Sequence[str]) -> None:
        """The client says that these have changed on disk."""
        self._send(Touched(tuple(paths)))

    def serve(self, serve: Serve) -> None:
        """Index these folders from now on."""
        if serve != self._serve:
            self._serve = serve
            self._send(serve)
        if serve.roots:
            self._wanted.set()

    async def news(self) -> AsyncIterator[Progress | Problem]:
        """The present progress, then all that is told, until the end."""
        watcher: asyncio.Queue[Progress | Problem | None] = asyncio.Queue()
        watcher.put_nowait(self.progress)
        if self._closed.is_set():
            watcher.put_nowait(None)
        self._watchers.append(watcher)
        try:
            while (news := await watcher.get()) is not None:
                yield news
        finally:
            self._watchers.remove(watcher)

    async def close(self) -> None:
        """End the process; `run` returns soon after. Questions in flight are answered empty."""
        self._closed.set()
        self._wanted.set()
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _CLOSE_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _send(self, order: Order) -> bool:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        backlog = process.stdin.transport.get_write_buffer_size()
        if isinstance(order, Opened | Ask) and backlog > _BACKLOG_BYTES:
            return False
        process.stdin.write(frame(order))
        return True

    async def _live(self) -> None:
        """One process's life, from its start to its end."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._process = process
        try:
            if not self._closed.is_set():
                self._send(self._serve)
                for path, data in self._open.items():
                    self._send(Opened(path, data))
                await self._read(process)
        finally:
            self._process = None
            for number, answer in tuple(self._asked.items()):
                if not answer.done():
                    answer.set_result(Answer(number, complete=False, error="The index stopped."))
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand out reports until the process's end of the pipe closes."""
        assert process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            while True:
                header = await process.stdout.readexactly(HEADER)
                body = await process.stdout.readexactly(int.from_bytes(header, "big"))
                self._deliver(decode_report(body))

    def _deliver(self, report: Report) -> None:
        if isinstance(report, Answer):
            answer = self._asked.get(report.id)
            if answer is not None and not answer.done():
                answer.set_result(report)
            return
        if isinstance(report, Progress):
            self.progress = report
        elif report.text in self._told:
            return
        else:
            self._told.add(report.text)
            logger.warning("index: %s", report.text)
        for watcher in self._watchers:
            watcher.put_nowait(report)
