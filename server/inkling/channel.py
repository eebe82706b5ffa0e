"""How a child process takes over its standard streams: one way in, one way out, for frames alone.

Invariant: after `standard_streams` nothing but the child's own frames reaches its parent; what a
library prints goes to stderr.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def standard_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """What the parent writes, and what it reads. Call once, in the main thread, before anything
    is printed."""
    # Ctrl-C in a terminal reaches the whole group; ending is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers_fd = os.dup(1)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(answers_fd, os.O_BINARY)
    with os.fdopen(0, "rb", closefd=False) as orders, os.fdopen(answers_fd, "wb") as answers:
        yield orders, answers
