"""The few rules of HTTP that a server can break, and what one connection costs."""

import asyncio

import pytest

from inkling.engine import http
from inkling.engine.http import Trouble

SERVER = http.address("http://127.0.0.1:8080")


async def body(*lines: bytes) -> bytes:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(lines))
    reader.feed_eof()
    wire = http._Wire(SERVER, reader, 5.0)
    return b"".join([chunk async for chunk in wire.chunks({"transfer-encoding": "chunked"})])


async def test_chunks_are_joined() -> None:
    assert await body(b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n", b"0\r\n\r\n") == b"abcde"


@pytest.mark.parametrize("size", [b"-5", b"+5", b"0x5", b"1_0", b"", b"g", b"f" * 15, b"1" * 99])
async def test_a_chunk_of_no_possible_size_is_trouble(size: bytes) -> None:
    with pytest.raises(Trouble):
        await body(size + b"\r\nabcde\r\n")


def test_certificates_are_read_once_for_each_server() -> None:
    one, other = http.address("https://a.example"), http.address("https://b.example")

    assert http._trust(one) is http._trust(http.address("https://a.example/v1"))
    assert http._trust(one) is not http._trust(other)
