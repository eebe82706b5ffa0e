"""What is happening, in one record: for `inkling.status` and the `inkling/status` notification.

Invariant: building it costs no waiting and touches neither disk nor network.
"""

from typing import TYPE_CHECKING, Any

from inkling import __version__
from inkling.engine.api import EngineState, Ready, Starting
from inkling.lsp.session import Session

if TYPE_CHECKING:
    from inkling.app import App

STATUS = "inkling/status"
"""Notification to clients that declare `experimental.inkling.status`."""


def push_status(session: Session) -> None:
    """Send the record to a client that wants it."""
    if session.client.wants_status:
        session.link.notify(STATUS, status(session))


def status(session: Session) -> dict[str, Any]:
    """The record; its shape is documented in server/PROTOCOL.md."""
    settings = session.settings
    record: dict[str, Any] = {
        "version": __version__,
        "backend": settings.backend,
        "model": settings.model,
        "state": "starting",
        "detail": "Inkling is starting.",
        "percent": None,
        "weights": None,
        "fim": None,
        "threads": None,
        "promptTokensPerSecond": None,
        "decodeTokensPerSecond": None,
        "missing": None,
        "working": session.app is not None and session.app.completer.working,
        "openDocuments": len(session.documents.uris()),
        "client": session.client.name,
        "positionEncoding": session.client.encoding,
    }
    if session.app is not None:
        record |= _engine(session.app.engine.state) | _missing(session.app)
    if session.download is not None:
        step, percent = session.download.step, session.download.percent
        record |= {"state": "downloading", "detail": step, "percent": percent}
    if not settings.enabled:
        record |= {"state": "off", "detail": "Switched off by the setting inkling.enabled."}
    return record


def _engine(state: EngineState) -> dict[str, Any]:
    if isinstance(state, Starting):
        return {"state": "starting", "detail": state.step, "percent": state.percent}
    if not isinstance(state, Ready):
        return {"state": "unavailable", "detail": state.reason}
    model, speed = state.model, state.model.calibration
    return {
        "state": "ready",
        "detail": f"{model.name} is ready.",
        "model": model.name,
        "weights": model.weights,
        "fim": model.fim is not None,
        "threads": speed.threads if speed else None,
        "promptTokensPerSecond": speed.prompt_tokens_per_second if speed else None,
        "decodeTokensPerSecond": speed.decode_tokens_per_second if speed else None,
    }


def _missing(app: "App") -> dict[str, Any]:
    if app.missing is None:
        return {}
    return {"missing": {"name": app.missing.name, "bytes": app.missing.size}}
