"""Wake everything that waits for "something has changed"."""

import asyncio


class Signal:
    """A broadcast that can't be missed. Event loop's thread only.

    A waiter reads `count`, looks at what it waits for, and waits for news since that count;
    so nothing is lost that happens while it looks, and unlike with `asyncio.Event` two
    waiters cannot eat each other's news.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Wake every waiter."""
        self.count += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, since: int, seconds: float | None = None) -> None:
        """Until it has been fired after `count` was `since`, at most `seconds`."""
        if self.count != since:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
