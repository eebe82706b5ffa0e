"""Files that changed since the segments were built, and open ones: records in memory.

It holds some hundreds of files; what grows beyond that is built into a segment (`upkeep`).
Invariant: what it says of a file comes from that file's latest record.

Threads: an Overlay belongs to the View's thread.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from inkling.index.paths import stem
from inkling.index.record import FileRecord


@dataclass(frozen=True, slots=True)
class Held:
    """One file in memory."""

    hash: bytes
    record: FileRecord


class Overlay:
    """Owner: the View."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self._files: dict[str, set[str]] = {}
        self._defined: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self.held)

    def put(self, path: str, held: Held) -> None:
        """What a file holds now."""
        former = self.held.get(path)
        self.held[path] = held
        names = {*held.record.names, stem(path)}
        defined = {definition.name for definition in held.record.definitions}
        if former is not None:
            # While one types, nearly all names stay: only what differs is touched.
            _take(self._files, path, {*former.record.names, stem(path)} - names)
            _take(self._defined, path, {d.name for d in former.record.definitions} - defined)
        for name in names:
            self._files.setdefault(name, set()).add(path)
        for name in defined:
            self._defined.setdefault(name, set()).add(path)

    def remove(self, path: str) -> None:
        """The file is gone, or in a segment now."""
        former = self.held.pop(path, None)
        if former is not None:
            _take(self._files, path, {*former.record.names, stem(path)})
            _take(self._defined, path, {d.name for d in former.record.definitions})

    def files_with(self, name: str) -> set[str]:
        """Paths of the files that have a name."""
        return self._files.get(name, set())

    def defined(self, name: str) -> Iterator[tuple[str, int]]:
        """(path, number of the definition in its file) of everything with a name."""
        for path in sorted(self._defined.get(name, ())):
            for number, definition in enumerate(self.held[path].record.definitions):
                if definition.name == name:
                    yield path, number

    def names(self) -> Collection[str]:
        """All names that any file has."""
        return self._files.keys()

    def symbols(self) -> Iterator[str]:
        """All names that something is defined by."""
        return iter(self._defined)


def _take(table: dict[str, set[str]], path: str, names: set[str]) -> None:
    for name in names:
        paths = table.get(name)
        if paths is not None:
            paths.discard(path)
            if not paths:
                del table[name]
