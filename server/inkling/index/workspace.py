"""One workspace folder: what it holds, what of that is known, and what must still be read.

Invariants: a file that is there and belongs is in the view, or in the queue, or was found to be no
text, too large or a parser's end; what the cache lacks, or can't keep, is made again without a word
but one. An open document hides its file. Owner: the index process's event loop; nothing here takes
longer than some ten milliseconds, save the listing of files, which another thread does.
"""

import asyncio
import logging
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from inkling.index.crawl import Found, crawl, walk
from inkling.index.jobs import Wanted
from inkling.index.pool import Done, Pool
from inkling.index.reading import ReadingQueue
from inkling.index.record import FileRecord
from inkling.index.rules import Rules
from inkling.index.shelf import Shelf
from inkling.index.upkeep import Job, next_job
from inkling.index.view import View
from inkling.index.watch import RESCAN, changes
from inkling.index.wire import Counts
from inkling.syntax.languages import language_of_file

logger = logging.getLogger(__name__)

IN_MEMORY = 300
"""Files whose records are taken into memory while they are read; more wait for a segment."""
RECONCILE_S = 600.0
"""How often everything is compared with what is on disk, in case a change escaped."""
RECONCILE_SHARE = 200
"""And at least so many times as long as a comparison takes."""


class Workspace:
    """See the module. Use: `run` as a task until it is cancelled, then `close`."""

    def __init__(
        self, root: str, folder: Path, pool: Pool, excludes: tuple[str, ...], *, watch: bool
    ) -> None:
        """`folder` is this root's own in the cache."""
        self.root = Path(root)
        self.view = View()
        self.looked = False
        """Whether the folder has been listed since the start."""
        self.failure = ""
        """Why `run` has ended, where it has."""
        self.queue = ReadingQueue()
        self._shelf = Shelf(folder)
        self._pool = pool
        self._rules = Rules(self.root, excludes)
        self._watch = watch
        self._disk: dict[str, tuple[int, int, bytes]] = {}
        """Of every file that was read: time, size and hash as it was then."""
        self._found: dict[str, Found] = {}
        self._open: dict[str, bytes] = {}
        self._unsettled: dict[str, bytes] = {}
        """Open documents whose present text has no record yet."""
        self._settled: dict[str, bytes] = {}
        """Texts of open documents that were read last."""
        self._turns: dict[str, int] = {}
        """How often a file has been seen to change or go: what was read before that is old."""
        self._unbuilt: set[str] = set()
        """Files whose records are in the store alone, until segments are built of them."""
        self._more = asyncio.Event()
        self._reading: set[asyncio.Task[None]] = set()
        self._building: asyncio.Task[None] | None = None
        self._listing_s = 0.0
        self._stop = asyncio.Event()

    # -- what is asked -----------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether all that is known to be there is in the view."""
        quiet = not self.queue and not self._reading and not self._unsettled
        return self.looked and quiet and self._building is None and not self._unbuilt

    @property
    def waiting(self) -> int:
        """Files still to be read or parsed."""
        return len(self.queue) + len(self._unsettled)

    @property
    def problem(self) -> str:
        """What is not as it should be, for people; mostly empty."""
        return self.failure or self._shelf.problem

    def counts(self) -> Counts:
        """How much is indexed."""
        files, parsed, definitions, names = self.view.totals()
        return Counts(
            files=files,
            parsed=parsed,
            definitions=definitions,
            names=names,
            open_documents=len(self._open),
            waiting=self.waiting,
            quarantined=len(self._pool.quarantined),
            problems=(self.problem,) if self.problem else (),
        )

    def read(self, path: str) -> bytes | None:
        """A file's present content: of an open document what the editor has."""
        data = self._open.get(path)
        if data is not None:
            return data
        if not self._rules.file(path):
            return None
        try:
            return (self.root / path).read_bytes()
        except (OSError, ValueError):
            return None

    def settled(self, path: str) -> bool:
        """Whether an open document's present text has been read, whatever came of it; true of
        other files."""
        data = self._open.get(path)
        return data is None or self._settled.get(path) == data

    # -- what is told ------------------------------------------------------------------------

    def opened(self, path: str, data: bytes) -> None:
        """The document at `path` has this text now."""
        if not self._rules.file(path):
            return
        self._open[path] = data
        self._unsettled[path] = data
        self.queue.near({name.rpartition("/")[0] for name in self._open})
        self._more.set()

    def closed(self, path: str) -> None:
        """The document is not open any more: its file counts again."""
        if self._open.pop(path, None) is None:
            return
        self._unsettled.pop(path, None)
        self._settled.pop(path, None)
        if (found := self._rules.look(path)) is None:
            self._lose(path)
        else:
            # Also where it is what it was: the view knows the document's text alone.
            self._found[path] = found
            self.queue.touch((path,))
        self._more.set()

    def touched(self, paths: Iterable[str]) -> None:
        """These files, or folders, may have changed, appeared or gone."""
        gone: set[str] = set()
        for path in paths:
            found = self._rules.look(path)
            if found is not None:
                self._see(found)
            elif path in self._found:
                self._lose(path)
            elif os.path.isdir(self.root / path):  # noqa: PTH112 - never raises
                for _, names in walk(self._rules, path):
                    self.touched(names)
            else:
                gone.add(path)  # if it was a folder, all that was in it
        if gone:
            for name in [name for name in self._found if not gone.isdisjoint(_above(name))]:
                self._lose(name)
        self._more.set()

    # -- life --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the view true until cancelled."""
        self._remember()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work())
            tasks.create_task(self._follow())

    def close(self) -> None:
        """Let go of the store. After `run` has ended."""
        self._stop.set()
        self._shelf.close()

    def _remember(self) -> None:
        """What was known last time can be asked at once."""
        known, segments = self._shelf.open()
        self._disk = {path: (mtime, size, hash_) for path, mtime, size, hash_ in known}
        self.view = View(segments)
        untold = self.view.settle({path: hash_ for path, _, _, hash_ in known})
        # Of what is no text there is a link, so that it isn't read again, but no record.
        missing = self._shelf.missing(self._disk[path][2] for path in untold)
        untold = [path for path in untold if self._disk[path][2] not in missing]
        if len(untold) > IN_MEMORY:
            self._unbuilt.update(untold)
        else:
            self._load(untold)

    async def _follow(self) -> None:
        """List the folder, then follow what changes in it."""
        if not self._watch:
            await self._reconcile()
            while True:
                await self._reconcile_later()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reconcile_for_ever())
            async for paths in changes(self.root, self._rules, self._stop):
                if RESCAN in paths:
                    await self._reconcile()
                self.touched(paths - {RESCAN})

    async def _reconcile_for_ever(self) -> None:
        while True:
            await self._reconcile_later()

    async def _reconcile_later(self) -> None:
        await asyncio.sleep(max(RECONCILE_S, RECONCILE_SHARE * self._listing_s))
        await self._reconcile()

    async def _reconcile(self) -> None:
        """Compare all that is known with what is on disk."""
        began = time.monotonic()
        self._rules.forget()
        found = await asyncio.to_thread(lambda: list(crawl(self.root, rules=self._rules)))
        self._listing_s = time.monotonic() - began
        there = {one.path for one in found}
        for path in [path for path in self._disk if path not in there]:
            self._lose(path)
        new: dict[str, int] = {}
        for one in found:
            self._found[one.path] = one
            if self._disk.get(one.path, (0, 0))[:2] != (one.mtime_ns, one.size):
                self._outdate(one.path)
                new[one.path] = one.mtime_ns
        self.queue.add(new)
        if not self.looked:
            self._shelf.prune()
            self._deepen_known(there - new.keys())
        self.looked = True
        self._more.set()

    def _deepen_known(self, paths: set[str]) -> None:
        """Parse what an earlier process has only read by the line."""
        missing = self._shelf.missing((self._disk[path][2] for path in paths), "parsed")
        self.queue.deepen(
            {
                path: self._disk[path][0]
                for path in paths
                if self._disk[path][2] in missing and language_of_file(path) is not None
            }
        )

    # -- reading -----------------------------------------------------------------------------

    async def _work(self) -> None:
        """Hand batches to the workers as long as there are any, and build segments after it."""
        try:
            while True:
                self._start_reading()
                if not self._reading:
                    self._build_if_due()
                more = asyncio.ensure_future(self._more.wait())
                building = {self._building} if self._building is not None else set()
                await asyncio.wait(
                    {more, *self._reading, *building}, return_when=asyncio.FIRST_COMPLETED
                )
                more.cancel()
                self._more.clear()
                self._reap()
        finally:
            ended = [*self._reading, *([self._building] if self._building else [])]
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)

    def _start_reading(self) -> None:
        while len(self._reading) < self._pool.count:
            if self._unsettled:
                documents, self._unsettled = self._unsettled, {}
                batch = [Wanted(path, "parsed", text=data) for path, data in documents.items()]
            else:
                by_line = self.queue.by_line
                batch = self.queue.take()
                if by_line and not self.queue.by_line and self._unbuilt:
                    self._build_if_due()  # all has been read by the line: let it be searched
            if not batch:
                return
            self._reading.add(asyncio.ensure_future(self._read(batch)))

    def _reap(self) -> None:
        for task in [task for task in self._reading if task.done()]:
            self._reading.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("a batch of files was not read", exc_info=error)
        if self._building is not None and self._building.done():
            if (error := self._building.exception()) is not None:
                logger.error("no segments were built", exc_info=error)
            self._building = None

    async def _read(self, batch: list[Wanted]) -> None:
        """Read one batch; what came of it goes into the store and the view."""
        turns = [self._turns.get(wanted.path, 0) for wanted in batch]
        found = [done async for done in self._pool.read(str(self.root), batch)]
        results = [
            (wanted, done)
            for wanted, done, turn in zip(batch, found, turns, strict=False)
            if wanted.text is not None or turn == self._turns.get(wanted.path, 0)
        ]
        self._shelf.keep(
            [
                (done.path, done.made)
                for wanted, done in results
                if wanted.text is None and done.made is not None
            ]
        )
        for wanted, done in results:
            self._take(wanted, done)
        self._recover()

    def _take(self, wanted: Wanted, done: Done) -> None:
        """Let the view know of one file."""
        path, made = done.path, done.made
        if wanted.text is not None:
            if self._open.get(path) == wanted.text:
                self._settled[path] = wanted.text
                if made is not None and made.record is not None:
                    self.view.put(path, made.hash, made.record)
            return
        if made is None or made.state == "gone":
            if made is not None:
                self._lose(path)
            elif done.killed:
                self._disk[path] = (*self._seen(path), done.killed)
            return
        if not made.hash:
            return  # unreadable, or written just now: seen again when it changes
        self._disk[path] = (made.mtime_ns, made.size, made.hash)
        if made.record is None:
            return
        if path not in self._open:
            self._show(path, made.hash, made.record)
        if not made.final:
            self.queue.deepen({path: made.mtime_ns})

    def _show(self, path: str, hash_: bytes, record: FileRecord) -> None:
        few = len(self.view.overlay) < IN_MEMORY and not self.queue.by_line
        # What memory holds of a file counts more than any segment, so it must be the newest.
        if not self._shelf.kept or few or path in self.view.overlay.held:
            self.view.put(path, hash_, record)
        else:
            self._unbuilt.add(path)

    def _seen(self, path: str) -> tuple[int, int]:
        found = self._found.get(path)
        return (found.mtime_ns, found.size) if found is not None else (0, 0)

    def _see(self, found: Found) -> None:
        self._found[found.path] = found
        if self._disk.get(found.path, (0, 0))[:2] != (found.mtime_ns, found.size):
            self._outdate(found.path)
            self.queue.touch((found.path,))

    def _outdate(self, path: str) -> None:
        """What is being read of a file now is old."""
        self._turns[path] = self._turns.get(path, 0) + 1

    def _lose(self, path: str) -> None:
        self._found.pop(path, None)
        self._outdate(path)
        self.queue.drop(path)
        self._unbuilt.discard(path)
        known = self._disk.pop(path, None)
        if path not in self._open:
            self.view.remove(path)
        if known is not None:
            self._shelf.drop(path)

    # -- segments ----------------------------------------------------------------------------

    def _build_if_due(self) -> None:
        """Build a segment of what is in none, or what `upkeep` says."""
        if not self._shelf.kept or self._building is not None:
            return
        job = next_job(self.view, self._open)
        if self._unbuilt:
            # With what is in memory, so that there is room again for what changes next.
            built, self._unbuilt = self._unbuilt, set()
            built.update(path for path in self.view.overlay.held if path not in self._open)
            job = Job(tuple(sorted(built)), ())
        if job is not None:
            self._building = asyncio.ensure_future(self._build(job))

    async def _build(self, job: Job) -> None:
        segments = await self._shelf.build([path for path in job.paths if path in self._disk])
        if segments is None:
            self._load(job.paths)
            return
        for segment in segments:
            self.view.add(segment, job.instead_of)
        spent = {shown.segment for shown in self.view.shown if not shown.count}
        self.view.shown = [shown for shown in self.view.shown if shown.count]
        self._shelf.discard(spent.union(job.instead_of))

    def _load(self, paths: Iterable[str]) -> None:
        """Take records from the store into memory; what the store lacks is read again."""
        for path in paths:
            known = self._disk.get(path)
            if known is None or self.view.hash_of(path) == known[2]:
                continue
            record = self._shelf.record(known[2])
            if record is not None:
                self.view.put(path, known[2], record)
            else:
                del self._disk[path]
                self.queue.add({path: known[0]})

    def _recover(self) -> None:
        """After the store was lost: read again what stood in it alone, and all that is to stand in
        it again."""
        if not self._shelf.lost():
            return
        again = set(self._disk) if self._shelf.kept else self._unbuilt
        self._unbuilt = set()
        self.queue.add({path: self._disk.pop(path)[0] for path in again if path in self._disk})
        self._more.set()


def _above(path: str) -> Iterator[str]:
    """The folders that a file is in, the innermost first."""
    while (end := path.rfind("/")) > 0:
        path = path[:end]
        yield path
