"""What the connected client can do, as one flat record read from its capabilities.

Invariant: reading never fails; what a client does not declare, it can't do. Inline completion
is the exception: it is offered to everyone, since some clients use it without declaring it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from lsprotocol import types
from pygls.capabilities import get_capability

from inkling.text.position import Encoding

_ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}


@dataclass(frozen=True, slots=True)
class Client:
    """Flat facts about a client; any thread."""

    name: str = ""
    encoding: Encoding = "utf-16"
    inline_completion: bool = False
    registers_completion: bool = False
    registers_navigation: frozenset[str] = frozenset()
    """Methods of navigation that the client can be told of later."""
    nests_symbols: bool = False
    """Symbols of a document may hold others."""
    pulls_configuration: bool = False
    registers_configuration: bool = False
    watches_files: bool = False
    """The client can be asked to tell of changes on disk."""
    shows_progress: bool = False
    shows_documents: bool = False
    wants_status: bool = False
    gives_up_after_ms: int | None = None
    """Inline answers slower than this are thrown away by the editor."""


def read_client(params: types.InitializeParams) -> Client:
    """The facts in an `initialize` request."""
    capabilities = params.capabilities

    def can(path: str) -> bool:
        return bool(get_capability(capabilities, path, False))

    own = _own(capabilities.experimental)
    info = params.client_info
    return Client(
        name=f"{info.name} {info.version or ''}".strip() if info else "an unnamed client",
        encoding=choose_encoding(get_capability(capabilities, "general.position_encodings", ())),
        inline_completion=get_capability(capabilities, "text_document.inline_completion", None)
        is not None,
        registers_completion=can("text_document.completion.dynamic_registration"),
        registers_navigation=frozenset(
            method for method, path in _NAVIGATION.items() if can(f"{path}.dynamic_registration")
        ),
        nests_symbols=can("text_document.document_symbol.hierarchical_document_symbol_support"),
        pulls_configuration=can("workspace.configuration"),
        registers_configuration=can("workspace.did_change_configuration.dynamic_registration"),
        watches_files=can("workspace.did_change_watched_files.dynamic_registration"),
        shows_progress=can("window.work_done_progress"),
        shows_documents=can("window.show_document.support"),
        wants_status=own.get("status") is True,
        gives_up_after_ms=_gives_up_after(info.name if info else ""),
    )


_NAVIGATION = {
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: "text_document.document_symbol",
    types.WORKSPACE_SYMBOL: "workspace.symbol",
    types.TEXT_DOCUMENT_DEFINITION: "text_document.definition",
    types.TEXT_DOCUMENT_REFERENCES: "text_document.references",
}
_READ = (
    "general.positionEncodings",
    "textDocument.inlineCompletion",
    "textDocument.completion.dynamicRegistration",
    "textDocument.documentSymbol.dynamicRegistration",
    "textDocument.documentSymbol.hierarchicalDocumentSymbolSupport",
    "textDocument.definition.dynamicRegistration",
    "textDocument.references.dynamicRegistration",
    "workspace.symbol.dynamicRegistration",
    "workspace.configuration",
    "workspace.didChangeConfiguration",
    "workspace.didChangeWatchedFiles.dynamicRegistration",
    "window.workDoneProgress",
    "window.showDocument",
    "experimental",
)


def prune(params: object) -> object:
    """Decoded `initialize` parameters with only those capabilities that are read here.

    What is not looked at can't be wrong: a client newer than our list of LSP's enumerations is
    as welcome as any. It also halves the time that the first message takes.
    """
    if not isinstance(params, dict) or not isinstance(params.get("capabilities"), dict):
        return params
    pruned: dict[str, object] = {}
    for path in _READ:
        source, target = params["capabilities"], pruned
        *parents, last = path.split(".")
        for key in parents:
            source = source.get(key) if isinstance(source, dict) else None
            if isinstance(source, dict):
                target = cast("dict[str, object]", target.setdefault(key, {}))
        if isinstance(source, dict) and last in source:
            target[last] = source[last]
    return {**params, "capabilities": pruned}


def choose_encoding(offered: object) -> Encoding:
    """UTF-8 where the client offers it (our own form), else its first choice, else UTF-16."""
    names = [str(getattr(item, "value", item)) for item in offered or ()]  # type: ignore[attr-defined]
    known = [_ENCODINGS[name] for name in names if name in _ENCODINGS]
    return "utf-8" if "utf-8" in known else known[0] if known else "utf-16"


def _gives_up_after(name: str) -> int | None:
    """VS Code and its kin stop an inline request after 750 ms, ask for the ordinary list
    instead and never ask again (its workbench.js; measured with 1.139)."""
    return 750 if re.search(r"\bcode\b|codium|cursor|windsurf", name.lower()) else None


def _own(experimental: object) -> Mapping[str, object]:
    """The client's `experimental.inkling` object, empty if there is none."""
    if isinstance(experimental, Mapping):
        own = experimental.get("inkling")
        if isinstance(own, Mapping):
            return own
    return {}
