"""The index process: owns the index of all workspace folders, and answers questions about it.

Orders come on stdin, reports go out on stdout, as frames of `wire`. The process ends when stdin
does, and its workers with it. One event loop owns everything; a reader thread only hands orders
over. It gives way to everything else on the machine, but not as much as its workers do: somebody
may wait for an answer.
"""

import asyncio
import hashlib
import logging
import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from inkling.channel import standard_streams
from inkling.index.answers import answer, folder_of
from inkling.index.pool import Pool
from inkling.index.wire import (
    Answer,
    Ask,
    Closed,
    Opened,
    Order,
    Problem,
    Progress,
    Report,
    Serve,
    Touched,
    frame,
    read_order,
)
from inkling.index.workspace import Workspace

logger = logging.getLogger(__name__)

TOLD_EVERY_S = 0.2
_NICENESS = 5


class Indexer:
    """Takes orders, gives reports. Owner: the event loop's thread."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._folders: list[Workspace] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._pool = Pool(1)
        self._serve: Serve | None = None
        self._open: dict[str, bytes] = {}
        self._told: Progress | None = None
        self._problems: set[str] = set()

    async def take(self, order: Order) -> None:
        """Do what an order says."""
        if isinstance(order, Ask):
            self._report(self._answer(order))
        elif isinstance(order, Opened):
            self._open[order.path] = order.data
            if (home := folder_of(order.path, self._folders)) is not None:
                home[0].opened(home[1], order.data)
        elif isinstance(order, Closed):
            self._open.pop(order.path, None)
            if (home := folder_of(order.path, self._folders)) is not None:
                home[0].closed(home[1])
        elif isinstance(order, Touched):
            homes = [home for path in order.paths if (home := folder_of(path, self._folders))]
            for folder in self._folders:
                folder.touched([path for home, path in homes if home is folder])
        elif order != self._serve:
            await self._begin(order)

    async def tell(self) -> None:
        """Report progress and problems as they come, until cancelled."""
        while True:
            progress = self._progress()
            if progress != self._told:
                self._told = progress
                self._report(progress)
            for folder in self._folders:
                if (text := folder.problem) and text not in self._problems:
                    self._problems.add(text)
                    self._report(Problem(text))
            await asyncio.sleep(TOLD_EVERY_S)

    async def end(self) -> None:
        """Stop all work, the workers included."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()
        for folder in self._folders:
            folder.close()

    async def _begin(self, serve: Serve) -> None:
        """Index these folders instead of those before."""
        await self.end()
        self._serve = serve
        self._pool = Pool(serve.workers)
        self._folders = [
            Workspace(
                root, _cache_of(root, serve.cache), self._pool, serve.excludes, watch=serve.watch
            )
            for root in serve.roots
        ]
        self._tasks = [asyncio.create_task(self._run(folder)) for folder in self._folders]
        for path, data in self._open.items():
            if (home := folder_of(path, self._folders)) is not None:
                home[0].opened(home[1], data)

    async def _run(self, folder: Workspace) -> None:
        try:
            await folder.run()
        except Exception as error:  # the boundary of one folder: the others go on
            logger.exception("a folder is not indexed any more")
            folder.failure = f"{folder.root} is not indexed any more: {_said(error)}."

    def _answer(self, ask: Ask) -> Answer:
        try:
            encoding = self._serve.encoding if self._serve is not None else "utf-16"
            return answer(ask.id, ask.question, self._folders, encoding)
        except Exception as error:  # the boundary of one question
            logger.exception("a question failed")
            return Answer(ask.id, complete=False, error=f"The index failed: {_said(error)}.")

    def _progress(self) -> Progress:
        if self._serve is None or not all(folder.looked for folder in self._folders):
            return Progress("looking")
        waiting = sum(folder.waiting for folder in self._folders)
        total = max(waiting, sum(folder.queue.total for folder in self._folders))
        reading = any(folder.queue.phase == "reading" for folder in self._folders)
        if all(folder.ready for folder in self._folders):
            return Progress("ready", total, total)
        return Progress("reading" if reading else "parsing", total - waiting, total)

    def _report(self, report: Report) -> None:
        try:
            self._answers.write(frame(report))
            self._answers.flush()
        except OSError:
            os._exit(0)  # the server is gone; there is nobody to tell


def _cache_of(root: str, cache: str) -> Path:
    """The root's own folder in the cache; its name tells people which it is, and is unique."""
    name = "".join(letter if letter.isalnum() else "-" for letter in Path(root).name)[:40]
    return Path(cache) / f"{name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"


def _said(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split()) or type(error).__name__


async def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Take orders until `orders` ends."""
    inbox: asyncio.Queue[Order | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    reading = threading.Thread(target=_read, args=(orders, inbox, loop), daemon=True)
    reading.start()
    indexer = Indexer(answers)
    telling = asyncio.create_task(indexer.tell())
    try:
        while (order := await inbox.get()) is not None:
            try:
                await indexer.take(order)
            except Exception:  # the boundary of one order
                logger.exception("an order failed")
    finally:
        telling.cancel()
        await indexer.end()


def _read(
    orders: BinaryIO, inbox: "asyncio.Queue[Order | None]", loop: asyncio.AbstractEventLoop
) -> None:
    """Reader thread: hand orders over until stdin ends."""
    order: Order | None
    while True:
        try:
            order = read_order(orders)
        except (msgspec.MsgspecError, OSError) as error:
            logger.error("can't read the server's orders: %s", error)
            order = None
        try:
            loop.call_soon_threadsafe(inbox.put_nowait, order)
        except RuntimeError:
            return  # the loop has ended
        if order is None:
            return


def main() -> None:
    """Serve the parent until it ends."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if sys.platform != "win32":
        os.nice(_NICENESS)
    with standard_streams() as (orders, answers):
        asyncio.run(serve(orders, answers))


if __name__ == "__main__":
    main()
