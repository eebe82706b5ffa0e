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
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from inkling.config import Settings
from inkling.edits.trim import LOOKAHEAD_LINES, Surroundings, trim
from inkling.engine.api import Engine, GenerateRequest, Ready, Starting
from inkling.prompt.anchor import Anchor, Budget, holds, place, shifted
from inkling.prompt.fim import completion_head
from inkling.service.budget import generation_tokens, prompt_budget
from inkling.service.forecast import Forecast, Forecasts, Place, sights, unix_lines
from inkling.service.generation import Generation
from inkling.service.records import CompletionRequest, Suggestion, Why
from inkling.service.signal import Signal
from inkling.syntax.client import Judgement, SyntaxClient
from inkling.syntax.scope import LineContext, line_context
from inkling.text.document import Document, Edit

LONG_LINE_BYTES = 2_000
INVOKED_BUDGET_MS = 4_000
PATIENCE_MS = 300
"""How long a multi-line suggestion is waited for once its first line could be shown."""
IDLE_S = 0.7
DEMAND_S = 30.0
JUDGE_DEADLINE_MS = 60.0
JOURNAL = 512


@dataclass(slots=True)
class _Turn:
    """One call of `complete`; only the newest is waited for."""

    request: CompletionRequest
    started: float
    why: Why


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A forecast's text after trimming and the syntax check."""

    text: str
    judgement: Judgement
    filters: tuple[str, ...]


