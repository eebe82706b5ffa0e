"""Inline completions: the life of a keystroke after the document has been changed.

Everything here runs on the event loop's thread, which owns it; the engine and the syntax
worker are asked through their interfaces and answer later.

Invariants: `complete` answers exactly once per call and never raises for a reason the user
can't help; a newer call makes the older one return empty at once; a suggestion always belongs
to the version of the document it was asked for; nothing is suggested that the syntax worker
found to add a parse error.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from inkling.config import Settings
from inkling.engine.api import Engine, Ready, Starting
from inkling.service.forecast import Forecast, Forecasts, sights
from inkling.service.generation import Generation
from inkling.service.generator import Demand, Generator
from inkling.service.journal import Journal
from inkling.service.records import CompletionRequest, Suggestion, Why
from inkling.service.shaping import Shaped, shape, wants_lines
from inkling.service.signal import Signal
from inkling.syntax.client import SyntaxClient
from inkling.text.document import Document, Edit

LONG_LINE_BYTES = 2_000
BUDGET_MS = 10_000
"""Where the editor waits. Answering empty sooner would leave a user who has stopped typing
with nothing until the next key; a newer request ends the wait at once anyway."""
MARGIN_MS = 50
"""Kept free for the way to an editor that gives up at a fixed time."""
FURTHER_LINES_MS = 300
"""How long further lines are waited for once the first could be shown."""
SHORTEST_CHECK_MS = 60.0
LONGEST_CHECK_MS = 500.0
"""For the syntax worker: where the editor waits, a cold worker is worth waiting for, too."""


@dataclass(slots=True)
class _Turn:
    """One call of `complete`; only the newest is waited for."""

    request: CompletionRequest
    started: float
    why: Why


class Completer:
    """See the module's docstring. Create and call on the event loop's thread."""

    def __init__(self, engine: Engine, syntax: SyntaxClient, settings: Settings) -> None:
        self._engine = engine
        self._syntax = syntax
        self._settings = settings
        self._signal = Signal()
        self._forecasts = Forecasts()
        self._generator = Generator(engine, self._forecasts, self._signal, settings)
        self._journal = Journal()
        self._demand = Demand()
        self._turn: _Turn | None = None
        self._accepted: tuple[str, int] | None = None
        self._suggestions = 0

    # -- what happens to documents ---------------------------------------------------------

    def opened(self, document: Document) -> None:
        """A document was opened: have it parsed before anybody waits for that."""
        self._syntax.prepare(document)

    def changed(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """The document is now `document`. Stops a generation that the edit disagrees with,
        and starts one where a request is likely to follow. No waiting, < 1 ms."""
        if not edits:
            return
        if self._demand.holds(document.uri):
            self._syntax.prepare(document)
        self._generator.edited(document, edits)
        typed = len(edits) == 1 and edits[0].old_end == edits[0].start and edits[0].text
        if typed and self._demand.holds(document.uri):
            self.prepare(document, edits[0].new_end)

    def closed(self, uri: str) -> None:
        """The document is no longer open."""
        self._syntax.forget(uri)
        self._generator.forget(uri)
        self._forecasts.forget(uri)
        self._demand.forget(uri)

    def settings_changed(self, settings: Settings) -> None:
        """Use `settings` from the next request on."""
        self._settings = self._generator.settings = settings

    # -- requests --------------------------------------------------------------------------

    async def complete(self, request: CompletionRequest) -> tuple[Suggestion, ...]:
        """Suggestions for the cursor; empty when there is nothing to say (see `why`)."""
        first = Why(
            uri=request.document.uri, version=request.document.version, offset=request.offset
        )
        turn = self._turn = _Turn(request, time.perf_counter(), first)
        self._signal.fire()
        self._demand.note(request.document.uri)
        try:
            return await self._answer(turn)
        except asyncio.CancelledError:
            self._record(turn, self._generator.running, reason="The editor cancelled the request.")
            raise
        finally:
            self._generator.rest_at(request.document, request.offset)

    def prepare(self, document: Document, offset: int) -> None:
        """Start generating for the cursor if nothing is known there yet. Does not wait."""
        if self._refusal(document, offset) or self._engine_refusal():
            return
        self._demand.note(document.uri)
        found = self._forecasts.find(document, offset)
        if found is None or _is_behind(found[0], document, offset):
            self._generate(document, offset, 1)

    async def ready(self, document: Document, offset: int) -> tuple[Suggestion, ...]:
        """What can be suggested now, without waiting for the model (a few ms at most)."""
        self._demand.note(document.uri)
        found = self._forecasts.find(document, offset)
        if found is None or self._refusal(document, offset):
            return ()
        forecast, rest = found
        request = CompletionRequest(document, offset)
        turn = _Turn(
            request,
            time.perf_counter(),
            Why(uri=document.uri, version=document.version, offset=offset),
        )
        if not forecast.complete and b"\n" not in rest.lstrip():
            return ()  # a first line that is still growing
        shaped = await self._shape(
            document, offset, rest, finished=forecast.complete, deadline_ms=SHORTEST_CHECK_MS
        )
        return self._finish(turn, request, [shaped], self._generator.owner_of(forecast))

    async def stream(self, request: CompletionRequest) -> AsyncIterator[str]:
        """The raw text of the suggestion as it grows, each time whole; for previews.

        Ends when the generation ends. Unlike `complete` nothing is checked or trimmed.
        """
        document, offset = request.document, request.offset
        self.prepare(document, offset)
        said: bytes | None = None
        while (found := self._forecasts.find(document, offset)) is not None:
            forecast, rest = found
            if rest != said:
                said = rest
                yield rest.decode("utf-8", "replace")
            if forecast.complete:
                return
            await self._signal.wait()

    def accepted(self, suggestion_id: str) -> None:
        """The user took a suggestion; what follows it may now be offered on a new line."""
        why = self._journal.accept(suggestion_id)
        if why is not None:
            self._accepted = (why.uri, why.offset)

    def why(self) -> Why:
        """The last request: what it was made of, or why there was nothing."""
        records = self._journal.records()
        return records[-1] if records else Why()

    def journal(self) -> tuple[Why, ...]:
        """The last requests, oldest first. Stats are there once a generation has ended."""
        return self._journal.records()

    async def close(self) -> None:
        """Stop everything this service started."""
        self._turn = None
        self._signal.fire()
        await self._generator.close()

    # -- answering -------------------------------------------------------------------------

    async def _answer(self, turn: _Turn) -> tuple[Suggestion, ...]:
        request = _with_selected(turn.request)
        document, offset = request.document, request.offset
        refusal = self._refusal(document, offset)
        found = None if refusal else self._forecasts.find(document, offset)
        if not refusal and found is None:
            refusal = self._engine_refusal()
        if refusal:
            self._record(turn, reason=refusal)
            return ()
        wanted = max(1, request.max_items) if request.invoked else 1
        if found is not None and wanted == 1 and not _is_behind(found[0], document, offset):
            forecast, rest = found
            if forecast.ended and not rest.strip() and not request.invoked:
                self._record(turn, reason="The model expects nothing more here.")
                return ()
            if rest.strip() or not forecast.complete:
                forecasts: tuple[Forecast, ...] = (forecast,)
                generation = self._generator.owner_of(forecast)
                return await self._settle(turn, request, forecasts, generation)
        if refusal := self._engine_refusal():
            self._record(turn, reason=refusal)
            return ()
        generation = self._generate(document, offset, wanted)
        return await self._settle(turn, request, generation.forecasts, generation)

    async def _settle(
        self,
        turn: _Turn,
        request: CompletionRequest,
        forecasts: tuple[Forecast, ...],
        generation: Generation | None,
    ) -> tuple[Suggestion, ...]:
        """Wait until the forecasts have something to show, and show it."""
        if generation is not None:
            turn.why = replace(
                turn.why,
                reanchored=generation.reanchored,
                prefix_bytes=len(generation.anchor.prefix),
                suffix_bytes=len(generation.anchor.suffix),
                typed_bytes=forecasts[0].given,
            )
        waited = any(not _has_line(forecast, request) for forecast in forecasts)
        turn.why = replace(turn.why, source="model" if waited else "typed-through")
        shaped = await self._wait_and_shape(turn, request, forecasts)
        return self._finish(turn, request, shaped, generation)

    async def _wait_and_shape(
        self, turn: _Turn, request: CompletionRequest, forecasts: tuple[Forecast, ...]
    ) -> list[Shaped] | None:
        """The forecasts' texts in a form to show, best first; None if a newer request came.

        Answers at the first complete line (where several lines are wanted, a little later)
        or at the time budget, whichever is first.
        """
        document, offset = request.document, request.offset
        budget_ms = self._budget_ms(request)
        deadline = turn.started + budget_ms / 1000
        patience = turn.started + min(FURTHER_LINES_MS, budget_ms) / 1000
        multiline = self._wants_lines(document, offset)
        judged_lines = 0
        best: list[Shaped] = []
        while self._turn is turn:
            now = time.perf_counter()
            rests = [_rest(forecast, document, offset) for forecast in forecasts]
            finished = all(forecast.complete for forecast in forecasts) or now >= deadline
            lines = min(rest.lstrip().count(b"\n") for rest in rests)
            if finished or lines > judged_lines:
                judged_lines = lines
                final = finished or not multiline
                check_ms = min(LONGEST_CHECK_MS, (deadline - now) * 1000)
                best = [
                    await self._shape(document, offset, rest, finished=final, deadline_ms=check_ms)
                    for rest in rests
                ]
                if final or all(shaped.judgement.closed for shaped in best):
                    return best if self._turn is turn else None
            usable = any(shaped.text for shaped in best)
            now = time.perf_counter()
            if usable and now >= patience:
                return best if self._turn is turn else None
            await self._signal.wait(max(0.001, (patience if usable else deadline) - now))
        return None

    async def _shape(
        self, document: Document, offset: int, rest: bytes, *, finished: bool, deadline_ms: float
    ) -> Shaped:
        return await shape(
            self._syntax,
            document,
            offset,
            rest,
            multiline=self._wants_lines(document, offset),
            finished=finished,
            max_lines=self._settings.max_lines,
            deadline_ms=max(SHORTEST_CHECK_MS, deadline_ms),
        )

    def _finish(
        self,
        turn: _Turn,
        request: CompletionRequest,
        shaped: list[Shaped] | None,
        generation: Generation | None,
    ) -> tuple[Suggestion, ...]:
        """Turn texts into suggestions and write the journal."""
        if shaped is None:
            self._record(turn, generation, reason="A newer request came.")
            return ()
        turn.why = replace(
            turn.why,
            filters=tuple(dict.fromkeys(name for item in shaped for name in item.filters)),
            judge_ms=max(item.judge_ms for item in shaped),
        )
        usable = [item for item in shaped if item.text]
        if not usable:
            self._record(turn, generation, reason=_silence(turn.why, generation))
            return ()
        first = usable[0]
        if generation is not None and all(item.judgement.closed for item in shaped):
            self._generator.stop(generation)
        texts = dict.fromkeys(item.text for item in usable)
        suggestions = tuple(self._suggest(request, text) for text in texts)
        turn.why = replace(
            turn.why,
            outcome="shown",
            lines=first.text.count("\n") + 1,
            characters=len(first.text),
            errors_before=first.judgement.errors_before,
            errors_after=first.judgement.errors_after,
            suggestion_ids=tuple(suggestion.id for suggestion in suggestions),
        )
        self._record(turn, generation, reason="The model continued what is typed.")
        return suggestions

    def _generate(self, document: Document, offset: int, candidates: int) -> Generation:
        return self._generator.start(
            document,
            offset,
            candidates=candidates,
            multiline=self._wants_lines(document, offset),
        )

    def _suggest(self, request: CompletionRequest, text: str) -> Suggestion:
        self._suggestions += 1
        if request.document.newline != "\n":
            text = text.replace("\n", request.document.newline)
        if request.selected is not None:
            selected = request.selected
            text, start, end = selected.text + text, selected.start, selected.end
        else:
            start = end = request.offset
        return Suggestion(f"s{self._suggestions}", text, start, end)

    # -- small questions -------------------------------------------------------------------

    def _budget_ms(self, request: CompletionRequest) -> float:
        """How long an answer may take."""
        if self._settings.answer_budget_ms is not None:
            return self._settings.answer_budget_ms
        return BUDGET_MS if request.patience_ms is None else request.patience_ms - MARGIN_MS

    def _wants_lines(self, document: Document, offset: int) -> bool:
        return wants_lines(document, offset, self._settings, self._accepted)

    def _refusal(self, document: Document, offset: int) -> str:
        """Why nothing is suggested at this place, whatever the model says; else empty."""
        if not self._settings.enabled:
            return "Inkling is switched off (setting inkling.enabled)."
        if document.language_id in self._settings.disabled_languages:
            return f"Inkling is switched off for {document.language_id}."
        if document.line_end(offset) - document.line_start(offset) > LONG_LINE_BYTES:
            return "The line is too long."
        if b"\0" in document.data[max(0, offset - 4096) : offset + 1024]:
            return "This is not a text file."
        return ""

    def _engine_refusal(self) -> str:
        state = self._engine.state
        if isinstance(state, Ready):
            return ""
        if isinstance(state, Starting):
            return f"The model is not ready yet: {state.step}."
        return state.reason

    def _record(self, turn: _Turn, generation: Generation | None = None, *, reason: str) -> None:
        state = self._engine.state
        record = replace(
            turn.why,
            reason=reason,
            model=state.model.name if isinstance(state, Ready) else "",
            total_ms=(time.perf_counter() - turn.started) * 1000,
        )
        self._journal.add(record, generation)


def _with_selected(request: CompletionRequest) -> CompletionRequest:
    """The request as if the entry selected in the editor's list were already inserted."""
    selected = request.selected
    if selected is None:
        return request
    data = request.document.data
    inserted = selected.text.encode("utf-8", "surrogatepass")
    document = replace(
        request.document, data=data[: selected.start] + inserted + data[selected.end :]
    )
    return replace(request, document=document, offset=selected.start + len(inserted))


