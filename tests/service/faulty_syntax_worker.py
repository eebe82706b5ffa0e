"""The real syntax worker, with a grammar that dies on one word and hangs on another.

Run as a program by test_syntax_client. The hang is in C and never lets go of the
interpreter's lock, as a grammar's would be.
"""

import os
import re
import sys

from inkling.syntax import worker

real = worker.do


def do(trees: worker.Trees, job: worker.Job) -> object:
    if b"DIE" in job.data:
        os._exit(3)
    if b"HANG" in job.data:
        re.match(r"(a+)+$", "a" * 64 + "b")
    return real(trees, job)


if __name__ == "__main__":
    worker.do = do
    worker.HANG_SECONDS = float(sys.argv[1])
    worker.main()
