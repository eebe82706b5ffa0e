"""Starts, keeps and stops generations: the owner of the anchor and of the running request.

Event loop's thread only. Invariants: at most one generation runs; a key that agrees with it
never stops it; the anchor is re-used while it holds, so that the prompt stays in the engine's
KV cache, and is moved in idle time, not on a key. Which anchor, is `anchors`' business.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass

from inkling.config import Settings
from inkling.engine.api import DoneEvent, Engine, Event, GenerateRequest, Piece, Ready
from inkling.prompt.anchor import Anchor, holds
from inkling.prompt.fim import completion_head
from inkling.service.anchors import Anchors
from inkling.service.budget import generation_tokens
from inkling.service.forecast import Forecast, Forecasts, compare, place_at, unix_lines
from inkling.service.generation import Generation
from inkling.service.signal import Signal
from inkling.syntax.scope import line_context
from inkling.text.document import Document, Edit

logger = logging.getLogger(__name__)

IDLE_S = 0.3
"""Quiet time after which the cursor's line becomes the anchor."""
SOON_S = 0.03
"""The same while the window is only a quick one. Hardly any, as a key that needs the engine stops
what is evaluated ahead within milliseconds and loses nothing: the engine keeps both prompts."""
CLOSING = (b")", b"]", b"}", b'"', b"'", b"`")


