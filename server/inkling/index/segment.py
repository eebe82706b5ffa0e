"""One immutable file of the index, mapped into memory: names, where they occur, what defines them.

Invariants: nothing here changes once it is open; numbers of files, names, definitions and pieces
are positions in this segment's arrays and mean nothing in another. Which of its rows are still
true is `view`'s business.

Threads: any number may read.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from inkling.index import sections
from inkling.index.build import COLUMNS, HASH, TIERS
from inkling.index.build import build as build
from inkling.index.record import Definition
from inkling.index.sections import BadSegment as BadSegment
from inkling.syntax.nodes import KINDS

if TYPE_CHECKING:
    from typing_extensions import Buffer

Numbers = NDArray[np.int64]


def _bytes(array: NDArray[np.uint8]) -> memoryview:
    return memoryview(cast("Buffer", array)) if len(array) else memoryview(b"")


class Segment:
    """Read with `Segment.open`. Owner: the View that it was given to; closed by being dropped."""

    def __init__(self, file: Path) -> None:
        self.file = file
        mapped = sections.read(file)
        arrays = mapped.arrays
        try:
            self.languages: list[str] = list(mapped.notes["languages"])
            self.sizes = arrays["sizes"]
            self.name_counts = arrays["name_count"]
            self._paths = _bytes(arrays["paths"])
            self._paths_at = arrays["paths_at"]
            self._path_check, self._path_number = arrays["path_check"], arrays["path_number"]
            self._hashes = _bytes(arrays["hashes"])
            self._language, self._tier = arrays["language"], arrays["tier"]
            self._names = _bytes(arrays["names"])
            self._names_at = arrays["names_at"]
            self._name_check, self._name_number = arrays["name_check"], arrays["name_number"]
            self._files, self._files_at = arrays["files"], arrays["files_at"]
            self._definitions_at = arrays["definitions_at"]
            self._definitions = arrays["definitions"].reshape(-1, COLUMNS)
            self._by_name, self._by_name_name = arrays["by_name"], arrays["by_name_name"]
            self._imports, self._imports_at = arrays["imports"], arrays["imports_at"]
            self.chunk_start, self.chunk_end = arrays["chunk_start"], arrays["chunk_end"]
            self.chunks_at = arrays["chunks_at"]
            self._chunk_names = arrays["chunk_names"]
            self._chunk_names_at = arrays["chunk_names_at"]
            self.symbol_names = arrays["symbol_name"]
            self.symbol_masks = arrays["symbol_mask"]
            self._symbol_text = _bytes(arrays["symbol_text"])
            self.symbol_pairs = arrays["symbol_pairs"]
            self.symbol_at = arrays["symbol_at"]
            self._initials = _bytes(arrays["initials"])
            self._initials_at = arrays["initials_at"]
            self._initials_symbol = arrays["initials_symbol"]
        except KeyError as error:
            raise BadSegment(f"{file}: no {error}") from error

    @classmethod
    def open(cls, file: Path) -> "Segment":
        """Map a file that `build` wrote. Raises BadSegment."""
        return cls(file)

    def __len__(self) -> int:
        """How many files."""
        return len(self.sizes)

    # Files.

    def path(self, file: int) -> str:
        """The path of a file."""
        at = self._paths_at
        return bytes(self._paths[at[file] : at[file + 1]]).decode("utf-8", "surrogateescape")

    def hash(self, file: int) -> bytes:
        """The hash of the content that this row tells about."""
        return bytes(self._hashes[file * HASH : (file + 1) * HASH])

    def language(self, file: int) -> str:
        """The language's name, "" where there is no grammar."""
        return self.languages[int(self._language[file])]

    def tier(self, file: int) -> str:
        """How the file was read."""
        return TIERS[int(self._tier[file])]

    def parsed(self, alive: NDArray[np.bool_]) -> int:
        """How many of the `alive` files were parsed."""
        return int(np.count_nonzero((self._tier == TIERS.index("parsed")) & alive))

    @property
    def definition_count(self) -> int:
        """Definitions of all files together."""
        return int(self._definitions_at[-1])

    def number(self, path: str) -> int | None:
        """Which file has that path; None where none has."""
        wanted = path.encode("utf-8", "surrogateescape")
        check = zlib.crc32(wanted)
        at = int(np.searchsorted(self._path_check, check))
        found = None
        while at < len(self._path_check) and self._path_check[at] == check:
            file = int(self._path_number[at])
            if self.path(file) == path:
                found = file  # the last of equal paths counts
            at += 1
        return found

    def shared(self, other: "Segment") -> list[str]:
        """Paths of this segment that the other has, too (and seldom one that it has not)."""
        both = np.isin(self._path_check, other._path_check)
        return [self.path(int(file)) for file in self._path_number[both]]

    def imports(self, file: int) -> list[tuple[int, int]]:
        """Byte ranges of a file's import statements."""
        first, last = int(self._imports_at[file]), int(self._imports_at[file + 1])
        values = self._imports[first:last].tolist()
        return list(zip(values[::2], values[1::2], strict=True))

    # Names.

    @property
    def name_count(self) -> int:
        """How many distinct names, files' own included; their numbers go from 0 on."""
        return len(self._names_at) - 1

    def name(self, number: int) -> str:
        """The text of a name."""
        at = self._names_at
        return bytes(self._names[at[number] : at[number + 1]]).decode("utf-8", "surrogatepass")

    def find(self, names: Sequence[str]) -> Numbers:
        """The number of each name, -1 where the segment has it nowhere."""
        count, found = len(self._name_check), np.full(len(names), -1, np.int64)
        if not count:
            return found
        encoded = [name.encode("utf-8", "surrogatepass") for name in names]
        checks = np.array([zlib.crc32(name) for name in encoded], np.uint32)
        places = np.searchsorted(self._name_check, checks)
        left = np.flatnonzero(places < count)
        # Nearly always once: more than one name with a checksum is rare.
        while len(left):
            left = left[self._name_check[places[left]] == checks[left]]
            numbers = self._name_number[places[left]]
            starts, ends = self._names_at[numbers].tolist(), self._names_at[numbers + 1].tolist()
            again = []
            for index, number, start, end in zip(
                left.tolist(), numbers.tolist(), starts, ends, strict=True
            ):
                if self._names[start:end] == encoded[index]:
                    found[index] = number
                elif places[index] + 1 < count:
                    again.append(index)
            left = np.array(again, np.int64)
            places[left] += 1
        return found

    def frequencies(self, numbers: Numbers) -> Numbers:
        """In how many files each name is; 0 for -1."""
        found = self._files_at[numbers + 1].astype(np.int64) - self._files_at[numbers]
        return np.where(numbers >= 0, found, 0)

    def files_with(self, number: int) -> NDArray[np.uint16]:
        """The numbers of the files that have a name, ascending."""
        return self._files[int(self._files_at[number]) : int(self._files_at[number + 1])]

    # Definitions.

    def spans(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """For each name where its definitions begin and end, for `defined_in`."""
        # In the array's own type: else all of it would be converted each time.
        numbers = numbers.astype(self._by_name_name.dtype)
        first = np.searchsorted(self._by_name_name, numbers)
        last = np.searchsorted(self._by_name_name, numbers, "right")
        return first, last

    def defined_in(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(file, number of the definition in that file) of a span."""
        definitions = self._by_name[first:last]
        files = np.searchsorted(self._definitions_at, definitions, "right") - 1
        numbers = definitions - self._definitions_at[files]
        return zip(files.tolist(), numbers.tolist(), strict=True)

    def defined(self, number: int) -> Iterator[tuple[int, int]]:
        """(file, number of the definition in that file) of everything with a name."""
        first, last = self.spans(np.array([number]))
        return self.defined_in(int(first[0]), int(last[0]))

    def definition(self, file: int, number: int) -> Definition:
        """One of a file's definitions."""
        at = int(self._definitions_at[file]) + number
        kind, name, start, end, name_start, head_end, parent = self._definitions[at].tolist()
        return Definition(KINDS[kind], self.name(name), start, end, name_start, head_end, parent)

    def definitions(self, file: int) -> list[Definition]:
        """All of a file's definitions, in its order."""
        count = int(self._definitions_at[file + 1]) - int(self._definitions_at[file])
        return [self.definition(file, number) for number in range(count)]

    # Symbols: the distinct names of definitions, in the order of their lower-case texts.

    def symbols_beginning(self, text: bytes) -> range:
        """Symbols whose lower-case names begin with `text`."""
        at, names = self.symbol_at, self._symbol_text

        def key(symbol: int) -> bytes:
            return bytes(names[at[symbol] : at[symbol + 1] - 1][: len(text)])

        every = range(len(self.symbol_names))
        return range(bisect_left(every, text, key=key), bisect_right(every, text, key=key))

    def symbols_with_initials(self, text: bytes) -> Numbers:
        """Symbols of several words whose first letters, in lower case, begin with `text`."""
        at, letters = self._initials_at, self._initials

        def key(number: int) -> bytes:
            return bytes(letters[at[number] : at[number + 1]][: len(text)])

        every = range(len(self.symbol_names))
        low, high = bisect_left(every, text, key=key), bisect_right(every, text, key=key)
        return self._initials_symbol[low:high].astype(np.int64)

    def symbol_holds(self, symbol: int, text: bytes) -> bool:
        """Whether a symbol's lower-case name holds `text` anywhere."""
        at = self.symbol_at
        return text in bytes(self._symbol_text[at[symbol] : at[symbol + 1]])

    # Pieces of files.

    def weigh_chunks(self, file: int, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each of a file's pieces the sum of `weights` (by name number) of the names in it."""
        first, last = int(self.chunks_at[file]), int(self.chunks_at[file + 1])
        if first == last:
            return np.empty(0, np.float32)
        starts = self._chunk_names_at[first : last + 1].astype(np.int64)
        names = self._chunk_names[int(starts[0]) : int(starts[-1])]
        sums: NDArray[np.float32] = np.add.reduceat(weights[names], starts[:-1] - starts[0])
        return sums

    def chunk_names(self, chunk: int) -> NDArray[np.uint32]:
        """The numbers of the names in a piece, counted over the whole segment."""
        at = self._chunk_names_at
        return self._chunk_names[int(at[chunk]) : int(at[chunk + 1])]
