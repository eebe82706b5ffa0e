"""One JSON request to a server on this machine, over asyncio. Loopback addresses only."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NoAnswer(Exception):
    """The server closed the connection or refused; one line says which."""


async def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST `body` as JSON and return the answer's JSON object.

    Raises NoAnswer, OSError; ValueError for an address that is not this machine's.
    """
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK or parts.port is None:
        raise ValueError(f"not an address of this machine with a port: {url}")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        data = json.dumps(body).encode()
        writer.write(
            f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + data
        )
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].decode(errors="replace")
    if " 200 " not in status + " ":
        raise NoAnswer(status or "the connection was closed without an answer")
    if b"transfer-encoding: chunked" in head.lower():
        content = _unchunked(content)
    found = json.loads(content)
    if not isinstance(found, dict):
        raise NoAnswer("the answer is not a JSON object")
    return found


def _unchunked(content: bytes) -> bytes:
    pieces, rest = [], content
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if length == 0:
            break
        pieces.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(pieces)
