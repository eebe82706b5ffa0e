"""Records on disk, by what the files hold: the truth from which segments are made.

Invariants: a record belongs to a content (a hash of the bytes), not to a path, so a file that
moves, or a branch that is left and taken again, costs a link and no reading. A store that can't
be read is made anew without a word to the user; nothing in it can't be made again. Two processes
may write at once: SQLite's log (WAL) orders them, and both would write the same.

Errors: StoreUnavailable, an OSError, where nothing can be kept (disk full, no permission). The
index then lives in memory only.

Threads: a Store belongs to the thread that opened it.
"""

import hashlib
import logging
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from inkling.index.record import EXTRACTOR, FileRecord, Tier

log = logging.getLogger(__name__)

FILE = "index.sqlite3"
_FORMAT = 1
_BUSY_MS = 5000
_KEPT_S = 7 * 24 * 3600.0
"""How long a record outlives the last file with its content: the time one is away on a branch."""
_PAGE = 256
"""Rows read at once. No read transaction is held open between pages, so the log can be cut."""
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_TIERS: dict[Tier, int] = {"lexical": 0, "parsed": 1}

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS records (
  hash BLOB PRIMARY KEY, tier INTEGER NOT NULL, extractor INTEGER NOT NULL,
  used REAL NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL, hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_of ON files (hash);
PRAGMA user_version = {_FORMAT};
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FileRecord).decode

Known = tuple[str, int, int, bytes]
"""Path, time of the last change (ns), size in bytes, hash of the content."""

T = TypeVar("T")


class StoreUnavailable(OSError):
    """Nothing can be kept on disk; the message says why."""


class StoreDamaged(StoreUnavailable):
    """The store was damaged while it was open: `Store.open(folder, anew=True)` helps."""


def content_hash(data: bytes) -> bytes:
    """16 bytes that stand for a content."""
    return hashlib.blake2b(data, digest_size=16).digest()


