"""JSON-RPC dispatch: pygls' protocol with the rules that keep a client from being left waiting.

Invariants: every request that can be read gets exactly one answer, be it malformed, unknown,
early, late or failed; no answer carries a traceback and no log line a message body; documents
live in our own store, not in pygls' workspace.
"""

import asyncio
import json
import logging
import typing
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcMethodNotFound
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from inkling.lsp.client import prune
from inkling.lsp.frames import Rubbish

logger = logging.getLogger(__name__)

_ERRORS = types.ErrorCodes
_INTERNAL = "Internal error; see Inkling's log."


class Handlers(typing.Protocol):
    """What answers the messages. The first statement of an async one takes the snapshot."""

    def initialize(self, params: types.InitializeParams) -> types.ServerCapabilities: ...
    def initialized(self) -> None: ...
    def opened(self, item: types.TextDocumentItem) -> None: ...
    def changed(self, params: types.DidChangeTextDocumentParams) -> None: ...
    def saved(self, params: types.DidSaveTextDocumentParams) -> None: ...
    def closed(self, uri: str) -> None: ...
    def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None: ...
    def files_changed(self, events: Sequence[types.FileEvent]) -> None: ...
    def configuration_changed(self, pushed: object) -> None: ...
    def progress_cancelled(self, token: int | str) -> None: ...
    async def inline_completion(self, params: types.InlineCompletionParams) -> object: ...
    async def completion(self, params: types.CompletionParams) -> object: ...
    async def document_symbols(self, params: types.DocumentSymbolParams) -> object: ...
    async def workspace_symbols(self, params: types.WorkspaceSymbolParams) -> object: ...
    async def definition(self, params: types.DefinitionParams) -> object: ...
    async def references(self, params: types.ReferenceParams) -> object: ...
    async def execute(self, params: types.ExecuteCommandParams) -> object: ...


