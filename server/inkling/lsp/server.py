"""The server: one client, from its first byte to the end of every child process.

Invariant: `serve` returns only after the engine and the syntax worker have ended, whichever
way the client went: `exit`, a closed pipe, or killed.
"""

import asyncio
import contextlib
import io
import logging
from collections.abc import Sequence

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from inkling import __version__
from inkling.lsp import completions, configuration, folders, life, navigation
from inkling.lsp.capabilities import server_capabilities
from inkling.lsp.client import read_client
from inkling.lsp.commands import COMMANDS, execute
from inkling.lsp.convert import to_change
from inkling.lsp.link import Link
from inkling.lsp.protocol import Protocol
from inkling.lsp.session import Session
from inkling.lsp.stdio import Writer, frames
from inkling.text.store import UnknownDocument

logger = logging.getLogger(__name__)


def serve(stdin: io.RawIOBase, stdout: io.RawIOBase) -> int:
    """Serve one client until it leaves; returns LSP's exit code (0 after `shutdown`, else 1)."""
    return asyncio.run(_serve(stdin, stdout))


async def _serve(stdin: io.RawIOBase, stdout: io.RawIOBase) -> int:
    protocol = _Server().protocol
    writer = Writer(stdout)
    protocol.set_writer(writer)
    session = Session(Link(protocol), life.restart)
    protocol.serve(Handlers(session))
    logger.info("serving, version %s", __version__)
    try:
        async with contextlib.aclosing(frames(stdin, writer.broken)) as bodies:
            async for body in bodies:
                protocol.receive(body)
                if protocol.exit_code is not None:
                    break
    finally:
        await session.close()
    code = 1 if protocol.exit_code is None else protocol.exit_code
    logger.info("ended with exit code %d", code)
    return code


class _Server(LanguageServer):
    """pygls' side of the server: the converter and the name. Never started by pygls."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "inkling", __version__, protocol_cls=Protocol, converter_factory=get_converter
        )

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log only: reporting an error through what failed makes it worse."""
        logger.error("server error", exc_info=error)


class Handlers:
    """Every message the server knows, handed to the room that answers it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._begun = False

    def initialize(self, params: types.InitializeParams) -> types.ServerCapabilities:
        session = self._session
        named = folders.folders_of(params)
        session.begin(read_client(params), params.initialization_options, named, folders.fit(named))
        session.fallback_offered = completions.falls_back(session)
        session.navigation_offered = session.settings.navigation
        logger.info("client: %s", session.client)
        return server_capabilities(
            session.client.encoding,
            tuple(COMMANDS),
            fallback=session.fallback_offered,
            navigation=session.navigation_offered,
        )

    def initialized(self) -> None:
        if not self._begun:
            self._begun = True
            self._session.spawn(life.begin(self._session))

    def opened(self, item: types.TextDocumentItem) -> None:
        self.initialized()  # a client that opens documents is, whether it said so or not
        language_id = str(getattr(item.language_id, "value", item.language_id))
        session = self._session
        document = session.documents.open(item.uri, language_id, item.version, item.text)
        folders.adopt(session, item.uri)
        if session.app is not None:
            session.app.opened(document)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        documents, uri = self._session.documents, params.text_document.uri
        changes = [to_change(event) for event in params.content_changes]
        try:
            edits = documents.change(uri, params.text_document.version, changes)
        except UnknownDocument:
            logger.warning("a change to a document that is not open was ignored")
            return
        if self._session.app is not None:
            self._session.app.changed(documents.snapshot(uri), edits)

    def saved(self, params: types.DidSaveTextDocumentParams) -> None:
        documents, uri = self._session.documents, params.text_document.uri
        try:
            edits = documents.save(uri, params.text)
        except UnknownDocument:
            return
        if edits and self._session.app is not None:
            self._session.app.changed(documents.snapshot(uri), edits)

    def closed(self, uri: str) -> None:
        self._session.documents.close(uri)
        if self._session.app is not None:
            self._session.app.closed(uri)

    def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        folders.changed(self._session, event)

    def files_changed(self, events: Sequence[types.FileEvent]) -> None:
        folders.files_changed(self._session, events)

    def configuration_changed(self, pushed: object) -> None:
        self._session.spawn(configuration.changed(self._session, pushed))

    def progress_cancelled(self, token: int | str) -> None:
        bar = self._session.link.bars.get(token)
        if bar is not None:
            bar.cancelled.set()

    async def inline_completion(self, params: types.InlineCompletionParams) -> object:
        return await completions.inline(self._session, params)

    async def completion(self, params: types.CompletionParams) -> object:
        return await completions.listed(self._session, params)

    async def document_symbols(self, params: types.DocumentSymbolParams) -> object:
        return await navigation.document_symbols(self._session, params)

    async def workspace_symbols(self, params: types.WorkspaceSymbolParams) -> object:
        return await navigation.workspace_symbols(self._session, params)

    async def definition(self, params: types.DefinitionParams) -> object:
        return await navigation.definition(self._session, params)

    async def references(self, params: types.ReferenceParams) -> object:
        return await navigation.references(self._session, params)

    async def execute(self, params: types.ExecuteCommandParams) -> object:
        return await execute(self._session, params.command, params.arguments or ())
