"""What all back-ends hand out: one request's events, and the changing state of the engine.

Both are fed and read on the event loop's thread only. A stream ends with exactly one
`DoneEvent`; whatever a back-end still says after that is dropped here, so that no back-end
has to guard against its own late words.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from inkling.engine.api import DoneEvent, EngineState, Event


class EventStream(AsyncIterator[Event]):
    """The events of one request. Written by its back-end, read by one consumer.

    Close it (`contextlib.aclosing`) when you stop reading early: that cancels the request.
    """

    def __init__(self, request_id: int, cancel: Callable[[int], None]) -> None:
        self._request_id = request_id
        self._cancel = cancel
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._done = False
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether the `DoneEvent` was put."""
        return self._done

    def put(self, event: Event) -> None:
        """Add an event; ignored after the `DoneEvent`."""
        if self._done:
            return
        self._done = isinstance(event, DoneEvent)
        self._events.put_nowait(event)

    async def __anext__(self) -> Event:
        if self._exhausted:
            raise StopAsyncIteration
        event = await self._events.get()
        self._exhausted = isinstance(event, DoneEvent)
        return event

    async def aclose(self) -> None:
        """Cancel the request if it is not done, and end the iteration."""
        self._exhausted = True
        if not self._done:
            self._cancel(self._request_id)


class StateBoard:
    """The present `EngineState` of one back-end, and whoever watches it change."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._watchers: list[asyncio.Queue[EngineState | None]] = []
        self._closed = False

    @property
    def state(self) -> EngineState:
        return self._state

    def show(self, state: EngineState) -> None:
        """Set the state; watchers hear of it if it differs."""
        if state == self._state or self._closed:
            return
        self._state = state
        for watcher in self._watchers:
            watcher.put_nowait(state)

    def close(self) -> None:
        """End every watcher's iteration."""
        self._closed = True
        for watcher in self._watchers:
            watcher.put_nowait(None)

    async def states(self) -> AsyncIterator[EngineState]:
        """The present state, then each change, until `close`."""
        watcher: asyncio.Queue[EngineState | None] = asyncio.Queue()
        watcher.put_nowait(self._state)
        if self._closed:
            watcher.put_nowait(None)
        self._watchers.append(watcher)
        try:
            while (state := await watcher.get()) is not None:
                yield state
        finally:
            self._watchers.remove(watcher)
