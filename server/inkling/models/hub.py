"""Fetching a model from the Hugging Face hub, through the user's own hub cache.

A file that is already in that cache is used as it is. A download goes there too, so that other
programs find it, and is linked into the model directory rather than copied.
"""

import hashlib
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from inkling.models import child
from inkling.models.cache import adopt, explain, require_room
from inkling.models.catalogue import HubSource, Model
from inkling.models.errors import SourceFailed, WrongHash
from inkling.models.partial import PartialFile
from inkling.models.progress import PullProgress

_CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch(
    model: Model, source: HubSource, partial: PartialFile
) -> Generator[PullProgress, None, Path]:
    """Find or download, verify, install; returns the path.

    Raises `SourceFailed`, `WrongHash`, `DiskFull`; OSError for the disk.
    """
    at = PullProgress(model.name, "checking", total=model.size, source=source.title)
    yield at
    said: dict[str, Any] = {}
    for said in _ask(source, model.sha256 or "", partial):
        if said["event"] == "found":
            at = _found(at, said)
        if said["event"] == "waiting" and at.step == "downloading":
            at = replace(at, done=_received(Path(said["blobs"])))
        yield at
    if said["event"] == "failed":
        if said.get("errno"):
            raise explain(OSError(said["errno"], said["reason"]), partial.scratch)
        raise SourceFailed(source.title, said["reason"], network=said["network"])
    file = Path(said["path"])
    expected = model.sha256 or said.get("sha256")
    at = replace(at, step="verifying", total=file.stat().st_size)
    digest = hashlib.sha256()
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
            yield replace(at, done=data.tell())
    if expected is not None and digest.hexdigest() != expected:
        if not said["cached"]:
            # Damaged on the way: the hub's cache would offer it again. What was in the cache
            # before us belongs to the user and stays.
            file.resolve().unlink(missing_ok=True)
            file.unlink(missing_ok=True)
        raise WrongHash(model.title, expected, digest.hexdigest(), source.title)
    yield replace(at, step="installing", done=at.total or 0)
    return adopt(file, model.file)


def _ask(source: HubSource, sha256: str, partial: PartialFile) -> Iterator[dict[str, Any]]:
    """Run the child; yields what it says, with "waiting" in between, and its verdict last."""
    module = child.python("-m", "inkling.models.hub_child")
    command = [*module, source.repository, source.file, source.revision, sha256]
    output = partial.scratch / "hub.log"
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    known: dict[str, Any] = {}
    heard = 0
    for _status in child.watch(command, output, quiet):
        lines = [line for line in child.read_text(output).splitlines() if line.startswith("{")]
        for line in lines[heard:]:
            try:
                said = json.loads(line)
            except ValueError:
                break  # the child is in the middle of writing it
            heard += 1
            if said["event"] == "found" and _SHA256.fullmatch(said["etag"] or ""):
                known["sha256"] = said["etag"]
            known |= said
            yield dict(known)
        else:
            if known.get("event") == "found":
                yield {**known, "event": "waiting"}
    if known.get("event") not in ("file", "failed"):
        tail = child.read_text(output).strip().splitlines()[-1:]
        yield {"event": "failed", "network": False, "reason": "".join(tail) or "ended early"}


def _found(at: PullProgress, said: dict[str, Any]) -> PullProgress:
    """The hub has the file: is there room for what is still to come?"""
    blobs, size = Path(said["blobs"]), said["size"] or at.total
    if size is not None:
        require_room(blobs, size - _received(blobs))
    return replace(at, step="downloading", total=size)


def _received(blobs: Path) -> int:
    """Bytes of the download in flight, as the hub's client leaves them on the disk."""
    return max((_size(part) for part in blobs.glob("*.incomplete")), default=0)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
