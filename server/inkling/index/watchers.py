"""The watchers of one workspace: few of them, whatever comes and goes, and none of their news lost.

watchfiles cannot add a folder to a running watcher, so folders that appear get another one, and
the small ones are now and then replaced by one for all. Invariant: a watcher that is replaced goes
on until all it had seen before its successor began has been handed over.
"""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from inkling.index.rules import is_below

Batch = set[tuple[int, str]]
"""Changes as watchfiles has them: its kind of change, and an absolute path."""

_DEBOUNCE_MS, _STEP_MS = 200, 20
# A watcher that is asked so often has handed over what it knew, twice over.
_LAST_POLLS = 3 * _DEBOUNCE_MS // _STEP_MS
MOST = 6
FEW = 2
_OUTSIDE = "/"  # marks folders outside of the root; no relative path begins so


class OutOfWatches(Exception):
    """The system gives no more watches, or none at all. The text says which."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A watcher has ended by itself."""

    number: int
    reason: str


class _End:
    """Asked by the watcher each few milliseconds whether it shall stop.

    Owner: the watcher's thread, but for `polls`, which the owner of `Watchers` sets once.
    """

    def __init__(self) -> None:
        self.polls: int | None = None

    def is_set(self) -> bool:
        if self.polls is None:
            return False
        self.polls -= 1
        return self.polls < 0


@dataclass(slots=True)
class _Watcher:
    number: int
    end: _End
    folders: set[str]


class Watchers:
    """Which folder is watched by which watcher. Owner: one thread, which calls everything here.

    `put` is called from other threads, with batches and failures.
    """

    def __init__(self, put: Callable[[Batch | Failed], None], *, single: bool) -> None:
        self._put = put
        self._single = single
        self._root = Path()
        self._next = 0
        self._watchers: dict[int, _Watcher] = {}
        self._of: dict[str, int] = {}

    def open(self, root: Path) -> None:
        """Begin with the folder `root`, whose path has no links. Raises OutOfWatches."""
        self._root = root
        self._start([""], recursive=not self._single)

    def covers(self, folder: str) -> bool:
        """Whether what happens in the folder will be reported."""
        return not self._single or folder in self._of

    def add(self, folders: Iterable[str]) -> None:
        """Watch these, too. One that has gone or can't be read counts as watched until `gone`."""
        wanted = [folder for folder in folders if not self.covers(folder)]
        if wanted:
            self._start(wanted, recursive=False)

    def add_outside(self, place: Path) -> None:
        """Watch one folder that may lie elsewhere, without those inside of it."""
        if self._single or not place.is_relative_to(self._root):
            self._start([_OUTSIDE + str(place)], recursive=False)

    def gone(self, folders: set[str]) -> None:
        """What had these names, and what was inside, is no longer there."""
        # Folders are watched with all above them, so only then there can be some below.
        if not self._single or folders.isdisjoint(self._of):
            return
        for name in [name for name in self._of if is_below(name, folders)]:
            self._watchers[self._of.pop(name)].folders.discard(name)

    @property
    def count(self) -> int:
        """How many there are. Each asks for news fifty times a second."""
        return len(self._watchers)

    def tidy(self, most: int = MOST) -> None:
        """Where there are more than `most`, replace the small ones by one. Raises OutOfWatches."""
        if len(self._watchers) <= most:
            return
        kept = max(self._watchers.values(), key=lambda watcher: len(watcher.folders))
        small = [watcher for watcher in self._watchers.values() if watcher is not kept]
        # Where all of the small ones make up a good part of it, the large one is replaced as well.
        if 2 * sum(len(watcher.folders) for watcher in small) >= len(kept.folders):
            small.append(kept)
        if not self._single:
            small = [watcher for watcher in small if "" not in watcher.folders]
        folders = [folder for watcher in small for folder in watcher.folders]
        if folders:
            self._start(folders, recursive=False)
        for watcher in small:
            del self._watchers[watcher.number]
            watcher.end.polls = _LAST_POLLS

    def restart(self, failed: Failed) -> None:
        """A new watcher for the folders of one that has ended. Raises OutOfWatches."""
        watcher = self._watchers.pop(failed.number, None)
        if watcher is None:
            return
        folders = sorted(watcher.folders)
        self._start(folders, recursive=not self._single and "" in watcher.folders)

    def close(self) -> None:
        """End all; what they have not yet reported is dropped."""
        for watcher in self._watchers.values():
            watcher.end.polls = 0
        self._watchers.clear()
        self._of.clear()

    def _start(self, folders: list[str], *, recursive: bool) -> None:
        notify = self._notify(folders, recursive=recursive)
        number, self._next = self._next, self._next + 1
        watcher = _Watcher(number, _End(), set(folders))
        self._watchers[number] = watcher
        self._of.update(dict.fromkeys(folders, number))
        if notify is not None:
            threading.Thread(
                target=_listen,
                args=(notify, watcher.end, number, self._put),
                name=f"inkling-watcher-{number}",
                daemon=True,
            ).start()

    def _notify(self, folders: list[str], *, recursive: bool) -> RustNotify | None:
        """None where none of the folders is there any more."""
        places = [self._place(folder) for folder in folders]
        while True:
            places = [place for place in places if _can_be_watched(place)]
            if not places:
                return None
            try:
                return RustNotify(places, False, False, 0, recursive, False)
            except (FileNotFoundError, PermissionError):
                continue  # one has gone since it was looked at; the next look leaves it out
            except (OSError, UnicodeError, WatchfilesRustInternalError) as error:
                raise OutOfWatches(str(error).partition(" (")[0]) from error

    def _place(self, folder: str) -> str:
        if folder.startswith(_OUTSIDE):
            return folder[len(_OUTSIDE) :]
        return os.path.join(self._root, folder) if folder else str(self._root)  # noqa: PTH118


def _can_be_watched(place: str) -> bool:
    return os.path.isdir(place) and os.access(place, os.R_OK)  # noqa: PTH112


def _listen(
    notify: RustNotify, end: _End, number: int, put: Callable[[Batch | Failed], None]
) -> None:
    """The thread of one watcher."""
    try:
        while True:
            # No time-out: watchfiles drops what arrives in the moment in which it runs out.
            batch = notify.watch(_DEBOUNCE_MS, _STEP_MS, 0, end)
            if not isinstance(batch, str):
                put(batch)
            elif batch == "stop":
                return
    except RuntimeError as error:
        put(Failed(number, str(error)))
    finally:
        with suppress(RuntimeError):
            notify.close()
