"""Pipes that their other end made non-blocking: nothing spins, nothing ends early."""

import asyncio
import io
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from inkling.lsp.stdio import Writer, frames

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no non-blocking anonymous pipes"
)


@pytest.fixture
def pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    read, write = os.pipe()
    with io.FileIO(read, "rb") as reader, io.FileIO(write, "wb") as writer:
        yield reader, writer


class Counting:
    """Counts the calls that a writer makes."""

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream
        self.fileno = stream.fileno
        self.writes = 0

    def write(self, data: bytes) -> int | None:
        self.writes += 1
        return self._stream.write(data)


def test_a_full_pipe_is_waited_for(pipe):
    reader, stream = pipe
    os.set_blocking(stream.fileno(), False)
    counting, size, arrived = Counting(stream), 1 << 20, []

    def write() -> None:
        Writer(counting).write(b"x" * size)  # type: ignore[arg-type]

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    _until_blocking(stream.fileno())  # nothing is read before: the pipe is full
    while sum(arrived) < size:
        arrived.append(len(reader.read(1 << 14)))
    writing.join(30)
    assert not writing.is_alive()
    # One that fills the pipe, one that finds it full, and one that waits.
    assert counting.writes == 3


async def test_an_empty_pipe_is_not_an_ended_one(pipe):
    reader, stream = pipe
    os.set_blocking(reader.fileno(), False)
    bodies = frames(reader, asyncio.Event())
    first = asyncio.ensure_future(anext(bodies))
    async with asyncio.timeout(30):
        await asyncio.to_thread(_until_blocking, reader.fileno())
        stream.write(b"Content-Length: 2\r\n\r\n{}")
        assert await first == b"{}"
    stream.close()
    assert [body async for body in bodies] == []


def _until_blocking(number: int) -> None:
    until = time.monotonic() + 30
    while not os.get_blocking(number):
        assert time.monotonic() < until
        time.sleep(0.001)  # nothing tells of it
