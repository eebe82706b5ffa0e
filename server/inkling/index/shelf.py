"""What is kept of one workspace folder in the cache: its store, and the segments built of it.

Invariants: nothing here raises for the disk's sake. A store that is damaged is made anew without
a word; where nothing can be kept the shelf is given up for good, with one sentence in `problem`,
and the index lives in memory. In both cases `lost` says so once: what is in memory alone, or was,
must be read again. Owner: the Workspace, on the event loop's thread.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from inkling.index import compact
from inkling.index.jobs import Made
from inkling.index.record import FileRecord, Tier
from inkling.index.segment import BadSegment, Segment
from inkling.index.store import Known, Store, StoreDamaged, StoreUnavailable

logger = logging.getLogger(__name__)

COMPACT = (sys.executable, "-P", "-m", "inkling.index.compact")
T = TypeVar("T")


class Shelf:
    """See the module. `folder` is the workspace's own in the cache."""

    def __init__(self, folder: Path) -> None:
        self.problem = ""
        """Why nothing is kept, for people."""
        self._folder = folder
        self._store: Store | None = None
        self._lost = False

    @property
    def kept(self) -> bool:
        """Whether what is put here stays."""
        return self._store is not None

    def lost(self) -> bool:
        """Whether the store has been given up or made anew since this was asked last."""
        lost, self._lost = self._lost, False
        return lost

    def open(self) -> tuple[list[Known], list[Segment]]:
        """What was kept last time."""
        try:
            self._store = Store.open(self._folder)
        except StoreUnavailable as error:
            self._give_up(error)
        known: list[Known] = self._ask(lambda store: list(store.known()), [])
        segments = []
        for file in sorted(self._folder.glob(compact.PATTERN)):
            try:
                segments.append(Segment.open(file))
            except (BadSegment, OSError) as error:
                logger.info("a segment can't be used and is made anew: %s", error)
                _remove(file)
        self._lost = False  # nobody counts on anything yet
        return known, segments

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def keep(self, read: Sequence[tuple[str, Made]]) -> None:
        """Keep what was read of files: path, and what became of it. Those without a hash had
        nothing to keep."""
        whole = [(path, made) for path, made in read if made.hash]
        records = [(made.hash, made.record) for _, made in whole if made.record is not None]
        links = [(path, made.mtime_ns, made.size, made.hash) for path, made in whole]

        def put(store: Store) -> None:
            store.put(records)
            store.link(links)

        self._ask(put, None)

    def drop(self, path: str) -> None:
        """The file is gone."""
        self._ask(lambda store: store.unlink((path,)), None)

    def prune(self) -> None:
        """Remove the records of contents that no file has had for some days."""
        self._ask(lambda store: store.prune(), 0)

    def record(self, hash_: bytes) -> FileRecord | None:
        """What is known of a content."""
        return self._ask(lambda store: store.record(hash_), None)

    def missing(self, hashes: Iterable[bytes], tier: Tier = "lexical") -> set[bytes]:
        """Contents without a record of that tier or a better one."""
        wanted = list(hashes)
        return self._ask(lambda store: set(store.missing(wanted, tier)), set())

    async def build(self, paths: Sequence[str]) -> list[Segment] | None:
        """Segments of the records of these files, built by a process of its own; None where that
        failed. The records of files that have none are left out."""
        names = await _compact(self._folder, paths)
        if names is None:
            logger.warning("no segment could be built")
            return None
        try:
            return [Segment.open(self._folder / name) for name in names]
        except (BadSegment, OSError) as error:  # the cache was deleted this moment
            logger.warning("a new segment can't be used: %s", error)
            return None

    def discard(self, segments: Iterable[Segment]) -> None:
        """Delete the files of segments that nobody needs."""
        for segment in segments:
            _remove(segment.file)

    def _ask(self, question: Callable[[Store], T], otherwise: T) -> T:
        if self._store is None:
            return otherwise
        try:
            return question(self._store)
        except StoreDamaged as error:
            logger.info("the store is made anew: %s", error)
            self._store.close()
            self._lost = True
            try:
                self._store = Store.open(self._folder, anew=True)
            except StoreUnavailable as again:
                self._give_up(again)
        except StoreUnavailable as error:
            self._give_up(error)
        return otherwise

    def _give_up(self, error: OSError) -> None:
        logger.warning("the index can't be kept: %s", error)
        said = "The index can't be kept on disk and will be made again next time"
        self.problem = f"{said} ({error.strerror or error})."
        self.close()
        self._store = None
        self._lost = True


def _remove(file: Path) -> None:
    # On Windows what is mapped can't be deleted: the next start does it.
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


async def _compact(folder: Path, paths: Sequence[str]) -> list[str] | None:
    """The names of the segments that the process has built; None if it failed."""
    if not paths:
        return []
    process = await asyncio.create_subprocess_exec(
        *COMPACT,
        os.fspath(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        text = b"".join(path.encode() + b"\0" for path in paths)
        said, _ = await process.communicate(text)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if process.returncode else said.decode().split()
