"""Speaking to the client: messages, requests to it, and progress bars.

Invariant: nothing here makes the user wait. A client that refuses, is slow or never answers
costs a bar or a dialog, not the work itself.
"""

import asyncio
import itertools
import logging
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from inkling.lsp.protocol import Protocol

logger = logging.getLogger(__name__)

CREATE_TIMEOUT_S = 5.0


class Refused(Exception):
    """The client answered with an error, or not in time."""


class Link:
    """The way to one client; the event loop's thread."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._tokens = itertools.count(1)
        self.bars: dict[str | int, Bar] = {}

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._protocol.notify(method, params)

    async def ask(self, method: str, params: Any, timeout_s: float | None = None) -> Any:
        """Send a request and wait for the answer. Raises `Refused`."""
        answer = asyncio.wrap_future(self._protocol.send_request(method, params))
        answer.add_done_callback(_retrieve)
        try:
            # Shielded: a late answer to a request that nobody waits for is no error.
            return await asyncio.wait_for(asyncio.shield(answer), timeout_s)
        except (JsonRpcException, TimeoutError) as error:
            raise Refused(f"{method}: {error or 'no answer'}") from error

    def show(self, kind: types.MessageType, text: str) -> None:
        """Put a message before the user."""
        params = types.ShowMessageParams(type=kind, message=text)
        self.notify(types.WINDOW_SHOW_MESSAGE, params)

    def log(self, kind: types.MessageType, text: str) -> None:
        """Add a line to the client's own log."""
        self.notify(types.WINDOW_LOG_MESSAGE, types.LogMessageParams(type=kind, message=text))

    def bar(self, title: str, *, shown: bool, cancellable: bool = False) -> "Bar":
        """A new progress bar; one that is not `shown` swallows what it is told."""
        token = f"inkling-{next(self._tokens)}"
        bar = Bar(self, token, title, cancellable)
        if shown:
            self.bars[token] = bar
            bar.open()
        return bar


class Bar:
    """One `$/progress` bar; the event loop's thread. Reports may come before it is open."""

    def __init__(self, link: Link, token: str, title: str, cancellable: bool) -> None:
        self._link = link
        self._token = token
        self._title = title
        self._cancellable = cancellable
        self._opening: asyncio.Task[None] | None = None
        self._begun = False
        self._ended = False
        self._last: tuple[str | None, int | None] = (None, None)
        self.cancelled = asyncio.Event()

    def open(self) -> None:
        """Ask the client for the bar, in the background."""
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        params = types.WorkDoneProgressCreateParams(token=self._token)
        try:
            await self._link.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params, CREATE_TIMEOUT_S)
        except Refused as refusal:
            logger.info("no progress bar: %s", refusal)
            self._link.bars.pop(self._token, None)
            return
        if self._ended:
            return
        self._begun = True
        message, percent = self._last
        self._send(
            types.WorkDoneProgressBegin(
                title=self._title,
                message=message,
                percentage=percent,
                cancellable=self._cancellable,
            )
        )

    def report(self, message: str | None = None, percent: int | None = None) -> None:
        """Show how far it is; percent 0..100."""
        if self._begun and not self._ended and (message, percent) != self._last:
            report = types.WorkDoneProgressReport(
                message=message, percentage=percent, cancellable=self._cancellable
            )
            self._send(report)
        self._last = (message, percent)

    def end(self, message: str | None = None) -> None:
        """Take the bar away; once."""
        if self._begun and not self._ended:
            self._send(types.WorkDoneProgressEnd(message=message))
        self._ended = True
        self._link.bars.pop(self._token, None)

    def _send(self, value: Any) -> None:
        self._link.notify(types.PROGRESS, types.ProgressParams(token=self._token, value=value))


def _retrieve(answer: "asyncio.Future[Any]") -> None:
    """Look at a late error so that asyncio does not report it as forgotten."""
    if not answer.cancelled():
        answer.exception()
