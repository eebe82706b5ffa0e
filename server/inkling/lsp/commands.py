"""The commands of `workspace/executeCommand`, each documented in server/PROTOCOL.md.

Invariant: a command answers within milliseconds; long work goes on in the background. Wrong
arguments are a clear error, never a traceback.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from inkling.dirs import state_dir
from inkling.lsp.convert import ACCEPTED
from inkling.lsp.download import download
from inkling.lsp.link import Refused
from inkling.lsp.session import Session
from inkling.lsp.status import status

Command = Callable[[Session, Sequence[Any]], Awaitable[Any]]

SHOW_TIMEOUT_S = 5.0


async def accepted(session: Session, arguments: Sequence[Any]) -> None:
    """The user took the suggestion with this id."""
    if not arguments or not isinstance(arguments[0], str):
        raise JsonRpcInvalidParams(f"{ACCEPTED} needs the suggestion's id.")
    if session.app is not None:
        session.app.completer.accepted(arguments[0])


async def why(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """What the last suggestion was made of, or why there was none."""
    record = session.why()
    markdown = record.as_markdown()
    options = arguments[0] if arguments and isinstance(arguments[0], Mapping) else {}
    shown = options.get("show") is True and await _show(session, markdown)
    return {
        "markdown": markdown,
        "outcome": record.outcome,
        "reason": record.reason,
        "source": record.source,
        "uri": record.uri,
        "version": record.version,
        "totalMs": round(record.total_ms, 1),
        "blocks": [{"path": path, "reason": reason} for path, reason in record.blocks],
        "shown": shown,
        "state": status(session)["state"],
        "stats": _stats(record.stats),
        "journal": _journal(session) if options.get("journal") is True else [],
    }


async def tell_status(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """What is running, and how fast it is."""
    return status(session)


async def pull(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """Download a model: the one named, else the one in the settings."""
    from inkling.models.cache import Missing, resolve
    from inkling.models.errors import ModelError

    name = arguments[0] if arguments and arguments[0] is not None else session.settings.model
    if not isinstance(name, str):
        raise JsonRpcInvalidParams("inkling.pull takes the name of a model.")
    try:
        found = resolve(name)
    except ModelError as error:
        return {"started": False, "detail": str(error)}
    if not isinstance(found, Missing):
        return {"started": False, "detail": f"{name} is installed already."}
    if session.download is not None:
        return {"started": False, "detail": "A download is running already."}
    session.spawn(download(session, found.model))
    return {"started": True, "detail": f"Downloading {found.model.title}."}


async def restart(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """Start the engine and the syntax worker anew."""
    session.spawn(session.restart())
    return {"started": True}


COMMANDS: dict[str, Command] = {
    ACCEPTED: accepted,
    "inkling.why": why,
    "inkling.status": tell_status,
    "inkling.pull": pull,
    "inkling.restart": restart,
}


async def execute(session: Session, name: str, arguments: Sequence[Any]) -> Any:
    """Run a command. Raises `JsonRpcInvalidParams` for one that does not exist."""
    command = COMMANDS.get(name)
    if command is None:
        raise JsonRpcInvalidParams(f"There is no command {name!r}.")
    return await command(session, arguments)


async def _show(session: Session, markdown: str) -> bool:
    """Open `markdown` in the editor; whether that worked."""
    if not session.client.shows_documents:
        return False
    path = state_dir() / "why.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(markdown, encoding="utf-8")
        params = types.ShowDocumentParams(uri=Path(path).as_uri(), take_focus=True)
        answer = await session.link.ask(types.WINDOW_SHOW_DOCUMENT, params, SHOW_TIMEOUT_S)
    except (OSError, Refused):
        return False
    return bool(getattr(answer, "success", False))


def _journal(session: Session) -> list[dict[str, Any]]:
    """The last requests, oldest first: what `inkling bench` measures."""
    records = session.app.completer.journal() if session.app is not None else ()
    return [
        {
            "uri": record.uri,
            "version": record.version,
            "offset": record.offset,
            "outcome": record.outcome,
            "reason": record.reason,
            "source": record.source,
            "totalMs": round(record.total_ms, 3),
            "stats": _stats(record.stats),
        }
        for record in records
    ]


def _stats(stats: Any) -> dict[str, Any] | None:
    if stats is None:
        return None
    from msgspec import to_builtins

    record: dict[str, Any] = to_builtins(stats)
    return record
