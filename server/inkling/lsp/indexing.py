"""Telling the user how the index gets on: a bar while there is much to read, and each problem once.

Invariant: nothing is shown for what takes less than a moment, as after most starts.
"""

import logging

from lsprotocol import types

from inkling.index.wire import Problem, Progress
from inkling.lsp.link import Bar
from inkling.lsp.session import Session

logger = logging.getLogger(__name__)

MUCH = 200
"""Files from which on reading is shown."""
_STEPS = {"reading": "reading", "parsing": "parsing"}


async def follow(session: Session) -> None:
    """Follow one app's index until it is closed."""
    app = session.app
    if app is None:
        return
    bar: Bar | None = None
    async for news in app.repository.index.news():
        if session.app is not app:
            break
        if isinstance(news, Problem):
            session.link.show(types.MessageType.Warning, f"Inkling: {news.text}")
        else:
            bar = _shown(session, bar, news)
    if bar is not None:
        bar.end()


def _shown(session: Session, bar: Bar | None, progress: Progress) -> Bar | None:
    """The bar for this progress, if there is to be one."""
    step = _STEPS.get(progress.phase)
    if step is None:
        if bar is not None:
            bar.end(f"{progress.total:,} files indexed")
            logger.info("indexed %d files", progress.total)
        return None
    if bar is None:
        if progress.total < MUCH:
            return None
        bar = session.link.bar("Inkling index", shown=session.client.shows_progress)
    percent = progress.done * 100 // max(1, progress.total)
    bar.report(f"{step} {progress.done:,} of {progress.total:,} files", percent)
    return bar
