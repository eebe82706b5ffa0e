"""The event loop's side of the syntax worker: starts it, asks it, replaces it when it dies.

Invariant: `judge` returns within its deadline whatever happens to the process, and a text
that killed or stalled a grammar twice is not given to it again. (Once may be the machine's
doing: a swapped or overloaded one has stalled a worker on four bytes.)
Owner: the event loop's thread.
"""

import asyncio
import contextlib
import hashlib
import itertools
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from inkling.syntax.judgement import (
    LARGEST,
    NO_GRAMMAR,
    STOPPED,
    TOO_LARGE,
    TOO_LONG,
    Judgement,
    unchecked,
)
from inkling.syntax.languages import language_of
from inkling.syntax.verdicts import Verdicts
from inkling.syntax.wire import HEADER, Done, Job, frame
from inkling.text.document import Document
from inkling.text.encode import to_bytes

logger = logging.getLogger(__name__)

# -P: the folder the server was started in, often a workspace, is no place to import from.
COMMAND = (sys.executable, "-P", "-m", "inkling.syntax.worker")
_STALLED_SECONDS = 4.0  # the worker's own watchdog ends it after two
_PREPARE_MS = 300.0
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 30.0  # seconds before a restart
_HEALTHY_SECONDS = 60.0  # after which an old crash no longer counts


@dataclass(slots=True)
class _Asked:
    """A job the worker has not answered yet."""

    document: Document | None
    at: float
    answer: "asyncio.Future[Judgement | None]"


@dataclass(slots=True)
class _Suspect:
    """A document that was being parsed when the worker died."""

    strikes: int
    until: float


