"""The real index worker, with an extraction that dies of one word and hangs on another.

Run as a program by test_worker. The hang is in C and never lets go of the interpreter's lock,
as a grammar's would be.
"""

import os
import re
import sys

from inkling.index import worker
from inkling.index.record import FileRecord

real = worker.record_of


def record_of(path: str, data: bytes, *, parse: bool, deadline_s: float) -> FileRecord | None:
    if b"DIE" in data:
        os._exit(3)
    if b"HANG" in data:
        re.match(r"(a+)+$", "a" * 64 + "b")
    if b"RAISE" in data:
        raise RecursionError
    return real(path, data, parse=parse, deadline_s=deadline_s)


if __name__ == "__main__":
    worker.record_of = record_of
    worker.HANG_SECONDS = float(sys.argv[1])
    worker.main()
