"""A model file that is still growing, part by part, and the journal of its finished parts.

Invariant: the journal names only parts whose bytes are on the disk; whatever lies behind the
last one is cut off when work goes on. The running sha256 always covers exactly the file.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 20


class PartialFile:
    """Owner of one `.partial/<model>` directory: the pull that holds the model's lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._journal = directory / "journal.json"
        self._parts: list[dict[str, Any]] = []
        self._hash = hashlib.sha256()
        directory.mkdir(parents=True, exist_ok=True)
        # Left by a process that was killed while a part was on its way.
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()

    @property
    def scratch(self) -> Path:
        """For files in flight; emptied at each start."""
        return self._directory / "scratch"

    @property
    def size(self) -> int:
        """Bytes of the finished parts."""
        return sum(part["bytes"] for part in self._parts)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def has(self, key: str) -> bool:
        return any(part["key"] == key for part in self._parts)

    def resume(self, keys: tuple[str, ...]) -> Iterator[int]:
        """Take over the finished parts that are a prefix of `keys` and whose bytes still have
        the recorded sha256; cut off the rest. Yields the bytes checked so far."""
        self._parts, self._hash = [], hashlib.sha256()
        self._data.touch()
        with self._data.open("rb") as data:
            for key, part in zip(keys, self._read_journal(), strict=False):
                if part["key"] != key:
                    break
                before = self._hash.copy()
                digest = hashlib.sha256()
                left = part["bytes"]
                while left and (chunk := data.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    digest.update(chunk)
                    self._hash.update(chunk)
                    yield data.tell()
                if left or digest.hexdigest() != part["sha256"]:
                    self._hash = before
                    break
                self._parts.append(part)
        with self._data.open("r+b") as data:
            data.truncate(self.size)
        self._write_journal()

    def append(self, key: str, stream: IO[bytes]) -> Iterator[int]:
        """Add one part. Yields the file's size as it grows; the part counts once it is safe
        on the disk."""
        digest, added = hashlib.sha256(), 0
        running = self._hash.copy()
        with self._data.open("r+b") as data:
            data.seek(self.size)
            while chunk := stream.read(_CHUNK):
                data.write(chunk)
                digest.update(chunk)
                running.update(chunk)
                added += len(chunk)
                yield self.size + added
            data.truncate()
            data.flush()
            os.fsync(data.fileno())
        self._hash = running
        self._parts.append({"key": key, "bytes": added, "sha256": digest.hexdigest()})
        self._write_journal()

    def take(self) -> Path:
        """The finished file, for the caller to move away; `discard` then clears what is left."""
        return self._data

    def discard(self) -> None:
        """Throw everything away."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def tidy(self) -> None:
        """Throw everything away if nothing has arrived that a later pull can go on with."""
        with contextlib.suppress(OSError):
            kept = (*self._directory.glob("hub-*"), *self._directory.glob(self._data.name))
            if not any(file.stat().st_size for file in kept):
                self.discard()

    def _read_journal(self) -> list[dict[str, Any]]:
        """The recorded parts; none where the journal cannot be read, which costs a download
        and nothing else."""
        try:
            parts = json.loads(self._journal.read_bytes())["parts"]
            return [
                {"key": str(p["key"]), "bytes": int(p["bytes"]), "sha256": str(p["sha256"])}
                for p in parts
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _write_journal(self) -> None:
        new = self._journal.with_suffix(".new")
        new.write_text(json.dumps({"parts": self._parts}, indent=1), encoding="utf-8")
        new.replace(self._journal)
