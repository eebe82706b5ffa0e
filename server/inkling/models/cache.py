"""The model directory: what is installed, and the one way a file gets in.

Invariant: a file under its catalogue name in this directory was verified before it got that
name, so it is never hashed again.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from inkling.dirs import models_dir
from inkling.models.catalogue import Model, find
from inkling.models.errors import DiskFull, PullError, ReadOnlyCache, UnknownModel

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_NO_LEAVE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


@dataclass(frozen=True, slots=True)
class Missing:
    """A model of the catalogue that is not on this machine yet."""

    model: Model


def installed_path(model: Model) -> Path | None:
    """Where the model lies, if it is installed. Touches no network and reads no contents."""
    path = models_dir() / model.file
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return path if model.size in (None, size) else None


def resolve(name_or_path: str) -> Path | Missing:
    """A catalogue name, or a path to the user's own GGUF (`~` is expanded).

    Raises `UnknownModel` where it is neither.
    """
    looks_like_path = name_or_path.lower().endswith(".gguf") or any(
        separator in name_or_path for separator in ("/", "\\")
    )
    path = Path(name_or_path).expanduser()
    if looks_like_path:
        if path.is_file():
            return path.absolute()
        raise UnknownModel(name_or_path, is_path=True)
    model = find(name_or_path)
    return installed_path(model) or Missing(model)


def prepare() -> Path:
    """The model directory, created and shown to be writable. Raises `ReadOnlyCache`, `DiskFull`."""
    directory = models_dir()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise explain(error, directory) from error
    return directory


def require_room(directory: Path, needed: int) -> None:
    """Raise `DiskFull` unless `needed` bytes are free on the disk of `directory`, which need
    not exist yet."""
    place = next(parent for parent in (directory, *directory.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise DiskFull(directory, needed, free)


def explain(error: OSError, directory: Path) -> PullError:
    """The typed error for a failed write below `directory`."""
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return DiskFull(directory)
    if error.errno in _NO_LEAVE:
        return ReadOnlyCache(directory, reason)
    return PullError(f"Could not write to the model directory {directory}: {reason}.")


def install(finished: Path, name: str) -> Path:
    """Move a verified file of this directory's disk to its final name, atomically."""
    destination = models_dir() / name
    finished.replace(destination)
    _sync_directory(destination.parent)
    return destination


def adopt(file: Path, name: str) -> Path:
    """Install a verified file that belongs to another program's cache, without a second copy
    where the file system allows it: a hard link, else a symbolic link, else a copy."""
    directory = models_dir()
    new = Path(tempfile.mkdtemp(dir=directory)) / name
    source = file.resolve()
    try:
        for put in (os.link, os.symlink, shutil.copyfile):
            with contextlib.suppress(OSError, NotImplementedError):
                put(source, new)
                break
        else:
            shutil.copyfile(source, new)
        return install(new, name)
    finally:
        shutil.rmtree(new.parent, ignore_errors=True)


def _sync_directory(directory: Path) -> None:
    """Make a rename survive a power cut. Windows has no handle on a directory and needs none."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
