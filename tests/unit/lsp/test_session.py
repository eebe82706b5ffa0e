"""The end of a session: whatever is under way, what runs for the client is closed whole."""

import asyncio
from types import SimpleNamespace
from typing import Any

from inkling.lsp import life
from inkling.lsp.session import Session


class SlowApp:
    """An app whose end takes as long as the test wants."""

    missing = None

    def __init__(self) -> None:
        self.closing, self.may_end = asyncio.Event(), asyncio.Event()
        self.closed = 0

    async def close(self) -> None:
        self.closing.set()
        await self.may_end.wait()
        self.closed += 1


async def test_the_end_in_the_middle_of_a_restart_waits_for_the_old_app():
    link: Any = SimpleNamespace()
    session, app = Session(link, life.restart), SlowApp()
    session.app = app  # type: ignore[assignment]
    session.spawn(session.restart())
    await app.closing.wait()
    ending = asyncio.create_task(session.close())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not ending.done()
    app.may_end.set()
    async with asyncio.timeout(30):
        await ending
    assert (app.closed, session.app) == (1, None)
