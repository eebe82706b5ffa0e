"""Offering to download a missing model, and doing it with a bar the user can cancel.

Invariant: nothing is fetched without the user's yes (the dialog's button or the command), one
question is open and one download runs at a time, and completions are answered, empty, all the
while.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from inkling.lsp.link import Refused
from inkling.lsp.session import Download, Session
from inkling.lsp.status import push_status

if TYPE_CHECKING:
    from inkling.models.catalogue import Model
    from inkling.models.progress import PullProgress

logger = logging.getLogger(__name__)

Report = Callable[[str, int | None], None]

LATER = "Not now"
REPORT_EVERY_S = 0.25


async def offer(session: Session) -> None:
    """Ask whether to download the model of the settings, if it is missing; on yes, do it.

    One question at a time and one for each model: an answer about a model that the settings no
    longer name counts for nothing, and the question for the present one follows.
    """
    if session.asking:
        return
    session.asking = True
    try:
        while (model := await session.missing()) is not None and (
            model.name not in session.answered
        ):
            agreed = await _ask(session, model)
            present = await session.missing()
            if present is None or present.name != model.name:
                continue
            session.answered.add(model.name)
            if agreed:
                await download(session, model)
    finally:
        session.asking = False


async def _ask(session: Session, model: "Model") -> bool:
    yes = f"Download {model.title}" + (f" ({_megabytes(model.size)})" if model.size else "")
    params = types.ShowMessageRequestParams(
        type=types.MessageType.Info,
        message=f"Inkling completes with {model.title}, which is not on this machine yet. "
        "It is downloaded once; after that nothing leaves this machine.",
        actions=[types.MessageActionItem(title=yes), types.MessageActionItem(title=LATER)],
    )
    try:
        answer = await session.link.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    except Refused as refusal:
        logger.info("the client shows no question: %s", refusal)
        return False
    return getattr(answer, "title", None) == yes


async def download(session: Session, model: "Model") -> None:
    """Fetch `model`, then start the engine with it. The user sees a bar and one message."""
    if session.download is not None:
        return
    session.download = Download(f"Downloading {model.title}.")
    bar = session.link.bar(
        f"Downloading {model.title}", shown=session.client.shows_progress, cancellable=True
    )

    def report(step: str, percent: int | None) -> None:
        if session.download is not None:
            session.download = Download(step, percent)
            bar.report(step, percent)
            push_status(session)

    stop = threading.Event()
    try:
        problem = await _fetch(model, bar.cancelled, report, stop)
    finally:
        # The thread sees it at its next record; what has arrived is kept for next time.
        stop.set()
        session.download = None
        bar.end()
        push_status(session)
    if problem:
        session.link.show(types.MessageType.Warning, f"Inkling: {problem}")
    else:
        session.link.show(types.MessageType.Info, f"Inkling: {model.title} is installed.")
        await session.restart()


async def _fetch(
    model: "Model", cancelled: asyncio.Event, report: Report, stop: threading.Event
) -> str:
    """Pull on a thread of its own; returns what went wrong, empty if nothing did."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(asyncio.to_thread(_pull, model, report, stop, loop))
    asked = asyncio.ensure_future(cancelled.wait())
    await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not work.done():
        stop.set()
        return f"the download of {model.title} was cancelled; what has arrived is kept."
    return work.result()


def _pull(
    model: "Model", report: Report, stop: threading.Event, loop: asyncio.AbstractEventLoop
) -> str:
    from inkling.models.errors import ModelError
    from inkling.models.pull import pull

    records = pull(model)
    reported = 0.0
    try:
        for record in records:
            if stop.is_set():
                return ""
            now = time.monotonic()
            if record.note or now - reported >= REPORT_EVERY_S:
                reported = now
                loop.call_soon_threadsafe(report, *_told(record))
    except ModelError as error:
        return str(error)
    finally:
        close = getattr(records, "close", None)
        if close is not None:
            close()
    return ""


def _told(record: "PullProgress") -> tuple[str, int | None]:
    if record.note:
        text = record.note
    elif record.total:
        text = f"{record.step}: {_megabytes(record.done)} of {_megabytes(record.total)}"
    else:
        text = record.step
    return text, min(100, 100 * record.done // record.total) if record.total else None


def _megabytes(count: int) -> str:
    return f"{count / 2**20:.0f} MB"
