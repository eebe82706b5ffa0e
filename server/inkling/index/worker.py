"""The process that reads files and makes their records: batches from stdin, answers to stdout.

Invariants: it never outlives its parent: stdin's end, or nobody to write to, ends it, and a
grammar that hangs, where no Python code can run, is ended with the process by a watchdog in C.
It gives way to everything else on the machine. What becomes of a file is always said: one that
vanishes, can't be read or is written meanwhile is an answer, not an end.
Memory is bounded by one file and its tree; nothing is kept from one to the next.
"""

import faulthandler
import hashlib
import logging
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from inkling.channel import standard_streams
from inkling.index.extract import parses, record_of
from inkling.index.jobs import HEADER, Batch, Began, Made, Wanted, frame

logger = logging.getLogger(__name__)

HANG_SECONDS = 3.0
"""After which a file has hung the process; a parse gives up by itself long before."""
_PARSE_SECONDS = 1.0
_REARM_SECONDS = 0.25  # arming the watchdog starts a thread, which not every file is worth
LARGEST_READ = 4 * 1024 * 1024
"""Bytes of a file that is still read; nobody wrote a longer one by hand."""
_NICENESS = 10
_BELOW_NORMAL = 0x4000  # Windows' BELOW_NORMAL_PRIORITY_CLASS
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Opening a pipe or a device must not wait for somebody to write to it.
_READ_FLAGS |= getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was at one moment."""

    data: bytes
    mtime_ns: int


def read(path: str) -> Content | Literal["gone", "unreadable", "changing", "too large"]:
    """A file's content, or why it can't be had. Never raises.

    What changes between two looks at it is read once more, and then left to who will see it
    change. A file that is replaced as a whole is read as the old or the new one.
    """
    for _ in range(2):
        try:
            content = _read_once(path)
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except (OSError, ValueError):  # ValueError: a name no system call takes
            return "unreadable"
        if content != "changing":
            return content
    return "changing"


def _read_once(path: str) -> Content | Literal["unreadable", "changing", "too large"]:
    descriptor = os.open(path, _READ_FLAGS)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return "unreadable"
        if before.st_size > LARGEST_READ:
            return "too large"
        data = file.readall()
        after = os.fstat(descriptor)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return "changing"
    if len(data) != after.st_size:
        return "changing"
    return Content(data, after.st_mtime_ns)


class Watchdog:
    """Ends the process when a file takes too long. Owner: the worker's only thread.

    It is armed anew at most four times a second, so it leaves every file at least
    `HANG_SECONDS`.
    """

    def __init__(self, traces: BinaryIO) -> None:
        self._traces = traces
        self._armed = 0.0

    def feed(self) -> None:
        """Something got done."""
        now = time.monotonic()
        if now - self._armed > _REARM_SECONDS:
            faulthandler.dump_traceback_later(
                HANG_SECONDS + _REARM_SECONDS, exit=True, file=self._traces
            )
            self._armed = now

    def rest(self) -> None:
        """There is nothing to do."""
        faulthandler.cancel_dump_traceback_later()
        self._armed = 0.0


def serve(batches: BinaryIO, answers: BinaryIO, traces: BinaryIO) -> None:
    """Do batches until `batches` ends."""
    watchdog = Watchdog(traces)
    decoder = msgspec.msgpack.Decoder(Batch)
    while len(header := batches.read(HEADER)) == HEADER:
        batch = decoder.decode(batches.read(int.from_bytes(header, "big")))
        for number, wanted in enumerate(batch.files):
            watchdog.feed()
            answers.write(frame(_do(batch, number, wanted, answers)))
        answers.flush()
        watchdog.rest()


def _do(batch: Batch, number: int, wanted: Wanted, answers: BinaryIO) -> Made:
    """One file; says on `answers` that it is begun when there is a record to make."""
    content = (
        Content(wanted.text, 0) if wanted.text is not None else read(f"{batch.root}/{wanted.path}")
    )
    if not isinstance(content, Content):
        return Made(batch.id, number, content)
    data = content.data
    digest = hashlib.blake2b(data, digest_size=16).digest()

    def made(state: Literal["made", "same", "binary", "failed"], **rest: object) -> Made:
        answer = Made(batch.id, number, state, content.mtime_ns, len(data), digest)
        return msgspec.structs.replace(answer, **rest) if rest else answer

    if digest == wanted.known:
        return made("same")
    if wanted.wish == "hash":
        return made("made", final=False)
    answers.write(frame(Began(batch.id, number, digest)))
    answers.flush()  # also the answers before it: nothing that is done is lost with the process
    try:
        record = record_of(
            wanted.path, data, parse=wanted.wish == "parsed", deadline_s=_PARSE_SECONDS
        )
        if record is None:
            return made("binary")
        final = wanted.wish == "parsed" or not parses(wanted.path, data)
    except Exception as error:  # a mistake of ours: worth one file, not the process
        logger.error("no record of a file of %d bytes: %s", len(data), type(error).__name__)
        return made("failed")
    return made("made", record=record, final=final)


def give_way() -> None:
    """Lower this process's priority, for good."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)


def main() -> None:
    """Serve the parent until it ends."""
    give_way()
    with standard_streams() as (batches, answers), Path(os.devnull).open("wb") as traces:
        try:
            serve(batches, answers, traces)
        except BrokenPipeError:
            os._exit(0)  # the parent is gone; there is nobody to flush for


if __name__ == "__main__":
    main()
