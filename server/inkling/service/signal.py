"""Wake everything that waits for "something has changed"."""

import asyncio


class Signal:
    """A level-free broadcast: `wait` returns at the next `fire`. Event loop's thread only.

    Unlike `asyncio.Event` it needs no clearing, so two waiters cannot eat each other's news;
    a waiter re-checks its condition after each return.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Wake every present waiter."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Until the next `fire`, at most `seconds`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
