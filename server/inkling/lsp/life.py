"""Starting what runs for a client, and telling the user how it goes.

Invariant: `initialize` is answered before anything here is imported or started, and at most
one message is put before the user for each change of the engine's state.
"""

import asyncio
import gc
import logging
from importlib import import_module

from lsprotocol import types

from inkling.engine.api import EngineState, Ready, Starting
from inkling.lsp import configuration, indexing
from inkling.lsp.download import offer
from inkling.lsp.link import Bar
from inkling.lsp.session import Session
from inkling.lsp.status import push_status

logger = logging.getLogger(__name__)


async def begin(session: Session) -> None:
    """Everything that follows `initialized`: settings, then engine and syntax worker."""
    gc.freeze()
    gc.enable()
    # Imported on another thread, so that requests are answered meanwhile.
    loading = asyncio.to_thread(import_module, "inkling.app")
    await asyncio.gather(configuration.pull(session), loading)
    await session.restart()
    await configuration.register(session)


async def restart(session: Session) -> None:
    """Build and start the app for the present settings, in place of the one before."""
    from inkling.app import build

    old, session.app = session.app, None
    if old is not None:
        # Shielded: the end of the server cancels this task, and then waits for `closing`.
        session.closing = asyncio.ensure_future(old.close())
        await asyncio.shield(session.closing)
    app = build(
        session.settings,
        session.roots if session.settings.wants_index else (),
        watch=not session.client.watches_files,
        encoding=session.client.encoding,
    )
    session.app = app
    app.start()
    for uri in session.documents.uris():
        app.opened(session.documents.snapshot(uri))
    session.spawn(_watch(session))
    session.spawn(indexing.follow(session))
    session.spawn(offer(session))


async def _watch(session: Session) -> None:
    """Follow one app's engine until it is closed."""
    app = session.app
    if app is None:
        return
    teller = _Teller(session)
    async for state in app.engine.states():
        if session.app is not app:
            break
        teller.tell(state, expected=app.missing is not None)
    teller.end()


class _Teller:
    """Turns engine states into a bar, messages and status notifications, each once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bar: Bar | None = None
        self._told = ""

    def tell(self, state: EngineState, *, expected: bool) -> None:
        """One state. `expected`: being unavailable is known and dealt with elsewhere."""
        link = self._session.link
        if isinstance(state, Starting):
            if self._bar is None:
                self._bar = link.bar("Inkling", shown=self._session.client.shows_progress)
            self._bar.report(state.step, state.percent)
        else:
            self.end()
            if isinstance(state, Ready):
                logger.info("%s is ready (%s)", state.model.name, state.model.weights)
                if self._told:
                    link.log(types.MessageType.Info, "Inkling: the model is back.")
                self._told = ""
            elif expected or state.reason == self._told:
                logger.info("engine unavailable: %s", state.reason)
            else:
                logger.warning("engine unavailable: %s", state.reason)
                link.show(types.MessageType.Warning, f"Inkling: {state.reason}")
                self._told = state.reason
        push_status(self._session)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.end()
            self._bar = None
