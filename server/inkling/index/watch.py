"""What changes on disk below a workspace folder, as a stream of sets of paths.

A change is only ever a reason to look: the stream says where, never what. Invariants: each folder
is watched before it is listed, so whatever appears in it is either listed or reported, and with it
a folder that came with 5,000 files in it; `RESCAN` comes first, once everything is watched, and
whenever something may have escaped (a branch switch, new ignore rules, more at once than the
system's queue holds, a watcher that failed). Where the system has no watches left, the folder is
looked through every few seconds instead.

watchfiles is asked for single folders and not for trees on Linux: it would watch what is ignored,
too, and `node_modules` alone can use up the watches of a system. macOS and Windows report on
trees at no such cost. Its `timeout` is not used, since what arrives with it is lost.
"""

import asyncio
import logging
import math
import os
import queue
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from inkling.index import git
from inkling.index.crawl import crawl, walk
from inkling.index.rules import IGNORE_FILES, Rules, is_below, is_real_folder
from inkling.index.wanted import FOLDERS
from inkling.index.watchers import FEW, Batch, Failed, OutOfWatches, Watchers

RESCAN: Final = "/"
"""In place of a path: compare everything with what is on disk."""

POLL_S = 5.0
"""The shortest pause between two looks where nothing can be watched."""

_POLL_SHARE = 20  # at least so many times as long as a look takes is the pause after it
_FLOOD = 8_000  # changes in one batch from which on the system's queue (16,384) may have run over
_INDEX_PAUSE_S = 30.0  # `git status` rewrites the index, and editors call it all the time
_QUIET_S = 5.0  # without changes, after which the watchers are put in order
_ROUNDS = 50
_FAILURES, _WITHIN_S = 5, 60.0
_ADDED, _MODIFIED = 1, 2  # of watchfiles.Change

_log = logging.getLogger(__name__)


