"""One request's wait: until its forecasts have something to show, or nobody wants it any more.

Event loop's thread. Invariant: `wait_for_texts` returns at the first of: something to show,
the time budget, no more to come, a newer request.
"""

import asyncio
import time
from dataclasses import dataclass

from inkling.config import Settings
from inkling.service.forecast import Forecast, compare
from inkling.service.records import CompletionRequest, Why
from inkling.service.shaping import Shaped, shape
from inkling.service.signal import Signal
from inkling.syntax.client import SyntaxClient

BUDGET_MS = 10_000
"""Where the editor waits. Answering empty sooner would leave a user who has stopped typing
with nothing until the next key; a newer request ends the wait at once anyway."""
MARGIN_MS = 50
"""Kept free for the way to an editor that gives up at a fixed time."""
FURTHER_LINES_MS = 300
"""How long further lines are waited for once the first could be shown."""
FURTHER_INVOKED_MS = 1_500
"""The same, and further candidates, for somebody who asked by hand."""
SHORTEST_CHECK_MS = 60.0
LONGEST_CHECK_MS = 500.0
"""For the syntax worker: where the editor waits, a cold worker is worth waiting for, too."""


@dataclass(slots=True, eq=False)
class Turn:
    """One call of `Completer.complete`; only the newest is waited for."""

    request: CompletionRequest
    """As answered: with the selected entry of the editor's list already inserted."""
    started: float
    why: Why
    multiline: bool
    may_grow: bool = False
    """One line is wanted, but several may be shown if that line opens a block in braces."""
    refused: bool = False
    """Nothing is suggested at this place, whatever the model says."""
    superseded: str = ""
    """Why nobody waits any more, once that is so."""

    def goes_on(self, forecast: Forecast) -> None:
        """The answer comes from a known forecast: what is typed does not make it smaller."""
        self.multiline |= self.may_grow and forecast.spread


def budget_ms(request: CompletionRequest, settings: Settings) -> float:
    """How long the answer to `request` may take."""
    if settings.answer_budget_ms is not None:
        return settings.answer_budget_ms
    return BUDGET_MS if request.patience_ms is None else request.patience_ms - MARGIN_MS


async def wait_for_texts(
    turn: Turn,
    forecasts: tuple[Forecast, ...],
    signal: Signal,
    syntax: SyntaxClient,
    settings: Settings,
) -> list[tuple[Forecast, Shaped]] | None:
    """The forecasts with their texts in a form to show, best first; None if nobody waits any
    more."""
    allowed_ms = budget_ms(turn.request, settings)
    end = turn.started + allowed_ms / 1000
    deadline = end - min(SHORTEST_CHECK_MS, allowed_ms / 2) / 1000
    further_ms = FURTHER_INVOKED_MS if turn.request.invoked else FURTHER_LINES_MS
    if forecasts[0].spread and not turn.request.invoked:
        further_ms = 0  # its lines stand on the screen: what has come since comes with the next key
    patience = min(deadline, turn.started + further_ms / 1000)
    texts = [_Text(forecast) for forecast in forecasts]
    while not turn.superseded:
        news = signal.count
        late = time.perf_counter() >= deadline
        check_ms = max(SHORTEST_CHECK_MS, min(LONGEST_CHECK_MS, _ms_until(end)))
        await asyncio.gather(
            *(text.look(turn, syntax, settings, check_ms, late=late) for text in texts)
        )
        if turn.superseded:
            return None
        usable = any(text.shaped is not None and text.shaped.text for text in texts)
        if late or all(text.final for text in texts) or (usable and _ms_until(patience) <= 0):
            return [(text.forecast, text.shaped) for text in texts if text.shaped is not None]
        until = patience if usable else deadline
        await signal.wait(news, max(0.001, _ms_until(until) / 1000))
    return None


def _opens_braces(rest: bytes) -> bool:
    line, newline, _ = rest.partition(b"\n")
    return bool(newline) and line.rstrip().endswith(b"{")


def _ms_until(moment: float) -> float:
    return (moment - time.perf_counter()) * 1000


class _Text:
    """One forecast as seen by one turn."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast
        self._lines = 0
        self.shaped: Shaped | None = None
        self.final = False
        """Looking again would give the same."""

    async def look(
        self, turn: Turn, syntax: SyntaxClient, settings: Settings, check_ms: float, *, late: bool
    ) -> None:
        """Shape the forecast's text anew if there is more of it that could be shown."""
        if self.final:
            return
        document, offset = turn.request.document, turn.request.offset
        ended = self.forecast.end
        rest = compare(self.forecast, document, offset).rest
        lines = rest.lstrip().count(b"\n")
        if not turn.multiline and turn.may_grow and _opens_braces(rest):
            turn.multiline = True  # `{}` would not be what the model is about to say
        over = late or ended != "growing" or (not turn.multiline and lines > 0)
        if not over and lines <= self._lines:
            return
        self._lines = lines
        self.shaped = await shape(
            syntax,
            document,
            offset,
            rest,
            multiline=turn.multiline,
            finished=over,
            max_lines=settings.max_lines,
            deadline_ms=check_ms,
        )
        self.final = over or self.shaped.judgement.closed
