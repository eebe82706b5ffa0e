"""stdin and stdout as streams of LSP frames.

One daemon thread reads, so that a busy loop never leaves the client's pipe full; frames reach
the loop one at a time. A handler's first statement therefore runs before the next message is
looked at, which is what makes "the snapshot in the first statement" right.

Invariant: stdout carries frames only. Whatever else in this process prints goes to stderr.
"""

import asyncio
import io
import logging
import os
import sys
import threading
from collections.abc import AsyncGenerator

from inkling.lsp.frames import FrameParser

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 16


class Writer:
    """Writes frames; the loop's thread. A client that is gone is noted, never raised."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self.broken = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Write all of `data` before returning."""
        if self.broken.is_set():
            return
        view = memoryview(data)
        try:
            while view:
                written = self._stream.write(view)
                if written is None:
                    os.set_blocking(self._stream.fileno(), True)  # or this would spin
                view = view[written or 0 :]
        except (OSError, ValueError):
            logger.info("the client closed its end of stdout")
            self.broken.set()

    def close(self) -> None:
        """Nothing to do: the stream belongs to the process."""


async def frames(stream: io.RawIOBase, broken: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Message bodies (and `Rubbish`) until the client closes either pipe."""
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        chunk = b"-"
        while chunk:
            try:
                arrived = stream.read(CHUNK_BYTES)
                if arrived is None:  # a pipe that does not block: empty is not its end
                    os.set_blocking(stream.fileno(), True)
                    continue
                chunk = arrived
            except (OSError, ValueError):
                chunk = b""
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: the server has ended
                return

    # A daemon: a read that never returns must not keep the process alive.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    parser = FrameParser()
    gone = asyncio.ensure_future(broken.wait())
    try:
        while True:
            get = asyncio.ensure_future(chunks.get())
            await asyncio.wait((get, gone), return_when=asyncio.FIRST_COMPLETED)
            if not get.done():
                get.cancel()
                return
            chunk = get.result()
            if not chunk:
                return
            for body in parser.feed(chunk):
                yield body
                # Let what this message started take its first step before the next one.
                await asyncio.sleep(0)
    finally:
        gone.cancel()


def take_over_stdio() -> tuple[io.RawIOBase, io.RawIOBase]:
    """The process's stdin and stdout for LSP alone; `print` and C code get stderr instead."""
    stdin = io.FileIO(os.dup(sys.stdin.fileno()), "rb")
    stdout = io.FileIO(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return stdin, stdout
