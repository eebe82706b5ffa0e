"""One order put to a server, and what it says to it, piece by piece.

Invariant: the stream ends with a `Finish` or raises `Trouble`; leaving it early drops the
connection.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from inkling.engine.dialects import Dialect, Finish, Order, Words, error_text
from inkling.engine.http import Address, Response, Trouble, exchange
from inkling.engine.meet import refusal


@dataclass(frozen=True, slots=True)
class Server:
    """A server we know how to ask."""

    address: Address
    dialect: Dialect
    key: str = field(default="", repr=False)

    async def ask(self, order: Order) -> AsyncGenerator[Words | Finish, None]:
        """The answer as it comes. Close it (`contextlib.aclosing`) to stop the server."""
        body = await self.dialect.body(order)
        path = self.dialect.path
        async with exchange(self.address, path, body=body, key=self.key) as response:
            if response.status != 200:
                said = await response.body()
                has_key = bool(self.key)
                raise refusal(self.address, path, response.status, said, has_key=has_key)
            async for message in _messages(response):
                for one in self.dialect.read(message):
                    yield one
                    if isinstance(one, Finish):
                        return
        raise Trouble(f"The server at {self.address} broke off its answer.")


async def _messages(response: Response) -> AsyncIterator[bytes]:
    """The data of an event stream, or the lines of JSON; any other body is one message."""
    by_line = "ndjson" in response.content_type
    other = []
    async for line in response.lines():
        if line.startswith(b"data:"):
            yield line[5:].strip()
        elif line.startswith(b"error:"):
            raise Trouble(f"The server gave up: {error_text(line[6:]) or 'no reason given'}.")
        elif by_line and line:
            yield line
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
            other.append(line)
    if any(other):
        yield b"\n".join(other)
