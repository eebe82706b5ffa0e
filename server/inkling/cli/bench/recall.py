"""How much of what comes next does retrieval show? Hidden lines, and the names that are in them.

At a seeded place the next three lines are taken out of a file, and context is asked for. Counted
are the hidden lines' names that occur nowhere else in the file: which share of them is in what is
shown. A proxy: it says which way of choosing is better, not how good suggestions become.

Beside it the way of simpler tools, as a yardstick: of files in the same folder the windows of
lines that have most names in common with the lines before the cursor.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inkling.index.lexical import names_of
from inkling.index.retrieve import Query, retrieve
from inkling.index.view import View
from inkling.syntax.languages import language_of

HIDDEN_LINES = 3
_LEAST_LINES = 15
_TRIES = 50
"""Places that are looked at for one that serves."""
WINDOW_LINES = 30
SIBLINGS = 10
"""Of the yardstick: lines of a window, and files it looks at."""

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place, and what it would take to go on there."""

    path: str
    data: bytes
    """The file's text without the hidden lines."""
    offset: int
    names: frozenset[str]
    """What the hidden lines bring up."""

    @property
    def language(self) -> str:
        """By the file's name; "" where Inkling knows none."""
        known = language_of("", self.path)
        return known.name if known else ""

    def recall(self, texts: Iterable[str]) -> float:
        """Share of the names that `texts` show, 0 to 1."""
        shown = names_of("\n".join(texts).encode("utf-8", "replace"))
        return len(self.names.intersection(shown)) / len(self.names)


@dataclass(frozen=True, slots=True)
class Shown:
    """What retrieval gave at one cursor."""

    recall: float
    ms: float
    size: int
    """Bytes, about."""


def reader(root: Path) -> Read:
    """Reads files below `root`; None for one that can't be read."""

    def read(path: str) -> bytes | None:
        try:
            return (root / path).read_bytes()
        except OSError:
            return None

    return read


def cursors(read: Read, paths: Sequence[str], count: int, seed: int) -> Iterator[Cursor]:
    """`count` places in these files, always the same ones; fewer where few of them serve."""
    chance = random.Random(seed)
    found = 0
    for _ in range(count * _TRIES if paths else 0):
        path = chance.choice(paths)
        lines = (read(path) or b"").split(b"\n")
        if len(lines) < _LEAST_LINES:
            continue
        at = chance.randrange(5, len(lines) - HIDDEN_LINES)
        hidden = b"\n".join(lines[at : at + HIDDEN_LINES])
        before = b"\n".join(lines[:at]) + b"\n"
        rest = before + b"\n".join(lines[at + HIDDEN_LINES :])
        names = frozenset(names_of(hidden)) - set(names_of(rest))
        if not names:
            continue
        yield Cursor(path, rest, len(before), names)
        found += 1
        if found == count:
            return


def shown_at(view: View, read: Read, cursor: Cursor, budget: int) -> Shown:
    """Retrieve at one cursor, with all the time it wants."""
    query = Query(cursor.path, cursor.language, cursor.data, cursor.offset, (), budget)
    began = time.perf_counter()
    found = retrieve(view, read, query, 1.0)
    ms = 1000 * (time.perf_counter() - began)
    texts = [snippet.text for snippet in found.snippets]
    return Shown(cursor.recall(texts), ms, sum(map(len, texts)))


def yardstick(read: Read, cursor: Cursor, siblings: Sequence[str], budget: int) -> list[str]:
    """The windows of `siblings` that resemble the lines before the cursor most, `budget` bytes
    of them at most."""
    before = cursor.data[: cursor.offset].split(b"\n")[-WINDOW_LINES:]
    here = set(names_of(b"\n".join(before)))
    graded: list[tuple[float, bytes]] = []
    for path in siblings[:SIBLINGS]:
        lines = (read(path) or b"").split(b"\n")
        windows = [
            b"\n".join(lines[start : start + WINDOW_LINES])
            for start in range(0, len(lines), WINDOW_LINES)
        ]
        best = max(windows, key=lambda window: _likeness(here, window))
        graded.append((_likeness(here, best), best))
    graded.sort(key=lambda item: -item[0])
    texts: list[str] = []
    left = budget
    for _, window in graded:
        if len(window) <= left:
            texts.append(window.decode("utf-8", "replace"))
            left -= len(window)
    return texts


def siblings_of(paths: Iterable[str]) -> Callable[[str], list[str]]:
    """From a path to the others of its folder and kind, the nearest by name first."""
    folders: dict[tuple[str, str], list[str]] = {}
    for path in sorted(paths):
        folders.setdefault(_home(path), []).append(path)

    def of(path: str) -> list[str]:
        inside = folders.get(_home(path), [])
        at = inside.index(path) if path in inside else 0
        others = [(abs(number - at), other) for number, other in enumerate(inside) if number != at]
        return [other for _, other in sorted(others)]

    return of


def _home(path: str) -> tuple[str, str]:
    place = PurePosixPath(path)
    return str(place.parent), place.suffix


def _likeness(here: set[str], window: bytes) -> float:
    """Names in common, as a share of all names of both (Jaccard)."""
    there = set(names_of(window))
    return len(here & there) / (len(here | there) or 1)