def _is_behind(forecast: Forecast, document: Document, offset: int) -> bool:
    """Whether the user has typed past what a forecast says, or it ended too early to help."""
    for sight in sights(document, offset):
        if sight.place == forecast.place:
            ahead = len(sight.typed) - len(forecast.text)
            return ahead > 0 or (ahead == 0 and forecast.complete and not forecast.ended)
    return True


def _rest(forecast: Forecast, document: Document, offset: int) -> bytes:
    """What `forecast` says after the cursor; empty while it is behind it."""
    for sight in sights(document, offset):
        if sight.place == forecast.place:
            agrees = forecast.text.startswith(sight.typed)
            return forecast.text[len(sight.typed) :] if agrees else b""
    return b""


def _has_line(forecast: Forecast, request: CompletionRequest) -> bool:
    """Whether a forecast's next line is already there."""
    rest = _rest(forecast, request.document, request.offset)
    return forecast.complete or b"\n" in rest.lstrip()


def _silence(why: Why, generation: Generation | None) -> str:
    """One sentence about why nothing could be shown."""
    done = generation.done if generation is not None else None
    if done is not None and done.reason == "failed":
        return done.error or "The engine failed."
    if why.filters:
        return "What the model said did not fit here: " + "; ".join(why.filters) + "."
    if generation is not None and done is None:
        return "The model was not done in time; what it says is kept for the next key."
    return "The model had nothing to add here."