async def changes(
    root: Path, rules: Rules, stop: asyncio.Event, *, poll_s: float = POLL_S
) -> AsyncIterator[set[str]]:
    """Relative POSIX paths that have appeared, changed or gone, until `stop` is set.

    The first set is `{RESCAN}`, when watching has begun: who lists the files after that misses
    nothing. A path may be a folder's, one that is gone or one that has come: then all that was
    known below it has to be looked at, and the files in it are in the set, too. Paths that don't
    belong by their names are left out, but a path is no promise that a file is there or small
    enough: ask `rules.look`.
    """
    loop = asyncio.get_running_loop()
    pending: set[str] = set()
    ready = asyncio.Event()

    def take(paths: set[str]) -> None:
        pending.update(paths)
        ready.set()

    def hand(paths: set[str]) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(take, paths)

    keeper = _Keeper(root, rules, hand, poll_s)
    thread = threading.Thread(target=keeper.run, name="inkling-watch", daemon=True)
    thread.start()
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            arrived = asyncio.ensure_future(ready.wait())
            await asyncio.wait((arrived, stopped), return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
            if ready.is_set() and not stop.is_set():
                ready.clear()
                paths, pending = pending, set()
                yield paths
    finally:
        stopped.cancel()
        keeper.stop()
        await asyncio.to_thread(thread.join)


class _Keeper:
    """Keeps the watchers on the folders there are. Owner of all its state: the thread in `run`.

    Only `stop` may be called from elsewhere.
    """

    def __init__(
        self, root: Path, rules: Rules, hand: Callable[[set[str]], None], poll_s: float
    ) -> None:
        # What is reported on macOS are real paths.
        self._root = Path(os.path.realpath(root))
        self._rules = rules
        self._hand = hand
        self._poll_s = poll_s
        self._inbox: queue.SimpleQueue[Batch | Failed | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._watchers = Watchers(self._inbox.put, single=sys.platform.startswith("linux"))
        self._git: Path | None = None
        self._index_due: float | None = None
        self._index_last = -math.inf
        self._failures: list[float] = []

    def stop(self) -> None:
        """From any thread: end `run` soon."""
        self._stopped.set()
        self._inbox.put(None)

    def run(self) -> None:
        """Watch until `stop`, or where that can't be done, look every few seconds."""
        try:
            try:
                self._watch()
                return
            except OutOfWatches as error:
                _log.warning(
                    "%s: changes on disk cannot be watched (%s); looking every %.0f s instead",
                    self._root,
                    error,
                    self._poll_s,
                )
            except Exception:  # the boundary of a thread: a fault must not end the news
                _log.exception("watching failed; looking every %.0f s instead", self._poll_s)
        finally:
            self._watchers.close()
        self._poll()

    def _watch(self) -> None:
        self._watchers.open(self._root)
        self._watch_git()
        self._cover({""}, files=False)
        self._cover_tracked()
        self._hand({RESCAN})
        while not self._stopped.is_set():
            changed: set[tuple[int, str]] = set()
            failed: list[Failed] = []
            for item in self._arrived():
                if isinstance(item, Failed):
                    failed.append(item)
                elif item is not None:
                    changed |= item
            if self._stopped.is_set():
                return
            paths = self._digest(changed) if changed else set()
            for failure in failed:
                paths |= self._recover(failure)
            if self._index_due is not None and time.monotonic() >= self._index_due:
                self._index_due, self._index_last = None, time.monotonic()
                self._rules.forget()
                self._cover_tracked()
                paths.add(RESCAN)
            if paths:
                self._hand(paths)
            # When it is quiet there is time to do with fewer of them.
            self._watchers.tidy() if changed else self._watchers.tidy(FEW)

    def _arrived(self) -> Iterable[Batch | Failed | None]:
        """All that is in the inbox; waits for the first, or until there is something else to do."""
        pause = None if self._watchers.count <= FEW else _QUIET_S
        if self._index_due is not None:
            left = max(self._index_due - time.monotonic(), 0.0)
            pause = left if pause is None else min(pause, left)
        try:
            yield self._inbox.get(timeout=pause)
            while True:
                yield self._inbox.get_nowait()
        except queue.Empty:
            return

    def _digest(self, changed: set[tuple[int, str]]) -> set[str]:
        """What the changes mean for the files. Watches folders that have appeared."""
        paths: set[str] = set()
        appeared: set[str] = set()
        gone: set[str] = set()
        new_rules = False
        if len(changed) >= _FLOOD:
            paths.add(RESCAN)
        for change, place in changed:
            path = self._relative(place)
            if path == "":
                if not self._root.exists():
                    raise OutOfWatches("the folder has gone")
                continue
            if path is None or path == ".git" or path.startswith(".git/"):
                new_rules |= self._git_changed(change, place)
                continue
            name = path[path.rfind("/") + 1 :]
            if name in FOLDERS:
                continue
            if is_real_folder(self._root / path):
                if change == _ADDED or not self._watchers.covers(path):
                    appeared.add(path)
                continue
            new_rules |= name in IGNORE_FILES
            if os.path.lexists(self._root / path):
                if self._rules.file(path):
                    paths.add(path)
            else:
                # A file or a whole folder: nobody can tell any more.
                gone.add(path)
                if self._rules.folder(_parent(path)) or self._rules.file(path):
                    paths.add(path)
        self._watchers.gone(gone | appeared)
        # A folder may have come back with other ignore files in it.
        self._rules.forget_below(gone | appeared)
        if new_rules:
            self._rules.forget()
            paths.add(RESCAN)
            self._watch_git()
            self._cover_tracked()
            return paths | self._cover({""}, files=False)
        outermost = {path for path in appeared if not is_below(_parent(path), appeared)}
        return paths | appeared | self._cover(outermost)

    def _cover(self, folders: set[str], *, files: bool = True) -> set[str]:
        """Watch the folders and all in them, and only then say which files they hold.

        Without `files` the caller has everything looked at anyway.
        """
        found: set[str] = set()
        for turn in range(_ROUNDS):
            if self._stopped.is_set():
                break
            found.clear()
            fresh: list[str] = []
            for start in folders:
                for folder, paths in walk(self._rules, start, files=files and turn > 0):
                    found.update(paths)
                    if not self._watchers.covers(folder):
                        fresh.append(folder)
            if not fresh and (turn or not files):
                return found
            self._watchers.add(fresh)
        # So many new folders in every round are being unpacked this moment, or can't be watched.
        return found | {RESCAN}

    def _cover_tracked(self) -> None:
        """Folders that are ignored and hold files that git tracks all the same."""
        folders = {_parent(path) for path in self._rules.tracked()}
        fresh = [folder for folder in folders if not self._watchers.covers(folder)]
        self._watchers.add(fresh)

    def _watch_git(self) -> None:
        """The folder with HEAD and the index, which may lie outside of the workspace."""
        top = self._rules.top
        data = git.data_folder(top) if top else None
        found = Path(os.path.realpath(data)) if data else None
        if found != self._git and found is not None:
            self._watchers.add_outside(found)
            self._watchers.add_outside(Path(os.path.realpath(git.exclude_file(found).parent)))
        self._git = found

    def _git_changed(self, change: int, place: str) -> bool:
        """Whether a change in git's own folder is one of branches or rules, or of the index."""
        name = Path(place).name
        if name == "index":
            if self._index_due is None:
                now = time.monotonic()
                self._index_due = max(now, self._index_last + _INDEX_PAUSE_S)
            return False
        # Windows reports a folder as modified whenever something in it is.
        return name in ("HEAD", "exclude") or (name == ".git" and change != _MODIFIED)

    def _relative(self, place: str) -> str | None:
        """A path as the index has it, "" for the root; None for what is outside of it."""
        if place == str(self._root):
            return ""
        prefix = str(self._root).rstrip(os.sep) + os.sep
        if not place.startswith(prefix):
            return None
        return place[len(prefix) :].replace(os.sep, "/")

    def _recover(self, failure: Failed) -> set[str]:
        """A watcher has ended, for instance at a name that is not UTF-8, with all it knew."""
        now = time.monotonic()
        self._failures = [*(then for then in self._failures if now - then < _WITHIN_S), now]
        if len(self._failures) > _FAILURES:
            raise OutOfWatches(failure.reason)
        _log.info("%s: a watcher ended (%s) and is started again", self._root, failure.reason)
        self._watchers.restart(failure)
        self._cover({""}, files=False)
        return {RESCAN}

    def _poll(self) -> None:
        """Look again and again, at a pace that costs little, and compare."""
        before = self._seen()
        self._hand({RESCAN})
        pause = self._poll_s
        while not self._stopped.wait(pause):
            began = time.monotonic()
            self._rules.forget()
            after = self._seen()
            changed = {path for path, _, _ in before ^ after}
            if changed:
                self._hand(changed)
            before = after
            pause = max(self._poll_s, _POLL_SHARE * (time.monotonic() - began))

    def _seen(self) -> set[tuple[str, int, int]]:
        found = crawl(self._root, rules=self._rules)
        return {(file.path, file.mtime_ns, file.size) for file in found}


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
