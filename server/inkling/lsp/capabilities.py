"""What the server says it can do, written out in full.

Invariant: inline completion is offered to every client, with options (pygls offers it only
then), and never gated on the client's own declaration: some clients use it undeclared.
"""

from lsprotocol import types

from inkling.text.position import Encoding

TRIGGER_CHARACTERS = (".", "(", "[", ",", "=", " ", ":")


def server_capabilities(
    encoding: Encoding, commands: tuple[str, ...], *, fallback: bool, navigation: bool
) -> types.ServerCapabilities:
    """The answer to `initialize`."""
    return types.ServerCapabilities(
        position_encoding=types.PositionEncodingKind(encoding),
        text_document_sync=types.TextDocumentSyncOptions(
            open_close=True,
            change=types.TextDocumentSyncKind.Incremental,
            save=types.SaveOptions(include_text=False),
        ),
        inline_completion_provider=types.InlineCompletionOptions(),
        completion_provider=completion_options() if fallback else None,
        document_symbol_provider=navigation or None,
        workspace_symbol_provider=navigation or None,
        definition_provider=navigation or None,
        references_provider=navigation or None,
        execute_command_provider=types.ExecuteCommandOptions(commands=list(commands)),
        workspace=types.WorkspaceOptions(
            workspace_folders=types.WorkspaceFoldersServerCapabilities(
                supported=True, change_notifications=True
            )
        ),
    )


def completion_options() -> types.CompletionOptions:
    """How the ordinary list is offered."""
    return types.CompletionOptions(trigger_characters=list(TRIGGER_CHARACTERS))
