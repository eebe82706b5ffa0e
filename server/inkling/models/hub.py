"""Fetching a model from the Hugging Face hub.

A file that the user's own hub cache already holds is linked into the model directory rather
than downloaded or copied.
"""

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from inkling.models import child
from inkling.models.cache import adopt, explain, install, require_room
from inkling.models.catalogue import HubSource, Model
from inkling.models.errors import SourceFailed, WrongHash
from inkling.models.partial import PartialFile
from inkling.models.progress import PullProgress

_CHUNK = 1 << 20


def fetch(
    model: Model, source: HubSource, partial: PartialFile
) -> Generator[PullProgress, None, Path]:
    """Find or download, verify, install; returns the path.

    Raises `SourceFailed`, `WrongHash`, `DiskFull`; OSError for the disk.
    """
    at = PullProgress(model.name, "checking", total=model.size, source=source.title)
    yield at
    for fresh in (False, True):
        said = yield from _obtain(model, source, partial, fresh=fresh)
        file = Path(said["path"])
        at = replace(at, step="verifying", total=file.stat().st_size)
        digest = hashlib.sha256()
        with file.open("rb") as data:
            while chunk := data.read(_CHUNK):
                digest.update(chunk)
                yield replace(at, done=data.tell())
        expected = model.sha256 or said.get("sha256")
        if not expected or expected == digest.hexdigest():
            yield replace(at, step="installing", done=at.total or 0)
            return (adopt if said["cached"] else install)(file, model.file)
        if not said["cached"]:
            file.unlink()
            break
        # Not ours to delete; but there may be a good one on the hub.
        yield replace(at, step="checking", note="the hub's cache holds another file; fetching it")
    raise WrongHash(model.title, str(expected), digest.hexdigest(), source.title)


def _obtain(
    model: Model, source: HubSource, partial: PartialFile, *, fresh: bool
) -> Generator[PullProgress, None, dict[str, Any]]:
    """Have the file on this disk; returns what the child said of it."""
    at = PullProgress(model.name, "checking", total=model.size, source=source.title)
    said: dict[str, Any] = {}
    for said in _ask(source, model.sha256 or "", partial, fresh=fresh):
        if said["event"] == "found":
            part, size = Path(said["path"]), said["size"] or model.size
            if size is not None:
                require_room(part.parent, size - part.stat().st_size)
            at = replace(at, step="downloading", total=size)
        if said["event"] == "waiting":
            at = replace(at, done=max(at.done, Path(said["path"]).stat().st_size))
        yield at
    if said["event"] == "failed":
        if said["errno"] is not None:
            raise explain(OSError(said["errno"], said["reason"]), partial.scratch.parent)
        raise SourceFailed(source.title, said["reason"], network=said["network"])
    return said


def _ask(
    source: HubSource, sha256: str, partial: PartialFile, *, fresh: bool
) -> Iterator[dict[str, Any]]:
    """Run the child; yields what it says, with "waiting" in between, and its verdict last."""
    module = child.python("-m", "inkling.models.hub_child")
    asked = (source.repository, source.file, source.revision, sha256)
    command = [*module, *asked, str(partial.scratch.parent), "yes" if fresh else "no"]
    output = partial.scratch / "hub.log"
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    known: dict[str, Any] = {}
    heard = 0
    for _status in child.watch(command, output, quiet):
        lines = child.read_text(output).split("\n")[:-1]  # the last one may not be whole yet
        for line in [line for line in lines if line.startswith("{")][heard:]:
            heard += 1
            known |= json.loads(line)
            yield dict(known)
        if known.get("event") == "found":
            yield {**known, "event": "waiting"}
    if known.get("event") not in ("file", "failed"):
        tail = child.read_text(output).strip().splitlines()[-1:]
        reason = "".join(tail) or "ended early"
        yield {"event": "failed", "network": False, "errno": None, "reason": reason}
