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
from dataclasses import replace

from inkling.config import Settings
from inkling.context.blocks import Backdrop
from inkling.engine.api import Engine, Ready
from inkling.service.backdrops import ContextSource
from inkling.service.demand import Demand
from inkling.service.forecast import Forecast, Forecasts, compare
from inkling.service.generation import Generation
from inkling.service.generator import Generator
from inkling.service.journal import Journal
from inkling.service.records import CompletionRequest, Suggestion, Why
from inkling.service.refusal import engine_refusal, place_refusal, silence
from inkling.service.selection import splits_word, with_selected
from inkling.service.shaping import Shaped, shape, wants_lines
from inkling.service.shown import Shown
from inkling.service.signal import Signal
from inkling.service.turn import SHORTEST_CHECK_MS, Turn, budget_ms, wait_for_texts
from inkling.syntax.client import SyntaxClient
from inkling.syntax.languages import language_of
from inkling.syntax.scope import before_code, line_context
from inkling.text.document import Document, Edit

PATIENT_MS = 5_000
"""Somebody who asked by hand and waits so long gets the answer of a wide window."""
NEWER = "A newer request came."


class Completer:
    """See the module's docstring. Create and call on the event loop's thread."""

    def __init__(
        self,
        engine: Engine,
        syntax: SyntaxClient,
        settings: Settings,
        source: ContextSource | None = None,
    ) -> None:
        self._engine = engine
        self._syntax = syntax
        self._settings = settings
        self._signal = Signal()
        self._forecasts = Forecasts()
        self._generator = Generator(engine, self._forecasts, self._signal, settings, source)
        self._journal = Journal()
        self._demand = Demand()
        self._turn: Turn | None = None
        self._shown = Shown()

    # -- what happens to documents ---------------------------------------------------------

    def opened(self, document: Document) -> None:
        """A document was opened: have it parsed before anybody waits for that."""
        self._syntax.prepare(document)

    def changed(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """The document is now `document`. Stops a generation that the edit disagrees with,
        and starts one where a request is likely to follow. No waiting, < 1 ms."""
        if not edits:
            return
        self._generator.edited(document, edits)
        self._shown.edited(document.uri, edits)
        if not self._demand.holds(document.uri):
            return
        self._syntax.prepare(document)
        elsewhere = self._turn is not None and self._turn.request.document.uri != document.uri
        if len(edits) == 1 and _is_typed(edits[0]) and not elsewhere:
            self.prepare(document, edits[0].new_end)

    def closed(self, uri: str) -> None:
        """The document is no longer open."""
        if self._turn is not None and self._turn.request.document.uri == uri:
            self._supersede("The document was closed.")
        self._syntax.forget(uri)
        self._generator.forget(uri)
        self._forecasts.forget(uri)
        self._demand.forget(uri)

    def settings_changed(self, settings: Settings) -> None:
        """Use `settings` from the next request on."""
        self._settings = settings
        self._generator.settings_changed(settings)

    # -- requests --------------------------------------------------------------------------

    async def complete(self, request: CompletionRequest) -> tuple[Suggestion, ...]:
        """Suggestions for the cursor; empty when there is nothing to say (see `why`)."""
        turn = self._new_turn(request)
        self._supersede(NEWER)
        self._generator.wake()
        self._turn = turn
        self._demand.note(request.document.uri)
        try:
            return await self._answer(turn)
        except asyncio.CancelledError:
            self._record(turn, self._generator.running, reason="The editor cancelled the request.")
            raise
        finally:
            if self._turn is turn:
                self._turn = None
                if not turn.refused:
                    self._generator.rest_at(request.document, request.offset)

    def prepare(self, document: Document, offset: int) -> None:
        """Start generating for the cursor if nothing is known there yet. Does not wait."""
        if self._refusal(document, offset) or engine_refusal(self._engine.state):
            return
        if before_code(document, offset):
            return
        self._demand.note(document.uri)
        if self._forecasts.find(document, offset) is None:
            self._generate(document, offset, 1)

    async def ready(self, document: Document, offset: int) -> tuple[Suggestion, ...]:
        """What can be suggested now, without waiting for the model (a few ms at most)."""
        if self._refusal(document, offset) or before_code(document, offset):
            return ()
        self._demand.note(document.uri)
        if self._turn is None:
            self._generator.rest_at(document, offset)
        found = self._forecasts.find(document, offset)
        if found is None:
            return ()
        forecast, rest = found
        if forecast.end == "growing" and b"\n" not in rest.lstrip():
            return ()  # a first line that is still growing
        turn = self._new_turn(CompletionRequest(document, offset))
        turn.goes_on(forecast)
        turn.why = replace(turn.why, source="typed-through")
        shaped = await shape(
            self._syntax,
            document,
            offset,
            rest,
            multiline=turn.multiline,
            finished=forecast.end != "growing",
            max_lines=self._settings.max_lines,
            deadline_ms=SHORTEST_CHECK_MS,
        )
        return self._finish(turn, [(forecast, shaped)], self._generator.owner_of(forecast))

    async def stream(self, request: CompletionRequest) -> AsyncIterator[str]:
        """The raw text of the suggestion as it grows, each time whole; for previews.

        Ends when the generation ends. Unlike `complete` nothing is checked or trimmed.
        """
        document, offset = request.document, request.offset
        self._generator.wake()
        self.prepare(document, offset)
        said: bytes | None = None
        while (found := self._forecasts.find(document, offset)) is not None:
            news = self._signal.count
            forecast, rest = found
            if rest != said:
                said = rest
                yield rest.decode("utf-8", "replace")
            if forecast.end != "growing":
                return
            await self._signal.wait(news)

    def accepted(self, suggestion_id: str) -> None:
        """The user took a suggestion; what follows it may now be offered on a new line."""
        self._journal.accept(suggestion_id)
        self._shown.accept(suggestion_id)

    def why(self) -> Why:
        """The last request: what it was made of, or why there was nothing."""
        records = self._journal.records()
        return records[-1] if records else Why()

    def journal(self) -> tuple[Why, ...]:
        """The last requests, oldest first. Stats are there once a generation has ended."""
        return self._journal.records()

    @property
    def working(self) -> bool:
        """Whether a request is answered, or work ahead of the next one is done or about to be."""
        return self._turn is not None or self._generator.working

    async def close(self) -> None:
        """Stop everything this service started."""
        self._supersede("Inkling is restarting.")
        await self._generator.close()

    # -- answering -------------------------------------------------------------------------

    async def _answer(self, turn: Turn) -> tuple[Suggestion, ...]:
        request = turn.request
        document, offset = request.document, request.offset
        refusal = self._refusal(document, offset)
        if not refusal and not request.invoked and before_code(document, offset):
            refusal = "The cursor stands before the code of its line."
        if refusal:
            turn.refused = True
            return self._nothing(turn, refusal)
        wanted = max(1, request.max_items) if request.invoked else 1
        found = self._forecasts.find(document, offset) if wanted == 1 else None
        if found is not None:
            forecast, rest = found
            turn.goes_on(forecast)
            if rest.strip() or forecast.end == "growing":
                generation = self._generator.owner_of(forecast)
                return await self._settle(turn, (forecast,), generation)
            if not request.invoked:
                return self._nothing(turn, "The model expects nothing more here.")
        patient = request.invoked and budget_ms(request, self._settings) >= PATIENT_MS
        backdrop = await self._generator.backdrop(document, offset) if patient else None
        if refusal := turn.superseded or engine_refusal(self._engine.state):
            return self._nothing(turn, refusal)
        generation = self._generate(document, offset, wanted, patient=patient, backdrop=backdrop)
        return await self._settle(turn, generation.forecasts, generation)

    async def _settle(
        self, turn: Turn, forecasts: tuple[Forecast, ...], generation: Generation | None
    ) -> tuple[Suggestion, ...]:
        """Wait until the forecasts have something to show, and show it."""
        if generation is not None:
            turn.why = replace(
                turn.why,
                reanchored=generation.reanchored,
                prefix_bytes=len(generation.anchor.prefix),
                suffix_bytes=len(generation.anchor.suffix),
                typed_bytes=forecasts[0].given,
                blocks=tuple((block.path, block.reason) for block in generation.anchor.blocks),
            )
        waited = any(not _has_line(forecast, turn.request) for forecast in forecasts)
        turn.why = replace(turn.why, source="model" if waited else "typed-through")
        shaped = await wait_for_texts(turn, forecasts, self._signal, self._syntax, self._settings)
        return self._finish(turn, shaped, generation)

    def _finish(
        self,
        turn: Turn,
        texts: list[tuple[Forecast, Shaped]] | None,
        generation: Generation | None,
    ) -> tuple[Suggestion, ...]:
        """Turn texts into suggestions and write the journal."""
        if texts is None:
            self._record(turn, generation, reason=turn.superseded)
            return ()
        shaped = [item for _, item in texts]
        turn.why = replace(
            turn.why,
            filters=tuple(dict.fromkeys(name for item in shaped for name in item.filters)),
            judge_ms=max((item.judge_ms for item in shaped), default=0.0),
        )
        usable = [
            (forecast, item)
            for forecast, item in texts
            if item.text and not splits_word(turn.request, item.text)
        ]
        if not usable:
            self._record(turn, generation, reason=silence(turn.why, generation))
            return ()
        forecast, first = usable[0]
        forecast.spread |= "\n" in first.text
        if generation is not None and all(item.judgement.closed for item in shaped):
            self._generator.stop(generation)
        suggestions = tuple(
            self._shown.suggest(turn.request, text)
            for text in dict.fromkeys(item.text for _, item in usable)
        )
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

    def _generate(
        self,
        document: Document,
        offset: int,
        candidates: int,
        *,
        patient: bool = False,
        backdrop: Backdrop | None = None,
    ) -> Generation:
        return self._generator.start(
            document,
            offset,
            candidates=candidates,
            multiline=wants_lines(document, offset, self._settings, self._shown.accepted),
            patient=patient,
            backdrop=backdrop,
        )

    def _new_turn(self, request: CompletionRequest) -> Turn:
        document = request.document
        first = Why(uri=document.uri, version=document.version, offset=request.offset)
        inserted = with_selected(request)
        document, offset = inserted.document, inserted.offset
        multiline = wants_lines(document, offset, self._settings, self._shown.accepted)
        grows = self._settings.multiline == "auto" and not line_context(document, offset).tail
        may_grow = grows and language_of(document.language_id, document.uri) is not None
        return Turn(inserted, time.perf_counter(), first, multiline, may_grow)

    def _supersede(self, reason: str) -> None:
        """Nobody waits for the present turn any more."""
        if self._turn is not None:
            self._turn.superseded = reason
            self._turn = None
        self._signal.fire()

    # -- small questions -------------------------------------------------------------------

    def _refusal(self, document: Document, offset: int) -> str:
        return place_refusal(document, offset, self._settings)

    def _nothing(self, turn: Turn, reason: str) -> tuple[Suggestion, ...]:
        self._record(turn, None, reason=reason)
        return ()

    def _record(self, turn: Turn, generation: Generation | None, *, reason: str) -> None:
        state = self._engine.state
        record = replace(
            turn.why,
            reason=reason,
            model=state.model.name if isinstance(state, Ready) else "",
            total_ms=(time.perf_counter() - turn.started) * 1000,
        )
        self._journal.add(record, generation.receipt if generation is not None else None)


def _is_typed(edit: Edit) -> bool:
    """Whether an edit is typing that leaves the cursor behind it, as far as can be seen: a
    pair of brackets or quotes was closed by the editor, and the cursor is inside."""
    pair = len(edit.text) == 2 and edit.text in (b"()", b"[]", b"{}", b'""', b"''", b"``")
    return edit.old_end == edit.start and bool(edit.text) and not pair


def _has_line(forecast: Forecast, request: CompletionRequest) -> bool:
    """Whether a forecast's next line is already there."""
    rest = compare(forecast, request.document, request.offset).rest
    return forecast.end != "growing" or b"\n" in rest.lstrip()
