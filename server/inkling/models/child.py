"""Child processes that work for a while: started, watched by polling, never left behind.

Their output goes to a file, so that a child is never blocked by a full pipe and the whole of
it can be kept when something failed.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

POLL_S = 0.1
_GRACE_S = 3.0


def python(*arguments: str) -> list[str]:
    """This interpreter; `-P` keeps modules of the current directory out of its way."""
    return [sys.executable, "-P", *arguments]


def watch(
    command: Sequence[str], output: Path, environment: Mapping[str, str]
) -> Iterator[int | None]:
    """Run `command`, yielding None about ten times a second while it runs, then its exit status.

    `environment` is laid over our own. When the iterator is closed early, or the thread is
    interrupted, the child is ended first. Raises OSError where it cannot be started.
    """
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            # Its own group, so that compilers it has started end with it.
            start_new_session=os.name != "nt",
        )
        try:
            while True:
                try:
                    status = process.wait(POLL_S)
                except subprocess.TimeoutExpired:
                    yield None
                else:
                    yield status
                    return
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the child and all it has started to end, wait, then kill."""
    if process.poll() is not None:
        return
    if os.name == "nt":
        tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False)
        process.wait()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def read_text(output: Path) -> str:
    """What a child has written so far."""
    return output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