class Completer:
    """See the module's docstring. Create and call on the event loop's thread."""

    def __init__(self, engine: Engine, syntax: SyntaxClient, settings: Settings) -> None:
        self._engine = engine
        self._syntax = syntax
        self._settings = settings
        self._forecasts = Forecasts()
        self._signal = Signal()
        self._anchor: Anchor | None = None
        self._running: Generation | None = None
        self._turn: _Turn | None = None
        self._journal: deque[tuple[Why, Generation | None]] = deque(maxlen=JOURNAL)
        self._accepted_at: tuple[str, int] | None = None
        self._shown: dict[str, tuple[str, int]] = {}
        self._demand: dict[str, float] = {}
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = 0

    # -- what happens to documents ---------------------------------------------------------

    def changed(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """The document is now `document`. Stops a generation the edit disagrees with, and
        starts one where a request is sure to follow. No waiting, < 1 ms."""
        if not edits:
            return
        if self._anchor is not None and self._anchor.uri == document.uri:
            self._anchor = shifted(self._anchor, edits)
        cursor = edits[-1].new_end
        running = self._running
        if (
            running is not None
            and running.done is None
            and running.anchor.uri == document.uri
            and not self._agrees(running, document, cursor)
        ):
            self._engine.cancel(running.request.id)
        if len(edits) == 1 and self._in_demand(document.uri) and edits[0].new_end > edits[0].start:
            self.prepare(document, cursor)

    def closed(self, uri: str) -> None:
        """The document is no longer open."""
        running = self._running
        if running is not None and running.done is None and running.anchor.uri == uri:
            self._engine.cancel(running.request.id)
        if self._anchor is not None and self._anchor.uri == uri:
            self._anchor = None
        self._forecasts.forget(uri)
        self._demand.pop(uri, None)

    def settings_changed(self, settings: Settings) -> None:
        """Use `settings` from the next request on."""
        self._settings = settings

    # -- requests --------------------------------------------------------------------------

    async def complete(self, request: CompletionRequest) -> tuple[Suggestion, ...]:
        """Suggestions for the cursor; empty when there is nothing to say (see `why`)."""
        turn = _Turn(request, time.perf_counter(), _first_why(request))
        self._turn = turn
        self._signal.fire()
        self._demand[request.document.uri] = turn.started
        try:
            suggestions = await self._answer(turn)
        except asyncio.CancelledError:
            self._record(turn, replace(turn.why, reason="The editor cancelled the request."))
            raise
        finally:
            self._schedule_idle(request)
        for suggestion in suggestions:
            self._shown[suggestion.id] = (request.document.uri, suggestion.start)
            while len(self._shown) > JOURNAL:
                self._shown.pop(next(iter(self._shown)))
        return suggestions

    def prepare(self, document: Document, offset: int) -> None:
        """Start generating for the cursor if nothing is known there yet. Does not wait."""
        if not isinstance(self._engine.state, Ready) or self._refusal(document, offset):
            return
        found = self._forecasts.find(document, offset)
        if found is None or self._behind(found[0], document, offset):
            self._generate(document, offset, 1)

    async def ready(self, document: Document, offset: int) -> tuple[Suggestion, ...]:
        """What can be suggested now, without waiting for the model (a few ms at most)."""
        if self._refusal(document, offset):
            return ()
        found = self._forecasts.find(document, offset)
        if found is None:
            return ()
        forecast, rest = found
        if not forecast.complete and b"\n" not in rest.lstrip():
            return ()  # a first line that is still growing
        shaped = await self._shape(document, offset, rest, finished=forecast.complete)
        if not shaped.text:
            return ()
        return (self._suggest(document, offset, shaped.text),)

    async def stream(self, request: CompletionRequest) -> AsyncIterator[str]:
        """The raw text of the suggestion as it grows, each time whole; for previews.

        Ends when the generation ends. Unlike `complete` nothing is checked or trimmed.
        """
        self.prepare(request.document, request.offset)
        said: bytes | None = None
        while True:
            found = self._forecasts.find(request.document, request.offset)
            if found is None:
                return
            forecast, rest = found
            if rest != said:
                said = rest
                yield rest.decode("utf-8", "replace")
            if forecast.complete:
                return
            await self._signal.wait(5.0)

    def accepted(self, suggestion_id: str) -> None:
        """The user took a suggestion; what follows it may now be offered on a new line."""
        shown = self._shown.get(suggestion_id)
        if shown is None:
            return
        for index, (why, generation) in enumerate(self._journal):
            if why.suggestion_id == suggestion_id:
                self._journal[index] = (replace(why, accepted=True), generation)
        self._accepted_at = shown

    def why(self) -> Why:
        """The last request: what it was made of, or why there was nothing."""
        return self.journal()[-1] if self._journal else Why()

    def journal(self) -> tuple[Why, ...]:
        """The last requests, oldest first. Stats are there once a generation has ended."""
        return tuple(
            replace(why, stats=generation.done.stats)
            if generation is not None and generation.done is not None
            else why
            for why, generation in self._journal
        )

    async def close(self) -> None:
        """Stop everything this service started."""
        self._turn = None
        if self._idle is not None:
            self._idle.cancel()
        if self._running is not None and self._running.done is None:
            self._engine.cancel(self._running.request.id)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- answering -------------------------------------------------------------------------

    async def _answer(self, turn: _Turn) -> tuple[Suggestion, ...]:
        request = _with_selected(turn.request)
        document, offset = request.document, request.offset
        refusal = self._refusal(document, offset) or self._engine_refusal()
        if refusal:
            return self._nothing(turn, refusal)
        wanted = max(1, request.max_items) if request.invoked else 1
        generation: Generation | None = None
        found = self._forecasts.find(document, offset)
        if wanted > 1 or found is None or self._behind(found[0], document, offset):
            generation = self._generate(document, offset, wanted)
            forecasts = generation.forecasts
        else:
            forecast, rest = found
            if forecast.ended and not rest.strip():
                if not request.invoked:
                    return self._nothing(turn, "The model expects nothing more here.")
                generation = self._generate(document, offset, wanted)
                forecasts = generation.forecasts
            else:
                forecasts = (forecast,)
                if self._running is not None and forecast in self._running.forecasts:
                    generation = self._running
        waited = any(not forecast.complete for forecast in forecasts)
        turn.why = replace(turn.why, source="model" if waited else "typed-through")
        shaped = await self._wait_and_shape(turn, document, offset, forecasts)
        return self._finish(turn, request, shaped, generation)

    async def _wait_and_shape(
        self, turn: _Turn, document: Document, offset: int, forecasts: tuple[Forecast, ...]
    ) -> list[_Shaped] | None:
        """The usable texts of `forecasts`, best first; None if a newer request came."""
        settings = self._settings
        budget_ms = INVOKED_BUDGET_MS if turn.request.invoked else settings.answer_budget_ms
        deadline = turn.started + budget_ms / 1000
        patience = turn.started + min(PATIENCE_MS, budget_ms) / 1000
        multiline = self._multiline(document, offset)
        judged_lines = -1
        best: list[_Shaped] = []
        while True:
            if self._turn is not turn:
                return None
            now = time.perf_counter()
            rests = [_rest(forecast, document, offset) for forecast in forecasts]
            finished = all(forecast.complete for forecast in forecasts) or now >= deadline
            lines = min(_complete_lines(rest) for rest in rests)
            if finished or lines > judged_lines and lines > 0:
                judged_lines = lines
                over = finished or not multiline
                best = [
                    await self._shape(document, offset, rest, finished=over) for rest in rests
                ]
                if self._turn is not turn:
                    return None
                closed = all(shaped.judgement.closed for shaped in best)
                if over or closed:
                    return best
            now = time.perf_counter()
            usable = any(shaped.text for shaped in best)
            if usable and now >= patience:
                return best
            until = patience if usable else deadline
            await self._signal.wait(max(0.001, until - now))

    async def _shape(
        self, document: Document, offset: int, rest: bytes, *, finished: bool
    ) -> _Shaped:
        """Trim what was predicted and let the syntax worker decide how much may be shown."""
        context = line_context(document, offset)
        multiline = self._multiline(document, offset)
        text = rest.decode("utf-8", "replace")
        if not multiline:
            text = text.partition("\n")[0]
            finished = True
        elif not finished:
            text = text[: text.rfind("\n") + 1]
        trimmed = trim(
            text,
            _surroundings(document, offset, context),
            max_lines=self._settings.max_lines if multiline else 1,
        )
        if not trimmed.text:
            return _Shaped("", Judgement.nothing(), trimmed.cut_by)
        judgement = await self._syntax.judge(
            document,
            offset,
            trimmed.text,
            multiline=multiline,
            finished=finished,
            deadline_ms=JUDGE_DEADLINE_MS,
        )
        kept = trimmed.text.encode()[: judgement.keep].decode("utf-8", "ignore")
        filters = trimmed.cut_by
        if len(kept) < len(trimmed.text.rstrip()):
            filters = (*filters, "would not parse" if not kept.strip() else "leaves the block")
        shown = (kept.rstrip() if not context.tail.strip() else kept) + judgement.closers
        return _Shaped(shown if kept.strip() else "", judgement, filters)

    def _finish(
        self,
        turn: _Turn,
        request: CompletionRequest,
        shaped: list[_Shaped] | None,
        generation: Generation | None,
    ) -> tuple[Suggestion, ...]:
        """Turn shaped texts into suggestions and write the journal."""
        if generation is not None:
            turn.why = replace(
                turn.why,
                reanchored=generation.reanchored,
                prefix_bytes=len(generation.anchor.prefix),
                suffix_bytes=len(generation.anchor.suffix),
                typed_bytes=generation.forecasts[0].given,
            )
        if shaped is None:
            self._record(turn, replace(turn.why, reason="A newer request came."), generation)
            return ()
        usable = [item for item in shaped if item.text]
        filters = tuple(dict.fromkeys(name for item in shaped for name in item.filters))
        if not usable:
            reason = self._silence(turn, request, shaped, generation)
            self._record(turn, replace(turn.why, reason=reason, filters=filters), generation)
            return ()
        texts = list(dict.fromkeys(item.text for item in usable))
        suggestions = tuple(
            self._suggest(request.document, request.offset, text, turn.request) for text in texts
        )
        first = usable[0]
        if first.judgement.closed and generation is not None and generation.done is None:
            self._engine.cancel(generation.request.id)
        self._record(
            turn,
            replace(
                turn.why,
                outcome="shown",
                reason="The model continued what is typed.",
                lines=first.text.count("\n") + 1,
                characters=len(first.text),
                filters=filters,
                errors_before=first.judgement.errors_before,
                errors_after=first.judgement.errors_after,
                suggestion_id=suggestions[0].id,
            ),
            generation,
        )
        return suggestions

    def _silence(
        self,
        turn: _Turn,
        request: CompletionRequest,
        shaped: list[_Shaped],
        generation: Generation | None,
    ) -> str:
        """One sentence about why nothing could be shown."""
        done = generation.done if generation is not None else None
        if done is not None and done.reason == "failed":
            return done.error or "The engine failed."
        if any(item.filters for item in shaped):
            return "What the model said did not fit: " + "; ".join(
                dict.fromkeys(name for item in shaped for name in item.filters)
            )
        if generation is not None and done is None:
            return "The model was not done in time; what it says is kept for the next key."
        return "The model had nothing to add here."

    # -- generating ------------------------------------------------------------------------

    def _generate(self, document: Document, offset: int, candidates: int) -> Generation:
        """Start a generation for the cursor; it supersedes the running one."""
        state = self._engine.state
        assert isinstance(state, Ready)
        anchor = self._anchor
        reanchored = anchor is None or not holds(anchor, document, offset)
        if anchor is None or reanchored:
            anchor = place(document, offset, self._budget(), anchor)
            self._anchor = anchor
        context = line_context(document, offset)
        multiline = self._multiline(document, offset)
        self._ids += 1
        request = GenerateRequest(
            id=self._ids,
            head=self._head(anchor, state),
            forced=_prompt_text(document.data[anchor.offset : offset]),
            max_tokens=generation_tokens(state.model.calibration),
            stop=() if multiline or context.tail_is_closers else ("\n",),
            candidates=candidates,
        )
        start = document.line_start(anchor.offset)
        where = _place_of(document, offset, start)
        given = unix_lines(document.data[start:offset])
        forecasts = tuple(Forecast(where, given, given=len(given)) for _ in range(candidates))
        for forecast in reversed(forecasts):
            self._forecasts.add(forecast)
        generation = Generation(
            request, anchor, reanchored, forecasts, max(2, self._settings.max_lines)
        )
        self._running = generation
        self._spawn(self._pump(generation))
        return generation

    async def _pump(self, generation: Generation) -> None:
        events = self._engine.generate(generation.request)
        if not await generation.pump(events, self._signal):
            self._engine.cancel(generation.request.id)

    def _head(self, anchor: Anchor, state: Ready) -> tuple[str | int, ...]:
        return completion_head(
            state.model,
            _prompt_text(anchor.prefix),
            _prompt_text(anchor.suffix),
        )

    def _schedule_idle(self, request: CompletionRequest) -> None:
        """Once nothing has been asked for a while, move the anchor to where the cursor is."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(
            IDLE_S, self._reanchor_in_idle_time, request.document, request.offset
        )

    def _reanchor_in_idle_time(self, document: Document, offset: int) -> None:
        """Evaluate a fresh anchor's prompt now, so that the next key does not have to."""
        state, anchor = self._engine.state, self._anchor
        if not isinstance(state, Ready) or anchor is None or anchor.uri != document.uri:
            return
        if self._running is not None and self._running.done is None:
            return
        if not holds(anchor, document, offset) or b"\n" not in document.data[anchor.offset : offset]:
            return
        self._anchor = place(document, offset, self._budget(), anchor)
        self._ids += 1
        warm_up = GenerateRequest(
            id=self._ids, head=self._head(self._anchor, state), max_tokens=0, background=True
        )
        self._spawn(_drain(self._engine.generate(warm_up)))

    def _spawn(self, coroutine: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- small questions -------------------------------------------------------------------

    def _budget(self) -> Budget:
        state = self._engine.state
        return prompt_budget(state.model if isinstance(state, Ready) else None)

    def _refusal(self, document: Document, offset: int) -> str:
        """Why nothing is suggested at this place, whatever the model; empty if nothing speaks
        against it."""
        settings = self._settings
        if not settings.enabled:
            return "Inkling is switched off (setting inkling.enabled)."
        if document.language_id in settings.disabled_languages:
            return f"Inkling is switched off for {document.language_id}."
        start, end = document.line_start(offset), document.line_end(offset)
        if end - start > LONG_LINE_BYTES:
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

    def _multiline(self, document: Document, offset: int) -> bool:
        mode = self._settings.multiline
        context = line_context(document, offset)
        if mode == "never" or context.tail.strip() and not context.tail_is_closers:
            return False
        if mode == "always" or context.multiline:
            return True
        accepted = self._accepted_at
        return (
            accepted is not None
            and accepted[0] == document.uri
            and document.line_start(offset) <= accepted[1] <= offset
        )

    def _in_demand(self, uri: str) -> bool:
        asked = self._demand.get(uri)
        return asked is not None and time.perf_counter() - asked < DEMAND_S

    def _agrees(self, running: Generation, document: Document, cursor: int) -> bool:
        """Whether the running generation is still worth its time after an edit.

        Before it has said anything it is evaluating the prompt, which the next request needs
        as well as long as the anchor holds: stopping it there would mean that fast typing
        never gets an answer (TabbyML/tabby#3367).
        """
        if not running.spoken and self._anchor is not None and self._anchor == running.anchor:
            return holds(running.anchor, document, cursor)
        for sight in sights(document, cursor):
            typed = sight.typed
            for forecast in running.forecasts:
                if forecast.place == sight.place and len(typed) >= forecast.given:
                    text = forecast.text
                    return text.startswith(typed) or typed.startswith(text)
        return False

    def _behind(self, forecast: Forecast, document: Document, offset: int) -> bool:
        """Whether the user has typed past what a forecast says so far."""
        for sight in sights(document, offset):
            if sight.place == forecast.place:
                ahead = len(sight.typed) - len(forecast.text)
                return ahead > 0 or (ahead == 0 and forecast.complete and not forecast.ended)
        return True

    def _suggest(
        self,
        document: Document,
        offset: int,
        text: str,
        asked: CompletionRequest | None = None,
    ) -> Suggestion:
        self._ids += 1
        suggestion_id = f"s{self._ids}"
        if document.newline != "\n":
            text = text.replace("\n", document.newline)
        if asked is not None and asked.selected is not None:
            selected = asked.selected
            return Suggestion(suggestion_id, selected.text + text, selected.start, selected.end)
        return Suggestion(suggestion_id, text, offset, offset)

    def _nothing(self, turn: _Turn, reason: str) -> tuple[Suggestion, ...]:
        self._record(turn, replace(turn.why, reason=reason))
        return ()

    def _record(self, turn: _Turn, why: Why, generation: Generation | None = None) -> None:
        state = self._engine.state
        model = state.model.name if isinstance(state, Ready) else ""
        total_ms = (time.perf_counter() - turn.started) * 1000
        self._journal.append((replace(why, total_ms=total_ms, model=model), generation))


def _first_why(request: CompletionRequest) -> Why:
    return Why(uri=request.document.uri, version=request.document.version, offset=request.offset)


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


def _place_of(document: Document, offset: int, start: int) -> Place:
    for sight in sights(document, offset):
        if sight.start == start:
            return sight.place
    raise ValueError("the anchor's line is too far above the cursor")


def _rest(forecast: Forecast, document: Document, offset: int) -> bytes:
    """What `forecast` says after the cursor; empty while it is behind it."""
    for sight in sights(document, offset):
        if sight.place == forecast.place:
            agrees = forecast.text.startswith(sight.typed)
            return forecast.text[len(sight.typed) :] if agrees else b""
    return b""


def _prompt_text(data: bytes) -> str:
    """Document bytes as the model is shown them."""
    return unix_lines(data).decode("utf-8", "replace")


def _complete_lines(rest: bytes) -> int:
    """Complete lines, not counting leading blank ones."""
    stripped = rest.lstrip()
    return stripped.count(b"\n")


def _surroundings(document: Document, offset: int, context: LineContext) -> Surroundings:
    end = document.line_end(offset)
    below = document.text(end, min(len(document.data), end + 2_000)).split("\n")
    start = document.line_start(offset)
    above = document.text(max(0, start - 1_000), start).split("\n")
    return Surroundings(
        typed=context.typed,
        tail=context.tail,
        following=tuple(line.strip() for line in below if line.strip())[:LOOKAHEAD_LINES],
        preceding=tuple(line.strip() for line in above if line.strip())[-LOOKAHEAD_LINES:],
    )


async def _drain(events: "AsyncIterator[object]") -> None:
    async for _ in events:
        pass
