"""From predicted text to what may be shown: trimmed, then judged by the syntax worker.

Stateless. Invariant: text that the
worker found to add a parse error does not get through.
"""

import time
from dataclasses import dataclass

from inkling.config import Settings
from inkling.edits.trim import LOOKAHEAD_LINES, Surroundings, trim
from inkling.service.forecast import unix_lines
from inkling.syntax.client import SyntaxClient
from inkling.syntax.judgement import UNCHECKED, Judgement
from inkling.syntax.languages import language_of
from inkling.syntax.scope import LineContext, line_context
from inkling.text.document import Document
from inkling.text.secrets import REDACTED


@dataclass(frozen=True, slots=True)
class Shaped:
    """What is left of a forecast's text."""

    text: str
    judgement: Judgement
    filters: tuple[str, ...]
    """Why it is shorter than what the model said, in words."""
    judge_ms: float = 0.0


def wants_lines(
    document: Document, offset: int, settings: Settings, accepted: tuple[str, int] | None
) -> bool:
    """Whether several lines may be suggested at the cursor.

    `accepted` is the document and byte where the last accepted suggestion ended: behind it
    the next line is welcome, too. Without a grammar nothing could be checked, so one line
    has to do.
    """
    context = line_context(document, offset)
    if settings.multiline == "never" or (context.tail.strip() and not context.tail_is_closers):
        return False
    if settings.multiline == "always":
        return True
    if language_of(document.language_id, document.uri) is None:
        return False
    if context.multiline or _opens_docstring(context.typed):
        return True
    if accepted is None or context.tail.strip():
        return False
    return accepted[0] == document.uri and document.line_start(offset) <= accepted[1] <= offset


def _opens_docstring(typed: str) -> bool:
    return any(typed.endswith(mark) and typed.count(mark) == 1 for mark in ('"""', "'''"))


async def shape(
    syntax: SyntaxClient,
    document: Document,
    offset: int,
    rest: bytes,
    *,
    multiline: bool,
    finished: bool,
    max_lines: int,
    deadline_ms: float,
) -> Shaped:
    """Decide how much of `rest`, predicted for byte `offset`, may be shown.

    `finished` means that no more text is coming (or is waited for); before that only whole
    lines count. `deadline_ms` is how long the syntax worker may take.
    """
    context = line_context(document, offset)
    text = rest.decode("utf-8", "replace")
    blank = text.find(REDACTED)
    if blank >= 0 and REDACTED.encode() not in document.data:
        # The model repeats what it was shown in place of a secret.
        text, finished = text[: text.rfind("\n", 0, blank) + 1], True
        if not text.strip():
            return Shaped("", UNCHECKED, ("stands for a secret that the model was not shown",))
    if not multiline:
        text, _, further = text.partition("\n")
        if not text.strip() and further.strip():
            return Shaped("", UNCHECKED, ("belongs on the next line",))
        finished = True
    elif not finished:
        text = text[: text.rfind("\n") + 1]
    trimmed = trim(
        text, surroundings(document, offset, context), max_lines=max_lines if multiline else 1
    )
    if not trimmed.text:
        return Shaped("", UNCHECKED, trimmed.cut_by)
    if language_of(document.language_id, document.uri) is None:
        whole = trimmed.text if context.tail.strip() else trimmed.text.rstrip()
        return Shaped(whole, UNCHECKED, trimmed.cut_by)  # no grammar: nothing to check with
    asked = time.perf_counter()
    judgement = await syntax.judge(
        document,
        offset,
        trimmed.text,
        multiline=multiline,
        finished=finished,
        deadline_ms=deadline_ms,
    )
    judge_ms = (time.perf_counter() - asked) * 1000
    kept = trimmed.text.encode()[: judgement.keep].decode("utf-8", "ignore")
    filters = trimmed.cut_by
    if not kept.strip():
        return Shaped("", judgement, (*filters, _refusal(judgement)), judge_ms)
    if len(kept.rstrip()) < len(trimmed.text.rstrip()):
        filters = (*filters, "leaves the block or would not parse")
    shown = (kept if context.tail.strip() else kept.rstrip()) + judgement.closers
    return Shaped(shown, judgement, filters, judge_ms)


def _lines(document: Document, start: int, end: int) -> list[str]:
    return unix_lines(document.data[start:end]).decode("utf-8", "replace").split("\n")


def surroundings(document: Document, offset: int, context: LineContext) -> Surroundings:
    """The lines around the cursor, decoded."""
    end = document.line_end(offset)
    below = _lines(document, end, end + 2_000)
    start = document.line_start(offset)
    above = _lines(document, max(0, start - 1_000), start)
    return Surroundings(
        typed=context.indent + context.typed,
        tail=context.tail,
        following=tuple(line for line in below if line.strip())[:LOOKAHEAD_LINES],
        preceding=tuple(line.strip() for line in above if line.strip())[-LOOKAHEAD_LINES:],
    )


def _refusal(judgement: Judgement) -> str:
    if judgement.checked:
        return "would not parse"
    return f"not checked: the file {judgement.reason}" if judgement.reason else "not checked"
