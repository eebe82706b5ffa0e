"""The index as one: segments, and over them what has changed since they were built.

Invariants: of each path one row counts, the newest; a row of a segment is hidden as soon as its
file has changed or gone, and nothing finds it any more. Frequencies are those of all rows, hidden
ones included: they weigh names, and a few changed files weigh nothing.

Threads: a View belongs to the index process's one thread. Its segments may be read by others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.index.overlay import Held, Overlay
from inkling.index.record import Definition, FileRecord
from inkling.index.segment import Segment


@dataclass(slots=True, eq=False)
class Shown:
    """A segment and which of its rows still count. Owner: the View."""

    segment: Segment
    alive: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Rows that count."""
        return int(np.count_nonzero(self.alive))


@dataclass(frozen=True, slots=True)
class Place:
    """A definition and where it stands."""

    path: str
    language: str
    size: int
    """Bytes of the file when it was read: where that differs from now, offsets mean nothing."""
    definition: Definition
    container: str
    """Name of the definition around it; "" at the top."""


class View:
    """Owner: the index process."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self.shown: list[Shown] = []
        self.overlay = Overlay()
        self._gone: set[str] = set()
        for segment in segments:
            self.add(segment)

    # Keeping it true.

    def add(self, segment: Segment, instead_of: Sequence[Segment] = ()) -> None:
        """Take in a segment, newer than all the others, and let go of those that it replaces.

        What has changed since it was built goes on hiding its rows.
        """
        self.shown = [shown for shown in self.shown if shown.segment not in instead_of]
        alive = np.ones(len(segment), np.bool_)
        for path in self._gone:
            _hide(segment, alive, path)
        for path, held in list(self.overlay.held.items()):
            number = segment.number(path)
            if number is None:
                continue
            if segment.hash(number) == held.hash:
                self.overlay.remove(path)
            else:
                alive[number] = False
        for former in self.shown:
            for path in segment.shared(former.segment):
                _hide(former.segment, former.alive, path)
        self.shown.append(Shown(segment, alive))

    def put(self, path: str, hash_: bytes, record: FileRecord) -> None:
        """What a file holds now, on disk or in the editor."""
        if path not in self.overlay.held:
            self._hide(path)
        self._gone.discard(path)
        self.overlay.put(path, Held(hash_, record))

    def remove(self, path: str) -> None:
        """The file is gone, or belongs to the workspace no more."""
        self._hide(path)
        self._gone.add(path)
        self.overlay.remove(path)

    def settle(self, files: Mapping[str, bytes]) -> list[str]:
        """Hold the segments against what is on disk (path → hash of the content).

        Hides every row that is not true; gives the paths that no row tells of, for `put`.
        """
        told: set[str] = set()
        for shown in reversed(self.shown):
            segment = shown.segment
            for number in np.flatnonzero(shown.alive).tolist():
                path = segment.path(number)
                if path in told or files.get(path) != segment.hash(number):
                    shown.alive[number] = False
                else:
                    told.add(path)
        for path, held in list(self.overlay.held.items()):
            if files.get(path) == held.hash:
                told.add(path)
            elif path not in files:
                self.overlay.remove(path)
        return [path for path in files if path not in told]

    def _hide(self, path: str) -> None:
        for shown in self.shown:
            _hide(shown.segment, shown.alive, path)

    # Files.

    def __len__(self) -> int:
        """How many files count."""
        return len(self.overlay) + sum(shown.count for shown in self.shown)

    def totals(self) -> tuple[int, int, int, int]:
        """Files, those of them that were parsed, definitions, and distinct names of each segment;
        hidden rows count among the definitions and names."""
        held = [one.record for one in self.overlay.held.values()]
        parsed = sum(record.tier == "parsed" for record in held)
        definitions = sum(len(record.definitions) for record in held)
        names = len(self.overlay.names())
        for shown in self.shown:
            parsed += shown.segment.parsed(shown.alive)
            definitions += shown.segment.definition_count
            names += shown.segment.name_count
        return len(self), parsed, definitions, names

    def __contains__(self, path: str) -> bool:
        return path in self.overlay.held or self._row(path) is not None

    def paths(self) -> Iterator[str]:
        """Every file's path, in no order."""
        yield from self.overlay.held
        for shown in self.shown:
            for number in np.flatnonzero(shown.alive).tolist():
                yield shown.segment.path(number)

    def definitions(self, path: str) -> list[Definition] | None:
        """A file's definitions, in its order; None where the index does not know the file."""
        held = self.overlay.held.get(path)
        if held is not None:
            return list(held.record.definitions)
        row = self._row(path)
        return None if row is None else row[0].definitions(row[1])

    def hash_of(self, path: str) -> bytes | None:
        """The hash of the content that the index tells of."""
        held = self.overlay.held.get(path)
        if held is not None:
            return held.hash
        row = self._row(path)
        return None if row is None else row[0].hash(row[1])

    def imports(self, path: str) -> list[tuple[int, int]]:
        """Byte ranges of a file's import statements; none where the file is not known."""
        held = self.overlay.held.get(path)
        if held is not None:
            return list(held.record.imports)
        row = self._row(path)
        return [] if row is None else row[0].imports(row[1])

    def size(self, path: str) -> int:
        """Bytes of a file when it was read; -1 where it is not known."""
        held = self.overlay.held.get(path)
        if held is not None:
            return held.record.size
        row = self._row(path)
        return -1 if row is None else int(row[0].sizes[row[1]])

    def _row(self, path: str) -> tuple[Segment, int] | None:
        for shown in reversed(self.shown):
            number = shown.segment.number(path)
            if number is not None and shown.alive[number]:
                return shown.segment, number
        return None

    # Names.

    def files_with(self, name: str) -> Iterator[str]:
        """Paths of the files that have a name; each once, in no order."""
        yield from self.overlay.files_with(name)
        for shown in self.shown:
            number = int(shown.segment.find([name])[0])
            if number >= 0:
                for file in shown.segment.files_with(number).tolist():
                    if shown.alive[file]:
                        yield shown.segment.path(file)

    def defined(self, name: str, limit: int = 1000) -> Iterator[Place]:
        """What is defined under a name, in no order that matters; at most `limit` places."""
        left = limit
        for place in self.overlay_places(name):
            if left <= 0:
                return
            left -= 1
            yield place
        for shown in self.shown:
            segment = shown.segment
            known = int(segment.find([name])[0])
            for file, number in segment.defined(known) if known >= 0 else ():
                if left <= 0:
                    return
                if shown.alive[file]:
                    left -= 1
                    yield place_in(segment, file, number)

    def overlay_places(self, name: str) -> Iterator[Place]:
        """What is defined under a name in files that are in memory."""
        for path, number in self.overlay.defined(name):
            record = self.overlay.held[path].record
            definition = record.definitions[number]
            parent = record.definitions[definition.parent].name if definition.parent >= 0 else ""
            yield Place(path, record.language, record.size, definition, parent)


def place_in(segment: Segment, file: int, number: int, *, container: bool = True) -> Place:
    """One definition of a segment's file; what it stands in is only looked up where asked for."""
    definition = segment.definition(file, number)
    parent = (
        segment.definition(file, definition.parent).name
        if container and definition.parent >= 0
        else ""
    )
    size = int(segment.sizes[file])
    return Place(segment.path(file), segment.language(file), size, definition, parent)


def _hide(segment: Segment, alive: NDArray[np.bool_], path: str) -> None:
    number = segment.number(path)
    if number is not None:
        alive[number] = False
