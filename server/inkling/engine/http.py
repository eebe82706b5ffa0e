"""HTTP/1.1 to one configured server, as little of it as streaming a completion needs.

Written on asyncio streams rather than on a client library: stopping a generation means
dropping the connection at once, which here is one call on one socket that belongs to one
request; there is no pool, no proxy and no redirect by which a byte could reach a host other
than the one the user named; and there is nothing more to install.

Invariant: whatever goes wrong is a `Trouble` whose message is one sentence for people.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

CONNECT_S = 5.0
SILENCE_S = 60.0
"""A server that says nothing for so long, in the middle of an answer, is given up."""
LONGEST_LINE = 4 << 20  # bytes; a line of an event stream
LONGEST_BODY = 16 << 20  # bytes


SOON, LATER, NEVER = 0.0, 60.0, None
"""When it is worth trying again: after a back-off, after so many seconds, or not at all."""


class Trouble(Exception):
    """The server did not do what was asked; `retry_s` is SOON, LATER or NEVER."""

    def __init__(self, message: str, *, retry_s: float | None = SOON) -> None:
        super().__init__(message)
        self.retry_s = retry_s


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is. `root` is the path before "/v1", without a slash at its end."""

    secure: bool
    host: str
    port: int
    root: str

    @property
    def authority(self) -> str:
        """Host and port, as the Host header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.root}"


def address(url: str) -> Address:
    """Read a URL as people write it: with or without "/v1" or a slash. Raises `Trouble`."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise Trouble(
            f"inkling.serverUrl is {url!r}, not an address such as http://127.0.0.1:8080.",
            retry_s=NEVER,
        )
    if parts.username or parts.password:
        raise Trouble(
            "inkling.serverUrl holds a password; name an environment variable that holds the"
            " key in inkling.serverKeyVariable instead.",
            retry_s=NEVER,
        )
    secure = parts.scheme == "https"
    root = re.sub(r"(/v1)?/*$", "", parts.path.rstrip("/"))
    return Address(secure, host, port or (443 if secure else 80), root)


class Response:
    """An answer's status, and its body as it arrives. Read it inside `exchange`'s block."""

    def __init__(
        self, server: Address, status: int, content_type: str, chunks: AsyncIterator[bytes]
    ) -> None:
        self.status = status
        self.content_type = content_type
        self._server = server
        self._chunks = chunks

    async def body(self) -> bytes:
        """The whole body. Raises `Trouble`."""
        parts, size = [], 0
        async for chunk in self._chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > LONGEST_BODY:
                raise Trouble(f"The server at {self._server} sent an answer without an end.")
        return b"".join(parts)

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines of the body, each as soon as it is complete. Raises `Trouble`."""
        rest = b""
        async for chunk in self._chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.rstrip(b"\r")
            if len(rest) > LONGEST_LINE:
                raise Trouble(f"The server at {self._server} sent a line without an end.")
        if rest:
            yield rest


@asynccontextmanager
async def exchange(
    server: Address,
    path: str,
    *,
    body: bytes | None = None,
    key: str = "",
    silence_s: float = SILENCE_S,
) -> AsyncIterator[Response]:
    """Ask for `path` (below the root): POST with a JSON body, else GET.

    Leaving the block drops the connection at once, whatever the server is doing. Raises
    `Trouble`; a status that is not 2xx is not trouble here.
    """
    reader, writer = await _connect(server)
    try:
        writer.write(_request(server, path, body, key))
        wire = _Wire(server, reader, silence_s)
        status, headers = await wire.head()
        yield Response(server, status, headers.get("content-type", ""), wire.chunks(headers))
    finally:
        # Not `close`, which would first send what is still buffered.
        writer.transport.abort()


async def _connect(server: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = _trust(server) if server.secure else None
    try:
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.open_connection(server.host, server.port, ssl=context)
    except ConnectionRefusedError:
        raise Trouble(
            f"Nothing listens at {server}: start the server, or change inkling.serverUrl."
        ) from None
    except socket.gaierror:
        raise Trouble(
            f"The host {server.host} is not known: look at inkling.serverUrl and the network."
        ) from None
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        raise Trouble(f"No secure connection to {server}: {reason}.") from None
    except TimeoutError:
        raise Trouble(f"{server} did not answer within {CONNECT_S:.0f} s.") from None
    except OSError as error:
        raise Trouble(f"No connection to {server}: {error.strerror or error}.") from None


@lru_cache(maxsize=4)
def _trust(server: Address) -> ssl.SSLContext:
    """Made once for each server: reading the system's certificates takes 20 ms."""
    return ssl.create_default_context()


def _request(server: Address, path: str, body: bytes | None, key: str) -> bytes:
    lines = [
        f"{'GET' if body is None else 'POST'} {server.root}{path} HTTP/1.1",
        f"Host: {server.authority}",
        "User-Agent: inkling",
        "Accept: application/json, text/event-stream, application/x-ndjson",
        "Connection: close",
    ]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (body or b"")


class _Wire:
    """Reads one answer from a connection. Owner: the `exchange` that opened it."""

    def __init__(self, server: Address, reader: asyncio.StreamReader, silence_s: float) -> None:
        self._server = server
        self._reader = reader
        self._silence_s = silence_s

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers, their names in lower case."""
        found = re.match(rb"HTTP/1\.[01] (\d{3})", await self._line())
        if not found:
            raise Trouble(f"What listens at {self._server} does not speak HTTP.")
        headers = {}
        while line := await self._line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(found[1]), headers

    async def chunks(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        """The body as it comes, by whichever of the three ways its end is marked."""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            while size := await self._chunk_size():
                yield await self._read(self._reader.readexactly(size))
                await self._line()
            return
        left = int(length) if (length := headers.get("content-length", "")).isdigit() else None
        while left is None or left > 0:
            data = await self._read(self._reader.read(min(left or 1 << 16, 1 << 16)))
            if not data:
                if left:
                    raise self._gone()
                return
            left = None if left is None else left - len(data)
            yield data

    async def _chunk_size(self) -> int:
        line = await self._line()
        digits = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
            raise Trouble(f"The server at {self._server} broke off its answer.")
        size = int(digits, 16)
        if size > LONGEST_BODY:
            raise Trouble(f"The server at {self._server} sent an answer without an end.")
        return size

    async def _line(self) -> bytes:
        line = await self._read(self._reader.readuntil(b"\n"))
        return line.rstrip(b"\r\n")

    async def _read(self, reading: Awaitable[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._silence_s):
                return await reading
        except TimeoutError:
            raise Trouble(
                f"The server at {self._server} said nothing for {self._silence_s:.0f} s."
            ) from None
        except (asyncio.IncompleteReadError, OSError):
            raise self._gone() from None
        except asyncio.LimitOverrunError:
            raise Trouble(f"What listens at {self._server} does not speak HTTP.") from None

    def _gone(self) -> Trouble:
        return Trouble(f"The server at {self._server} went away in the middle of an answer.")
