"""Worker processes for the index process: batches in, what became of each file out.

Invariants: each file of a batch is answered once, whatever happens to the worker; a content that
ended one is read by the line only, and not at all if that ends one, too. Workers are
started when there is work and end when there has been none for a while, so that an idle index is
one process. Owner: the index process's event loop.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from inkling.index.jobs import HEADER, Batch, Began, Made, Wanted, frame

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "inkling.index.worker")
IDLE_S = 20.0
"""A worker without work for so long ends; the next one takes a tenth of a second to start."""
SILENT_S = 15.0
"""A worker that says nothing for so long about a batch is killed. Its own watchdog ends it after
three seconds in one file."""
_answers: msgspec.msgpack.Decoder[Began | Made] = msgspec.msgpack.Decoder(Began | Made)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file; without `made` nothing is known of it."""

    path: str
    made: Made | None
    killed: bytes = b""
    """The hash of the content that did it."""


class _Died(Exception):
    """The worker has ended; what it was at, if that is known."""

    def __init__(self, began: Began | None) -> None:
        super().__init__()
        self.began = began


class Pool:
    """See the module."""

    def __init__(self, count: int, command: Sequence[str] = COMMAND) -> None:
        self.count = max(1, count)
        self.quarantined: set[bytes] = set()
        self._command = tuple(command)
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._workers = [_Worker(self._command) for _ in range(self.count)]
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._blamed: set[bytes] = set()
        self._batches = 0

    async def read(self, root: str, files: Sequence[Wanted]) -> AsyncIterator[Done]:
        """What became of each of `files`, in their order, as it comes. Waits for a free worker."""
        worker = await self._free.get()
        try:
            rest = list(files)
            while rest:
                self._batches += 1
                batch = Batch(self._batches, root, tuple(rest))
                answered = 0
                try:
                    async for made in worker.play(batch):
                        known = made.hash in self._blamed
                        final = msgspec.structs.replace(made, final=True) if known else made
                        yield Done(rest[answered].path, final)
                        answered += 1
                    return
                except _Died as death:
                    rest = rest[answered:]
                    if (done := self._blame(rest[0], death.began)) is not None:
                        yield done
                        del rest[0]
                    elif death.began is not None:
                        rest[0] = msgspec.structs.replace(rest[0], wish="lexical")
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def _blame(self, wanted: Wanted, began: Began | None) -> Done | None:
        """The end of the file that a worker was at, if it is not to be tried again."""
        if began is None:
            # It died before it had read anything; perhaps it can't be started at all.
            return Done(wanted.path, None)
        self._blamed.add(began.hash)
        if wanted.wish == "parsed":
            return None
        self.quarantined.add(began.hash)
        logger.warning("a file ended a worker twice and is set aside")
        return Done(wanted.path, None, began.hash)


class _Worker:
    """One process, or none at the moment. Owner: who took it from the pool."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def play(self, batch: Batch) -> AsyncIterator[Made]:
        """The answers to a batch. Raises `_Died`."""
        began: Began | None = None
        if self._ending is not None:
            self._ending.cancel()
        try:
            process = await self._started()
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(frame(batch))
            answered = 0
            while answered < len(batch.files):
                async with asyncio.timeout(SILENT_S):
                    header = await process.stdout.readexactly(HEADER)
                    body = await process.stdout.readexactly(int.from_bytes(header, "big"))
                said = _answers.decode(body)
                if isinstance(said, Began):
                    began = said
                    continue
                began = None
                answered += 1
                yield said
        except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            await self.end()
            raise _Died(began) from error
        loop = asyncio.get_running_loop()
        self._ending = loop.call_later(IDLE_S, self._let_go)

    async def end(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=8 * 1024 * 1024,
            )
        return self._process

    def _let_go(self) -> None:
        """Closing its stdin ends it; the next batch starts another one."""
        process, self._process = self._process, None
        self._ending = None
        if process is not None and process.stdin is not None:
            process.stdin.close()
