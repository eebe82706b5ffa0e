"""The engine that is not there: no model, or none that can be found.

Invariant: it keeps every promise of `engine.api` by saying no at once.
"""

import asyncio
from collections.abc import AsyncIterator

from inkling.engine.api import DoneEvent, EngineState, Event, GenerateRequest, Unavailable
from inkling.engine.stream import EventStream, StateBoard


class AbsentEngine:
    """An `Engine` that is `Unavailable` for one reason, which is a sentence for people."""

    def __init__(self, reason: str) -> None:
        self._board = StateBoard(Unavailable(reason))
        self._reason = reason
        self._closed = asyncio.Event()

    @property
    def state(self) -> EngineState:
        return self._board.state

    def states(self) -> AsyncIterator[EngineState]:
        return self._board.states()

    async def run(self) -> None:
        await self._closed.wait()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        stream = EventStream(request.id, self.cancel)
        stream.put(DoneEvent(request.id, "failed", error=self._reason))
        return stream

    def cancel(self, request_id: int) -> None:
        """There is nothing to cancel."""

    async def close(self) -> None:
        self._board.close()
        self._closed.set()
