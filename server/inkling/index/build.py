"""Builds segments: reads records one after the other and turns them into sorted arrays.

Bounded: a record is let go of as soon as it has been read; what stays is four bytes for each name
of a file and of a piece, and the table of distinct names. A segment of 10,000 files of real code
takes about 100 MB while it is built, which is why it is built in a process that ends afterwards.
Pure but for the file that is written.
"""

import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from inkling.index import sections
from inkling.index.letters import initials, mask, pairs
from inkling.index.paths import stem
from inkling.index.record import FileRecord
from inkling.index.sections import Array
from inkling.syntax.nodes import KINDS

FILES_LIMIT = 20_000
"""Files of one segment; `build` takes no more, so that what it needs stays bounded."""
TIERS = ("lexical", "parsed")
COLUMNS = 7
"""Numbers of a definition: kind, name, start, end, start of the name, end of the head, parent."""
HASH = 16
"""Bytes of a content's hash."""


class _Columns:
    """The arrays while they grow. Owner: `build`. Names have numbers in the order they came."""

    def __init__(self) -> None:
        self.names: defaultdict[str, int] = defaultdict()
        self.names.default_factory = self.names.__len__
        self.languages: dict[str, int] = {}
        self.paths: list[bytes] = []
        self.hashes = bytearray()
        self.sizes = array("I")
        self.language = array("B")
        self.tier = array("B")
        self.file_names = array("I")
        self.file_names_at = array("I", [0])
        self.definitions = array("i")
        self.definitions_at = array("I", [0])
        self.imports = array("I")
        self.imports_at = array("I", [0])
        self.chunk_start = array("I")
        self.chunk_end = array("I")
        self.chunks_at = array("I", [0])
        self.chunk_names = array("I")
        self.chunk_names_at = array("I", [0])

    def add(self, path: str, hash_: bytes, record: FileRecord) -> None:
        number = self.names.__getitem__
        self.paths.append(path.encode("utf-8", "surrogateescape"))
        self.hashes += hash_.ljust(HASH, b"\0")[:HASH]
        self.sizes.append(min(record.size, 0xFFFFFFFF))
        self.language.append(self.languages.setdefault(record.language, len(self.languages)))
        self.tier.append(TIERS.index(record.tier))
        own = [number(name) for name in record.names]
        self.file_names.extend(own)
        # Where a file is told by what it is called: a name with a slash is no identifier.
        self.file_names.append(number(stem(path)))
        self.file_names_at.append(len(self.file_names))
        for definition in record.definitions:
            self.definitions.extend(
                (
                    KINDS.index(definition.kind),
                    number(definition.name),
                    definition.start,
                    definition.end,
                    definition.name_start,
                    definition.head_end,
                    definition.parent,
                )
            )
        self.definitions_at.append(len(self.definitions) // COLUMNS)
        for start, end in record.imports:
            self.imports.extend((start, end))
        self.imports_at.append(len(self.imports))
        for chunk in record.chunks:
            if not chunk.names:
                continue
            self.chunk_start.append(chunk.start)
            self.chunk_end.append(chunk.end)
            self.chunk_names.extend([own[index] for index in chunk.names])
            self.chunk_names_at.append(len(self.chunk_names))
        self.chunks_at.append(len(self.chunk_start))


def build(file: Path, rows: Iterable[tuple[str, bytes, FileRecord]]) -> int:
    """Write one segment of (path, hash of the content, record); how many files are in it.

    Where a path comes twice the later one counts. Raises ValueError for more than FILES_LIMIT
    rows and OSError where it can't be written; then there is no file, or the former one.
    """
    columns = _Columns()
    for path, hash_, record in rows:
        if len(columns.paths) >= FILES_LIMIT:
            raise ValueError(f"a segment holds at most {FILES_LIMIT} files")
        columns.add(path, hash_, record)
    arrays = _arrays(columns)
    languages = sorted(columns.languages, key=columns.languages.__getitem__)
    sections.write(file, arrays, {"languages": languages})
    return len(columns.paths)


def _arrays(columns: _Columns) -> dict[str, Array]:
    names = list(columns.names)
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    order = np.array(sorted(range(len(names)), key=encoded.__getitem__), np.uint32)
    rank = np.empty(len(names), np.uint32)
    rank[order] = np.arange(len(names), dtype=np.uint32)
    arrays: dict[str, Array] = {}
    arrays |= _files(columns)
    arrays |= _names([encoded[number] for number in order])
    arrays |= _postings(columns, rank)
    arrays["name_count"] = np.diff(np.array(columns.file_names_at, np.uint32)).astype(np.uint32)
    definitions = np.array(columns.definitions, np.int32).reshape(-1, COLUMNS)
    defined = rank[definitions[:, 1]]
    definitions[:, 1] = defined
    arrays["definitions"] = definitions.ravel()
    arrays["definitions_at"] = np.array(columns.definitions_at, np.uint32)
    by_name = np.argsort(defined, kind="stable").astype(np.uint32)
    arrays["by_name"] = by_name
    arrays["by_name_name"] = defined[by_name]
    arrays |= _symbols([names[order[number]] for number in np.unique(defined)], np.unique(defined))
    arrays["imports"] = np.array(columns.imports, np.uint32)
    arrays["imports_at"] = np.array(columns.imports_at, np.uint32)
    arrays["chunk_start"] = np.array(columns.chunk_start, np.uint32)
    arrays["chunk_end"] = np.array(columns.chunk_end, np.uint32)
    arrays["chunks_at"] = np.array(columns.chunks_at, np.uint32)
    arrays["chunk_names"] = rank[np.array(columns.chunk_names, np.uint32)]
    arrays["chunk_names_at"] = np.array(columns.chunk_names_at, np.uint32)
    return arrays


def _files(columns: _Columns) -> dict[str, Array]:
    checks = np.array([zlib.crc32(path) for path in columns.paths], np.uint32)
    order = np.argsort(checks, kind="stable").astype(np.uint32)
    return {
        "paths": _blob(columns.paths),
        "paths_at": _ends(columns.paths),
        "path_check": checks[order],
        "path_number": order,
        "hashes": np.frombuffer(bytes(columns.hashes), np.uint8),
        "sizes": np.array(columns.sizes, np.uint32),
        "language": np.array(columns.language, np.uint8),
        "tier": np.array(columns.tier, np.uint8),
    }


def _names(names: list[bytes]) -> dict[str, Array]:
    checks = np.array([zlib.crc32(name) for name in names], np.uint32)
    order = np.argsort(checks, kind="stable").astype(np.uint32)
    return {
        "names": _blob(names),
        "names_at": _ends(names),
        "name_check": checks[order],
        "name_number": order,
    }


def _postings(columns: _Columns, rank: Array) -> dict[str, Array]:
    pairs = rank[np.array(columns.file_names, np.uint32)]
    files = np.repeat(
        np.arange(len(columns.paths), dtype=np.uint16),
        np.diff(np.array(columns.file_names_at, np.int64)).astype(np.int64),
    )
    order = np.argsort(pairs, kind="stable")
    counts = np.bincount(pairs, minlength=len(rank))
    return {
        "files": files[order],
        "files_at": np.concatenate(([0], np.cumsum(counts))).astype(np.uint32),
    }


def _symbols(names: list[str], numbers: Array) -> dict[str, Array]:
    """What looking for a symbol needs, in the order of the lower-case names."""
    lower = [name.lower().encode("utf-8", "surrogatepass") for name in names]
    order = sorted(range(len(names)), key=lower.__getitem__)
    starts = [initials(names[index]).encode("utf-8", "surrogatepass") for index in order]
    by_initials = sorted(range(len(order)), key=starts.__getitem__)
    # A line feed before and behind each, so that a search for text never goes over two names.
    ordered = [lower[index] for index in order]
    lengths = np.array([len(name) + 1 for name in ordered], np.int64)
    return {
        "symbol_name": numbers[np.array(order, np.int64)].astype(np.uint32),
        "symbol_mask": np.array([mask(names[index]) for index in order], np.uint64),
        "symbol_pairs": np.array([pairs(name) for name in ordered], np.uint64),
        "symbol_text": np.frombuffer(b"\n" + b"".join(n + b"\n" for n in ordered), np.uint8),
        "symbol_at": np.concatenate(([1], 1 + np.cumsum(lengths))).astype(np.uint32),
        "initials": _blob([starts[index] for index in by_initials]),
        "initials_at": _ends([starts[index] for index in by_initials]),
        "initials_symbol": np.array(by_initials, np.uint32),
    }


def _blob(parts: list[bytes]) -> Array:
    return np.frombuffer(b"".join(parts), np.uint8)


def _ends(parts: list[bytes]) -> Array:
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.uint32)