class Generator:
    """See the module's docstring."""

    def __init__(
        self, engine: Engine, forecasts: Forecasts, signal: Signal, settings: Settings
    ) -> None:
        self.settings = settings
        self.running: Generation | None = None
        self._engine = engine
        self._forecasts = forecasts
        self._signal = signal
        self._anchors = Anchors()
        self._warm_up: _WarmUp | None = None
        self._ready: Ready | None = None
        self._closed = False
        self._idle: asyncio.TimerHandle | None = None
        self._resting = ""
        """The document the timer is about."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._request_ids = 0

    def start(
        self,
        document: Document,
        offset: int,
        *,
        candidates: int,
        multiline: bool,
        patient: bool = False,
    ) -> Generation:
        """Generate from the cursor on; supersedes the running generation.

        The engine must be `Ready`. `patient`: somebody waits, for seconds if need be.
        """
        state = self._engine.state
        assert isinstance(state, Ready)
        if state is not self._ready:
            # Another engine process, or one that has learned how fast it is: nothing of what was
            # evaluated can be counted on, and the sizes are others.
            self._ready = state
            self._anchors.lose()
        anchor, reanchored = self._anchors.at(document, offset, state.model, patient=patient)
        whole_lines = multiline or line_context(document, offset).tail_is_closers
        request = GenerateRequest(
            id=self._next_id(),
            head=_head(anchor, state),
            forced=_prompt_text(document.data[anchor.offset : offset]),
            max_tokens=generation_tokens(state.model.calibration),
            stop=() if whole_lines else ("\n",),
            candidates=candidates,
            fresh=patient,
        )
        start = document.line_start(anchor.offset)
        where = place_at(document, offset, start)
        given = unix_lines(document.data[start:offset])
        forecasts = tuple(Forecast(where, given, given=len(given)) for _ in range(candidates))
        self._forecasts.add(forecasts)
        generation = Generation(
            request,
            anchor,
            reanchored,
            forecasts,
            line_limit=max(2, self.settings.max_lines),
            multiline=multiline,
            may_fence=document.language_id == "markdown",
        )
        self.running = generation
        self._spawn(self._pump(generation, self._engine.generate(request)))
        return generation

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Move the anchors along with an edit; stop a generation that disagrees with it."""
        if self._resting == document.uri:
            self.wake()  # what was to be done is about a text that is no more
        self._anchors.edited(document.uri, edits)
        running = self.running
        if (
            running is not None
            and running.done is None
            and running.anchor.uri == document.uri
            and not any(self._agrees(running, document, cursor) for cursor in _cursors(edits[-1]))
        ):
            self._engine.cancel(running.request.id)

    def stop(self, generation: Generation) -> None:
        """Nobody needs more of this generation."""
        if generation.done is None:
            self._engine.cancel(generation.request.id)

    def forget(self, uri: str) -> None:
        """The document was closed."""
        if self.running is not None and self.running.anchor.uri == uri:
            self.stop(self.running)
        if self._resting == uri:
            self.wake()
        if self._warm_up is not None and self._warm_up.anchor.uri == uri:
            self._engine.cancel(self._warm_up.id)
        self._anchors.forget(uri)

    def owner_of(self, forecast: Forecast) -> Generation | None:
        """The newest generation, if `forecast` is its."""
        running = self.running
        return running if running is not None and forecast in running.forecasts else None

    @property
    def working(self) -> bool:
        """Whether the engine has something to do, or will have as soon as it is quiet."""
        generating = self.running is not None and self.running.done is None
        return generating or self._warm_up is not None or self._idle is not None

    def wake(self) -> None:
        """Somebody waits for an answer: start nothing else."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def rest_at(self, document: Document, offset: int) -> None:
        """The user may pause here, and nobody waits for an answer: once nothing has happened for
        a while, work ahead."""
        self.wake()
        if self._closed:
            return
        self._resting = document.uri
        self._idle = asyncio.get_running_loop().call_later(
            IDLE_S if self._anchors.wide else SOON_S, self._work_ahead, document, offset
        )

    async def close(self) -> None:
        """Stop everything that was started here."""
        self._closed = True
        self.wake()
        if self.running is not None:
            self.stop(self.running)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _agrees(self, running: Generation, document: Document, cursor: int) -> bool:
        """Whether the running generation is still worth its time after an edit.

        Before it has said anything it is evaluating the prompt, which the next request needs
        as well as long as the anchor holds: stopping it there would mean that fast typing
        never gets an answer (TabbyML/tabby#3367).
        """
        present = self._anchors.present
        if not running.spoken and present is not None:
            return running.anchor.prefix == present.prefix and holds(present, document, cursor)
        return any(
            compare(forecast, document, cursor).relation != "disagrees"
            for forecast in running.forecasts
        )

    def _work_ahead(self, document: Document, offset: int) -> None:
        """Evaluate a prompt now, so that the next key does not have to."""
        self._idle = None
        state, running = self._engine.state, self.running
        if not isinstance(state, Ready) or state is not self._ready:
            return
        anchor = self._anchors.ahead(document, offset, state.model)
        if anchor is None or (self._warm_up is not None and self._warm_up.anchor == anchor):
            return
        if running is not None and running.done is None:
            # It runs on into the forecasts. That can wait for a better prompt, if there is a
            # line to show meanwhile; else look again later.
            if self._anchors.wide or not running.can_stop:
                self.rest_at(document, offset)
                return
            self.stop(running)
        warm_up = self._warm_up = _WarmUp(self._next_id(), anchor)
        request = GenerateRequest(
            id=warm_up.id,
            head=_head(anchor, state),
            max_tokens=0,
            fresh=True,
            background=True,
        )
        self._spawn(self._arrive(warm_up, self._engine.generate(request)))

    async def _arrive(self, warm_up: "_WarmUp", events: AsyncIterator[Event]) -> None:
        """Use what was evaluated ahead, once it is there whole."""
        try:
            async for event in events:
                if isinstance(event, DoneEvent):
                    self._learn(warm_up.anchor, event)
                    if event.reason == "length":
                        self._anchors.arrived(warm_up.anchor)
        finally:
            if self._warm_up is warm_up:
                self._warm_up = None

    async def _pump(self, generation: Generation, events: AsyncIterator[Event]) -> None:
        """Move events into the forecasts until the end."""
        stopped = False
        try:
            async for event in events:
                generation.take(event)
                if generation.enough and not stopped:
                    stopped = True
                    self.stop(generation)
                self._signal.fire()
        finally:
            generation.end()
            self._signal.fire()
        self._learn(generation.anchor, generation.done)

    def _learn(self, anchor: Anchor, done: DoneEvent | None) -> None:
        """What a failure says about the prompts to come."""
        if done is not None and done.too_long_by:
            self._anchors.too_long(anchor.uri)
        elif done is None or done.reason == "failed":
            self._anchors.lose()

    def _next_id(self) -> int:
        self._request_ids += 1
        return self._request_ids

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a generation's task failed", exc_info=error)


@dataclass(frozen=True, slots=True)
class _WarmUp:
    """A prompt that is being evaluated ahead."""

    id: int
    anchor: Anchor


def _head(anchor: Anchor, state: Ready) -> tuple[Piece, ...]:
    return completion_head(state.model, _prompt_text(anchor.prefix), _prompt_text(anchor.suffix))


def _prompt_text(data: bytes) -> str:
    """Document bytes as the model is shown them."""
    return unix_lines(data).decode("utf-8", "replace")


def _cursors(edit: Edit) -> tuple[int, ...]:
    """Where the cursor may be after an edit: behind it, or before a bracket or quote that the
    editor closed by itself."""
    closed = len(edit.text) > 1 and edit.text[-1:] in CLOSING
    return (edit.new_end, edit.new_end - 1) if closed else (edit.new_end,)
