"""The composition root: the only module that knows which parts there are and joins them.

Start order: syntax worker, engine and index side by side (none waits for another); stop order:
completer, engine, syntax worker, index. Owner: the event loop's thread.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inkling.config import Settings
from inkling.dirs import engine_dir, index_dir
from inkling.engine.absent import AbsentEngine
from inkling.engine.api import Engine
from inkling.engine.machine import usable_cores
from inkling.index.client import IndexClient
from inkling.index.wire import Serve
from inkling.models.cache import Missing, resolve
from inkling.models.catalogue import Model
from inkling.models.errors import ModelError
from inkling.service.completer import Completer
from inkling.service.repository import Repository
from inkling.syntax.client import SyntaxClient
from inkling.text.document import Document, Edit
from inkling.text.position import Encoding

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class App:
    """Everything that serves one client."""

    engine: Engine
    syntax: SyntaxClient
    completer: Completer
    repository: Repository
    missing: Model | None = None
    """The model of the settings, where it is not on this machine yet."""
    _running: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Start the child processes; returns at once, they get ready by themselves."""
        for part in (self.syntax, self.engine, self.repository.index):
            task = asyncio.create_task(part.run())
            task.add_done_callback(_report)
            self._running.append(task)

    # -- documents ---------------------------------------------------------------------------

    def opened(self, document: Document) -> None:
        """A document was opened. No waiting."""
        self.completer.opened(document)
        self.repository.opened(document)

    def changed(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """A document is now `document`. No waiting, < 1 ms."""
        self.completer.changed(document, edits)

    def closed(self, uri: str) -> None:
        """A document is no longer open."""
        self.completer.closed(uri)
        self.repository.closed(uri)

    async def close(self) -> None:
        """Stop everything and wait for it."""
        self.repository.close()
        for part in (self.completer, self.engine, self.syntax, self.repository.index):
            await part.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def build(
    settings: Settings,
    roots: Sequence[str] = (),
    *,
    watch: bool = True,
    encoding: Encoding = "utf-16",
) -> App:
    """The app for these settings; starts nothing and never raises for a missing model.

    `roots` are the folders to index, absolute; `watch` says whether their changes on disk must
    be looked for here, `encoding` how the index is to count characters in positions.
    """
    engine, missing = _engine(settings)
    syntax = SyntaxClient()
    serve = Serve(
        tuple(roots),
        str(index_dir()),
        watch=watch,
        workers=max(1, usable_cores() - 1),
        encoding=encoding,
    )
    repository = Repository(IndexClient(serve), serve)
    return App(engine, syntax, Completer(engine, syntax, settings, repository), repository, missing)


def _engine(settings: Settings) -> tuple[Engine, Model | None]:
    if settings.backend == "scripted":
        from inkling.engine.scripted import ScriptedEngine

        # A script takes the place of the model.
        scripted = settings.model.endswith(".json")
        engine = ScriptedEngine.from_path(Path(settings.model)) if scripted else ScriptedEngine()
        return engine, None
    if settings.backend == "openai":
        from inkling.engine.openai import OpenAIEngine

        return OpenAIEngine(
            settings.server_url,
            model=settings.server_model,
            key_variable=settings.server_key_variable,
        ), None
    try:
        found = resolve(settings.model)
    except ModelError as error:
        return AbsentEngine(str(error)), None
    if isinstance(found, Missing):
        title = found.model.title
        reason = f"{title} is not on this machine yet: run `inkling pull {found.model.name}`."
        return AbsentEngine(reason), found.model
    from inkling.engine.client import LlamaEngine

    return LlamaEngine(
        found,
        name=_name(settings.model),
        cache=engine_dir(),
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        optimise_weights=settings.optimise_weights,
    ), None


def _name(model: str) -> str:
    """What people call the model: its catalogue name, or its file's name without the folder."""
    return Path(model).stem if model.lower().endswith(".gguf") else model


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("a part of the app ended", exc_info=error)