class SyntaxClient:
    """Asks the syntax worker. `run` must be running for `judge` to give checked answers."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = tuple(command)
        self._ids = itertools.count(1)
        self._asked: dict[int, _Asked] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._started = asyncio.Event()
        self._resting = False
        self._closed = asyncio.Event()
        self._blamed: set[bytes] = set()
        self._quarantine: set[bytes] = set()
        self._suspects: dict[str, _Suspect] = {}
        self._verdicts = Verdicts()
        self._preparing: int | None = None
        self._next: Document | None = None

    async def run(self) -> None:
        """Keep a worker alive until `close`. Returns when the last one has ended."""
        delay = _FIRST_DELAY
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                await self._live()
            except OSError as error:
                logger.error("the syntax worker can't be started: %s", error)
            if self._closed.is_set():
                return
            if time.monotonic() - begun > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            logger.warning("the syntax worker ended, starting another in %.1f s", delay)
            self._resting = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)
            self._resting = False
            delay = min(delay * 2, _LONGEST_DELAY)

    async def ready(self) -> None:
        """Wait until a worker runs. For ever, if none can be started."""
        await self._started.wait()

    async def judge(
        self,
        document: Document,
        offset: int,
        inserted: str,
        *,
        multiline: bool,
        finished: bool,
        deadline_ms: float,
    ) -> Judgement:
        """What of `inserted` at byte `offset` may be shown. Never raises but when cancelled.

        Where the answer would take longer than `deadline_ms`, or can't be had, the
        judgement says that it was not checked.
        """
        language = language_of(document.language_id, document.uri)
        if language is None:
            return unchecked(NO_GRAMMAR)
        if (reason := self._unfit(document)) is not None:
            return unchecked(reason)
        text = to_bytes(inserted)
        asked = {"multiline": multiline, "finished": finished}
        if (known := self._verdicts.find(document, offset, text, **asked)) is not None:
            return known
        until = time.monotonic() + deadline_ms / 1000
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                if not self._started.is_set() and not self._resting:
                    await self._started.wait()
                answer = self._ask(
                    document,
                    Job(
                        id=next(self._ids),
                        kind="judge",
                        uri=document.uri,
                        language=language.name,
                        data=document.data,
                        offset=offset,
                        inserted=text,
                        multiline=multiline,
                        finished=finished,
                        limit_ms=(until - time.monotonic()) * 1000,
                    ),
                )
                judgement = await answer or unchecked(TOO_LONG)
        except TimeoutError:
            return unchecked(TOO_LONG)
        self._verdicts.note(document, offset, text, judgement, **asked)
        return judgement

    def prepare(self, document: Document) -> None:
        """Have the document parsed before it is asked about; the latest one wins.

        Worth calling when a completion is requested: the parse is done while the model
        works, and `judge` then answers from a warm tree.
        """
        language = language_of(document.language_id, document.uri)
        if language is None or self._unfit(document) is not None:
            return
        if self._preparing is not None or not self._started.is_set():
            self._next = document
            return
        job = Job(
            id=next(self._ids),
            kind="prepare",
            uri=document.uri,
            language=language.name,
            data=document.data,
            limit_ms=_PREPARE_MS,
        )
        self._preparing = job.id
        self._ask(document, job)

    def forget(self, uri: str) -> None:
        """Drop what is kept for a document that was closed."""
        self._suspects.pop(uri, None)
        self._verdicts.forget(uri)
        if self._next is not None and self._next.uri == uri:
            self._next = None
        if self._started.is_set():
            self._ask(None, Job(id=next(self._ids), kind="forget", uri=uri, language=""))

    async def close(self) -> None:
        """End the worker; `run` returns soon after. Jobs in flight are answered unchecked."""
        self._closed.set()
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 1.0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _unfit(self, document: Document) -> str | None:
        """Why the document is not given to the worker, if it is not."""
        if len(document.data) > LARGEST:
            return TOO_LARGE
        suspect = self._suspects.get(document.uri)
        if suspect is not None and time.monotonic() < suspect.until:
            return STOPPED
        return STOPPED if self._quarantine and _digest(document) in self._quarantine else None

    def _ask(self, document: Document | None, job: Job) -> "asyncio.Future[Judgement | None]":
        answer: asyncio.Future[Judgement | None] = asyncio.get_running_loop().create_future()
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            answer.set_result(None)
            return answer
        self._asked[job.id] = _Asked(document, time.monotonic(), answer)
        process.stdin.write(frame(job))
        return answer

    async def _live(self) -> None:
        """One worker's life, from its start to its end."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._process = process
        watch = asyncio.create_task(self._watch(process))
        try:
            if not self._closed.is_set():
                self._started.set()
                self._prepared()
                await self._read(process)
        finally:
            self._started.clear()
            self._process = None
            watch.cancel()
            self._abandon()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand out answers until the worker's end of the pipe closes."""
        assert process.stdout is not None
        decoder = msgspec.msgpack.Decoder(Done)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            while True:
                header = await process.stdout.readexactly(HEADER)
                size = int.from_bytes(header, "big")
                done = decoder.decode(await process.stdout.readexactly(size))
                asked = self._asked.pop(done.id, None)
                if asked is not None and not asked.answer.done():
                    asked.answer.set_result(done.judgement)
                if done.id == self._preparing:
                    self._prepared()

    def _prepared(self) -> None:
        self._preparing = None
        following, self._next = self._next, None
        if following is not None:
            self.prepare(following)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Kill a worker that has not answered its oldest job for too long."""
        while True:
            await asyncio.sleep(_STALLED_SECONDS / 4)
            oldest = next(iter(self._asked.values()), None)
            if oldest is not None and time.monotonic() - oldest.at > _STALLED_SECONDS:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return

    def _abandon(self) -> None:
        """The worker is gone: blame the job it was at and answer all of them."""
        asked = list(self._asked.values())
        self._asked.clear()
        self._preparing = self._next = None
        if asked and asked[0].document is not None and not self._closed.is_set():
            document = asked[0].document
            digest = _digest(document)
            again = digest in self._blamed
            (self._quarantine if again else self._blamed).add(digest)
            strikes = self._suspects.get(document.uri, _Suspect(0, 0.0)).strikes + 1
            rest = min(2.0**strikes, 60.0)
            self._suspects[document.uri] = _Suspect(strikes, time.monotonic() + rest)
            logger.warning(
                "the syntax worker died on a document of %d bytes, left out for %.0f s%s",
                len(document.data),
                rest,
                "; this text for good" if again else "",
            )
        for place, one in enumerate(asked):
            if not one.answer.done():
                one.answer.set_result(None if place else unchecked(STOPPED))


def _digest(document: Document) -> bytes:
    return hashlib.blake2b(document.data, digest_size=16).digest()
