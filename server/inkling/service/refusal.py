"""Why nothing is suggested: whatever the model would say, or because of what it said. Pure."""

from functools import lru_cache

from inkling.config import Settings
from inkling.engine.api import EngineState, Ready, Starting
from inkling.service.generation import Generation
from inkling.service.records import Why
from inkling.service.wording import is_secret
from inkling.text.document import Document
from inkling.text.secrets import redact

LONG_LINE_BYTES = 2_000
QUOTES = ('"', "'", "`")
KEY_BYTES = 8_192
"""How far away a key in armour may begin and end."""


def place_refusal(document: Document, offset: int, settings: Settings) -> str:
    """Why nothing is suggested at this place; else empty."""
    if not settings.enabled:
        return "Inkling is switched off (setting inkling.enabled)."
    if document.language_id in settings.disabled_languages:
        return f"Inkling is switched off for {document.language_id}."
    if is_secret(document.uri):
        return "Files of this name hold secrets: no model is shown them."
    if document.line_end(offset) - document.line_start(offset) > LONG_LINE_BYTES:
        return "The line is too long."
    if b"\0" in document.data[max(0, offset - 4096) : offset + 1024]:
        return "This is not a text file."
    if _in_secret(document, offset):
        return "The cursor stands in what looks like a secret: no model is shown that."
    return ""


def engine_refusal(state: EngineState) -> str:
    """Why the engine can say nothing now; else empty."""
    if isinstance(state, Ready):
        return ""
    if isinstance(state, Starting):
        return f"The model is not ready yet: {state.step}."
    return state.reason


def silence(why: Why, generation: Generation | None) -> str:
    """One sentence about why nothing could be shown."""
    done = generation.done if generation is not None else None
    if done is not None and done.reason == "failed":
        return done.error or "The engine failed."
    if why.filters:
        return "What the model said did not fit here: " + "; ".join(why.filters) + "."
    if generation is not None and done is None:
        return "The model was not done in time; what it says is kept for the next key."
    return "The model had nothing to add here."


def _in_secret(document: Document, offset: int) -> bool:
    """Whether the cursor stands in a secret: a prompt is redacted in parts, and neither side of
    the cursor would know its half for one. One that is being typed has no end yet."""
    data = document.data
    begun = data.rfind(b"-----BEGIN ", max(0, offset - KEY_BYTES), offset)
    if begun >= 0 and data.find(b"-----END ", begun, offset) < 0:
        return data.find(b"-----END ", offset, offset + KEY_BYTES) >= 0
    before = document.text(document.line_start(offset), offset)
    return _cuts_secret(before, document.text(offset, document.line_end(offset)))


@lru_cache(maxsize=8)  # one key asks more than once of the same place
def _cuts_secret(before: str, after: str) -> bool:
    """Whether a secret stands on both sides of the cursor in a line, or is being typed."""
    shown = redact(before)
    redacted = redact(before + after)
    if redacted != before + after and redacted != shown + redact(after):
        return True
    return any(redact(before + quote) != shown + quote for quote in QUOTES)