class Protocol(LanguageServerProtocol):
    """Dispatch for one client. Owner: the event loop's thread."""

    _handlers: "Handlers"
    initialize_seen = False
    exit_code: int | None = None
    """Set by the `exit` notification: 0 after `shutdown`, else 1."""

    def serve(self, handlers: "Handlers") -> None:
        """Where messages go from here on."""
        self._handlers = handlers

    # -- what comes in -----------------------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """Handle one frame. Never raises."""
        if isinstance(body, Rubbish):
            logger.warning("skipped %d bytes that are no LSP message", len(body))
            self._refuse(None, _ERRORS.ParseError, "That was no LSP message.")
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            logger.warning("a message of %d bytes is not JSON", len(body))
            self._refuse(None, _ERRORS.ParseError, "The message is not JSON.")
            return
        try:
            self._receive_message(message)
        except Exception:  # the boundary of one message: a bug in it must not end the others
            logger.exception("a message failed")
            if isinstance(message, dict) and "method" in message and "id" in message:
                self._refuse(_id_of(message), _ERRORS.InternalError, _INTERNAL)

    def _receive_message(self, message: object) -> None:
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._refuse(_id_of(message), _ERRORS.InvalidRequest, "This is not JSON-RPC 2.0.")
        elif isinstance(message.get("method"), str):
            self._receive_call(message)
        elif _id_of(message) is not None:
            self._receive_answer(message)
        else:
            self._refuse(None, _ERRORS.InvalidRequest, "Neither a request nor an answer.")

    def _receive_call(self, message: dict[str, Any]) -> None:
        method: str = message["method"]
        request_id = _id_of(message)
        if (refusal := self._out_of_order(method)) is not None:
            if request_id is not None:
                self._refuse(request_id, *refusal)
            return
        if method == types.INITIALIZE:
            message["params"] = prune(message.get("params"))
        try:
            call = self.structure_message(message)
        except JsonRpcException:
            logger.warning("the parameters of %s are malformed", method)
            if request_id is not None:
                text = f"The parameters of {method} are malformed."
                self._refuse(request_id, _ERRORS.InvalidParams, text)
            return
        self.initialize_seen |= method == types.INITIALIZE
        if request_id is None:
            self._handle_notification(method, getattr(call, "params", None))
        else:
            self._handle_request(request_id, method, getattr(call, "params", None))

    def _out_of_order(self, method: str) -> tuple[types.ErrorCodes, str] | None:
        if method == types.EXIT:
            return None
        if self._shutdown:
            return _ERRORS.InvalidRequest, "The server is shutting down."
        if not self.initialize_seen and method != types.INITIALIZE:
            return _ERRORS.ServerNotInitialized, "The first request must be initialize."
        if self.initialize_seen and method == types.INITIALIZE:
            return _ERRORS.InvalidRequest, "The server is initialized already."
        return None

    def _receive_answer(self, message: dict[str, Any]) -> None:
        future = self._request_futures.pop(message["id"], None)
        if future is None or future.done():
            return
        error = message.get("error")
        try:
            answer = None if error else self.structure_message(message)
        except JsonRpcException:
            error = {"message": "The client's answer is malformed."}
        if error is not None:
            self._result_types.pop(message["id"], None)
            text = error.get("message") if isinstance(error, Mapping) else None
            future.set_exception(JsonRpcException(str(text or "The client refused.")))
        else:
            future.set_result(getattr(answer, "result", None))

    def _handle_notification(self, method_name: str, params: Any) -> None:
        if method_name == types.CANCEL_REQUEST:
            known = isinstance(params.id, int | str)
            future = self._request_futures.get(params.id) if known else None
            if isinstance(future, asyncio.Future):
                future.cancel()
            return
        try:
            handler = self._get_handler(method_name)
        except JsonRpcMethodNotFound:
            logger.debug("ignored the unknown notification %s", method_name)
            return
        self._execute_handler(
            f"notification {method_name}", handler, self._check_handler_result, args=(params,)
        )

    def _handle_request(self, msg_id: Any, method_name: str, params: Any) -> None:
        try:
            handler = self._get_handler(method_name)
        except JsonRpcMethodNotFound:
            self._refuse(msg_id, _ERRORS.MethodNotFound, f"Unknown request: {method_name}.")
            return
        callback = partial(self._send_handler_result, msg_id=msg_id)
        self._execute_handler(msg_id, handler, callback, args=(params,))

    # -- what goes out -----------------------------------------------------------------------

    def _send_handler_result(self, future: "Future[Any]", *, msg_id: Any) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self._refuse(msg_id, types.LSPErrorCodes.RequestCancelled, "Cancelled.")
        elif (error := future.exception()) is None:
            self._send_response(msg_id, result=future.result())
        elif isinstance(error, JsonRpcException):
            self._refuse(msg_id, error.code or _ERRORS.InternalError, str(error.message))
        else:
            # The request boundary: a bug becomes one log entry and one error answer.
            logger.error("a request failed", exc_info=error)
            self._refuse(msg_id, _ERRORS.InternalError, _INTERNAL)

    def _check_handler_result(self, future: "Future[Any]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            logger.error("a notification failed", exc_info=error)

    def _refuse(self, msg_id: Any, code: int, text: str) -> None:
        error = {"code": int(code), "message": text}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": error})

    # -- the methods of LSP --------------------------------------------------------------------

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, Any]:
        """Let pygls note the client, but answer with our own capabilities."""
        result = yield from super().lsp_initialize(params)
        result.capabilities = self._handlers.initialize(params)
        return result

    @lsp_method(types.INITIALIZED)
    def lsp_initialized(self, *_: Any) -> None:
        self._handlers.initialized()

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *_: Any) -> None:  # type: ignore[override] # no user handler to yield
        """Answer what is under way (cancelled), then accept nothing but `exit`."""
        self._shutdown = True
        for future in tuple(self._request_futures.values()):
            if isinstance(future, asyncio.Future):
                future.cancel()

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override] # no user handler to yield
        """Note how to end; the main loop sees it before the next message."""
        self.exit_code = 0 if self._shutdown else 1

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        self._handlers.opened(params.text_document)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        self._handlers.changed(params)

    @lsp_method(types.TEXT_DOCUMENT_DID_SAVE)
    def lsp_text_document__did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        self._handlers.saved(params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self._handlers.closed(params.text_document.uri)

    @lsp_method(types.TEXT_DOCUMENT_INLINE_COMPLETION)
    async def inline_completion(self, params: types.InlineCompletionParams) -> Any:
        return await self._handlers.inline_completion(params)

    @lsp_method(types.TEXT_DOCUMENT_COMPLETION)
    async def completion(self, params: types.CompletionParams) -> Any:
        return await self._handlers.completion(params)

    @lsp_method(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def document_symbol(self, params: types.DocumentSymbolParams) -> Any:
        return await self._handlers.document_symbols(params)

    @lsp_method(types.WORKSPACE_SYMBOL)
    async def workspace_symbol(self, params: types.WorkspaceSymbolParams) -> Any:
        return await self._handlers.workspace_symbols(params)

    @lsp_method(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(self, params: types.DefinitionParams) -> Any:
        return await self._handlers.definition(params)

    @lsp_method(types.TEXT_DOCUMENT_REFERENCES)
    async def references(self, params: types.ReferenceParams) -> Any:
        return await self._handlers.references(params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override] # a task can be cancelled
        self, params: types.ExecuteCommandParams
    ) -> Any:
        return await self._handlers.execute(params)

    @lsp_method(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(self, params: types.DidChangeConfigurationParams) -> None:
        self._handlers.configuration_changed(params.settings)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(
        self, params: types.DidChangeWorkspaceFoldersParams
    ) -> None:
        self._handlers.folders_changed(params.event)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(self, params: types.DidChangeWatchedFilesParams) -> None:
        self._handlers.files_changed(params.changes)

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> None:
        self._handlers.progress_cancelled(params.token)


def _id_of(message: object) -> int | str | None:
    """The message's id if it is one that can be answered."""
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None
