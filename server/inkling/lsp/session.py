"""What the server knows about its one client: its documents, its settings, what runs for it.

Owner: the event loop's thread. Invariant: `app` is None only until the client is initialized
and after the end; without it every request is still answered, empty and with a reason.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from inkling import logs
from inkling.config import Settings, parse
from inkling.lsp.client import Client
from inkling.lsp.link import Link
from inkling.service.records import Why
from inkling.text.document import Document
from inkling.text.store import DocumentStore, UnknownDocument

if TYPE_CHECKING:
    from inkling.app import App
    from inkling.models.catalogue import Model

logger = logging.getLogger(__name__)

_ENGINE_KEYS = (
    "model",
    "backend",
    "server_url",
    "server_model",
    "server_key_variable",
    "threads",
    "context_tokens",
    "optimise_weights",
)
"""Settings that only a new engine can follow."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a document as it was when the request arrived."""

    document: Document
    offset: int


@dataclass(frozen=True, slots=True)
class Download:
    """How far a download is; percent 0..100, None while the size is unknown."""

    step: str
    percent: int | None = None


class Session:
    """See the module's docstring."""

    def __init__(self, link: Link, restart: Callable[["Session"], Awaitable[None]]) -> None:
        self.link = link
        self.client = Client()
        self.documents = DocumentStore()
        self.folders: tuple[str, ...] = ()
        """Those that the client works in."""
        self.roots: tuple[str, ...] = ()
        """The folders that are indexed."""
        self.settings = Settings()
        self.app: App | None = None
        self.inline_used = False
        """The client asked for inline completions, declared or not."""
        self.fallback_offered = False
        """The client was told that it can ask for the ordinary completion list."""
        self.navigation_offered = False
        """The client was told of navigation in `initialize`, which can't be taken back."""
        self.navigation_registered: frozenset[str] = frozenset()
        """Methods of navigation that it was told of later."""
        self.configuration_registered = False
        self.watching_registered = False
        """The client tells of changes on disk."""
        self.closing: asyncio.Future[None] | None = None
        """The end of the app before this one, perhaps still under way."""
        self.asking = False
        """The user is being asked whether to download a model."""
        self.answered: set[str] = set()
        """Names of the models the user was asked about: they are not offered again."""
        self.download: Download | None = None
        """The download under way."""
        self.note: Why | None = None
        """Why the last request got nothing, where the completer was not asked."""
        self._layers: tuple[object, ...] = ()
        self._problems: tuple[str, ...] = ()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._restart = restart
        self._restarting = asyncio.Lock()

    # -- documents ---------------------------------------------------------------------------

    def cursor(self, uri: str, position: types.Position) -> Cursor | str:
        """The place a request means, or the reason why there is none. No waiting."""
        try:
            document = self.documents.snapshot(uri)
            offset = self.documents.offset_at(uri, position.line, position.character)
            if self.documents.position_at(uri, offset) == (position.line, position.character):
                return Cursor(document, offset)
        except UnknownDocument:
            return "The editor has not opened this document with Inkling."
        return "The document has no such position, as far as Inkling knows it."

    def is_current(self, document: Document) -> bool:
        """Whether `document` is still what the client shows."""
        try:
            return self.documents.snapshot(document.uri) is document
        except UnknownDocument:
            return False

    def refuse(self, uri: str, reason: str) -> None:
        """Note why a request gets nothing."""
        self.note = Why(uri=uri, reason=reason)

    def why(self) -> Why:
        """What became of the last request."""
        if self.note is not None:
            return self.note
        if self.app is None:
            return Why(reason=self.not_started())
        return self.app.completer.why()

    def not_started(self) -> str:
        """Why there is nothing while `app` is None."""
        if not self.settings.enabled:
            return "Inkling is switched off (setting inkling.enabled)."
        return "Inkling is still starting."

    # -- settings ----------------------------------------------------------------------------

    def configure(self, *layers: object) -> bool:
        """Read the settings anew; later layers win, after the initialization options.

        Returns whether the engine has to be started again for them.
        """
        settings, problems = parse(*self._layers, *layers)
        if problems and problems != self._problems:
            self.link.show(types.MessageType.Warning, "Inkling: " + "\n".join(problems))
        self._problems = problems
        old, self.settings = self.settings, settings
        logs.set_level(settings.log_level)
        if self.app is not None:
            self.app.completer.settings_changed(settings)
        return any(getattr(old, key) != getattr(settings, key) for key in _ENGINE_KEYS)

    def begin(
        self,
        client: Client,
        options: object,
        folders: tuple[str, ...] = (),
        roots: tuple[str, ...] = (),
    ) -> None:
        """The client has introduced itself, and works in `folders`, of which `roots` may be
        indexed."""
        self.client = client
        self.folders, self.roots = folders, roots
        self.documents.encoding = client.encoding
        self._layers = (options,)
        # What is wrong with them is told after `initialized`, when messages are welcome.
        self.settings, _ = parse(options)

    # -- folders -----------------------------------------------------------------------------

    def index_folders(self, roots: tuple[str, ...]) -> None:
        """Index these folders from now on."""
        self.roots = roots
        if self.app is None:
            return
        repository = self.app.repository
        wanted = roots if self.settings.wants_index else ()
        if wanted != repository.roots:
            repository.index_folders(wanted)
            for uri in self.documents.uris():
                repository.opened(self.documents.snapshot(uri))

    # -- what runs ---------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something in the background; a failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("background work failed", exc_info=error)

    async def restart(self) -> None:
        """Stop what runs for this client and start it anew with the present settings."""
        async with self._restarting:
            await self._restart(self)

    async def missing(self) -> "Model | None":
        """The model of the present settings, if it has to be downloaded first.

        Waits for a restart under way.
        """
        async with self._restarting:
            return self.app.missing if self.app is not None else None

    async def close(self) -> None:
        """Stop everything, the child processes included."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        app, self.app = self.app, None
        if self.closing is not None:
            await asyncio.wait((self.closing,))
        if app is not None:
            await app.close()