class Store:
    """Owner: the index process. Open it with `Store.open`, close it with `close`."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._db = connection
        self._file = file

    @classmethod
    def open(cls, folder: Path, *, anew: bool = False) -> "Store":
        """The store in `folder`, made where there is none; with `anew`, in place of what is there.

        Raises StoreUnavailable.
        """
        file = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"can't make {folder}: {error.strerror}") from error
        if anew:
            _remove(file)
        try:
            return cls(_connect(file), file)
        except sqlite3.OperationalError as error:
            if not _is_damage(error):
                raise StoreUnavailable(f"can't open {file}: {error}") from error
            log.info("the index in %s can't be read (%s), it is made anew", folder, error)
        except sqlite3.DatabaseError as error:
            log.info("the index in %s is damaged (%s), it is made anew", folder, error)
        _remove(file)
        try:
            return cls(_connect(file), file)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"can't make {file}: {error}") from error

    def close(self) -> None:
        """What was written is kept. Calling it twice does no harm."""
        self._db.close()

    def known(self) -> Iterator[Known]:
        """Every linked file, in the order of paths, as it was when it was read last."""
        last = ""
        while True:
            page: list[Known] = self._ask(
                "SELECT path, mtime_ns, size, hash FROM files WHERE path > ? ORDER BY path LIMIT ?",
                (last, 32 * _PAGE),
            )
            yield from page
            if len(page) < 32 * _PAGE:
                return
            last = page[-1][0]

    def has(self, hash_: bytes, tier: Tier = "lexical") -> bool:
        """Whether there is a record of that content, as it would be now, of `tier` or better."""
        return bool(
            self._ask(
                "SELECT 1 FROM records WHERE hash = ? AND tier >= ? AND extractor = ?",
                (hash_, _TIERS[tier], EXTRACTOR),
            )
        )

    def missing(self, hashes: Iterable[bytes], tier: Tier = "lexical") -> list[bytes]:
        """Those of `hashes` for which `has` is false, in their order."""
        wanted = list(hashes)
        there: set[bytes] = set()
        for start in range(0, len(wanted), _PAGE):
            page = wanted[start : start + _PAGE]
            marks = ",".join("?" * len(page))
            there.update(
                row[0]
                for row in self._ask(
                    "SELECT hash FROM records WHERE tier >= ? AND extractor = ?"
                    f" AND hash IN ({marks})",
                    (_TIERS[tier], EXTRACTOR, *page),
                )
            )
        return [hash_ for hash_ in wanted if hash_ not in there]

    def record(self, hash_: bytes) -> FileRecord | None:
        """What is known of that content; None where there is nothing, or nothing readable."""
        rows = self._ask(
            "SELECT data FROM records WHERE hash = ? AND extractor = ?", (hash_, EXTRACTOR)
        )
        return _record(rows[0][0]) if rows else None

    def rows(self, paths: Iterable[str] | None = None) -> Iterator[tuple[str, bytes, FileRecord]]:
        """(path, hash, record) of every linked file with a record, in the order of paths.

        Of `paths` only, and in their order, where they are given. What changes meanwhile may or
        may not be in it.
        """
        columns = "SELECT f.path, f.hash, r.data FROM files f JOIN records r ON r.hash = f.hash"
        if paths is not None:
            for path in paths:
                yield from self._read(
                    self._ask(f"{columns} WHERE f.path = ? AND r.extractor = ?", (path, EXTRACTOR))
                )
            return
        last = ""
        while True:
            page = self._ask(
                f"{columns} WHERE f.path > ? AND r.extractor = ? ORDER BY f.path LIMIT ?",
                (last, EXTRACTOR, _PAGE),
            )
            yield from self._read(page)
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def put(self, batch: Iterable[tuple[bytes, FileRecord]]) -> None:
        """Keep records; a parsed one is never replaced by a lexical one of the same extractor."""
        now = time.time()
        rows = [
            (hash_, _TIERS[record.tier], EXTRACTOR, now, zlib.compress(_encode(record), 1))
            for hash_, record in batch
        ]
        self._change(
            lambda: self._db.executemany(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET"
                " tier = excluded.tier, extractor = excluded.extractor, used = excluded.used,"
                " data = excluded.data"
                " WHERE excluded.tier >= tier OR excluded.extractor <> extractor",
                rows,
            )
        )

    def link(self, batch: Iterable[Known]) -> None:
        """Say what files hold now. Their former contents' records stay for some days."""
        rows = list(batch)
        now = time.time()

        def change() -> None:
            self._age((path for path, _, _, _ in rows), now)
            self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows)

        self._change(change)

    def unlink(self, paths: Iterable[str]) -> None:
        """Say that files are gone."""
        gone = list(paths)
        now = time.time()

        def change() -> None:
            self._age(gone, now)
            self._db.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in gone))

        self._change(change)

    def prune(self, older_than_s: float = _KEPT_S) -> int:
        """Remove records that no file has linked to for that long; how many there were."""

        def change() -> int:
            cursor = self._db.execute(
                "DELETE FROM records WHERE (used <= ? OR extractor <> ?)"
                " AND NOT EXISTS (SELECT 1 FROM files WHERE files.hash = records.hash)",
                (time.time() - older_than_s, EXTRACTOR),
            )
            return cursor.rowcount

        count = self._change(change)
        if count:
            self._change(lambda: self._db.execute("PRAGMA incremental_vacuum(2000)").fetchall())
        return count

    def _age(self, paths: Iterable[str], now: float) -> None:
        """The records these files link to are used until now."""
        self._db.executemany(
            "UPDATE records SET used = ? WHERE hash = (SELECT hash FROM files WHERE path = ?)",
            ((now, path) for path in paths),
        )

    def _read(
        self, page: list[tuple[str, bytes, bytes]]
    ) -> Iterator[tuple[str, bytes, FileRecord]]:
        for path, hash_, data in page:
            record = _record(data)
            if record is not None:
                yield path, hash_, record

    def _ask(self, query: str, values: tuple[object, ...]) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._gone(error) from error

    def _change(self, change: Callable[[], T]) -> T:
        """In one transaction: all of it, or StoreUnavailable and nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = change()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._gone(error) from error
        return result

    def _gone(self, error: sqlite3.Error) -> StoreUnavailable:
        damaged = getattr(error, "sqlite_errorname", "").startswith(_DAMAGE)
        return (StoreDamaged if damaged else StoreUnavailable)(f"{self._file}: {error}")


def _record(data: bytes) -> FileRecord | None:
    try:
        return _decode(zlib.decompress(data))
    except (zlib.error, msgspec.MsgspecError):
        return None


def _connect(file: Path) -> sqlite3.Connection:
    """Opens, checks that it is ours and whole enough to be used. Raises sqlite3.Error."""
    connection = sqlite3.connect(file, timeout=_BUSY_MS / 1000, isolation_level=None)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # What a power cut takes is made again; the file itself stays whole with WAL.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA cache_size = -4096")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _FORMAT):
            raise sqlite3.DatabaseError(f"format {version}")
        if version == 0:
            connection.executescript(_SCHEMA)
        connection.execute("SELECT hash, tier, extractor, used FROM records LIMIT 1").fetchall()
        connection.execute("SELECT path, mtime_ns, size, hash FROM files LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether making it anew helps: not where the place can't be written or is locked."""
    name = getattr(error, "sqlite_errorname", "")
    return not name.startswith(
        ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_FULL", "SQLITE_BUSY",
         "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_AUTH")
    ) and not (name.startswith("SQLITE_IOERR") and "SHORT_READ" not in name)  # fmt: skip


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        place = file.with_name(file.name + suffix)
        try:
            place.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"can't remove {place}: {error.strerror}") from error
