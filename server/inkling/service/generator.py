"""Starts, keeps and stops generations: the owner of the anchor and of the running request.

Event loop's thread only. Invariants: at most one generation runs; a key that agrees with it
never stops it; the anchor is re-used while it holds, so that the prompt stays in the engine's
KV cache, and is moved in idle time, not on a key.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine

from inkling.config import Settings
from inkling.engine.api import Engine, Event, GenerateRequest, Piece, Ready
from inkling.prompt.anchor import Anchor, Budget, holds, place, shifted
from inkling.prompt.fim import completion_head
from inkling.service.budget import generation_tokens, prompt_budget
from inkling.service.forecast import Forecast, Forecasts, compare, place_at, unix_lines
from inkling.service.generation import Generation
from inkling.service.signal import Signal
from inkling.syntax.scope import line_context
from inkling.text.document import Document, Edit

logger = logging.getLogger(__name__)

IDLE_S = 0.7
"""Quiet time after which the anchor is moved to the cursor's line."""
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
        self._anchor: Anchor | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._scales: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._request_ids = 0

    def start(
        self, document: Document, offset: int, *, candidates: int, multiline: bool
    ) -> Generation:
        """Generate from the cursor on; supersedes the running generation.

        The engine must be `Ready`.
        """
        state = self._engine.state
        assert isinstance(state, Ready)
        anchor = self._anchor
        reanchored = anchor is None or not holds(anchor, document, offset)
        if anchor is None or reanchored:
            anchor = self._anchor = self._place(document, offset, state)
        whole_lines = multiline or line_context(document, offset).tail_is_closers
        request = GenerateRequest(
            id=self._next_id(),
            head=_head(anchor, state),
            forced=_prompt_text(document.data[anchor.offset : offset]),
            max_tokens=generation_tokens(state.model.calibration),
            stop=() if whole_lines else ("\n",),
            candidates=candidates,
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
            may_fence=document.language_id == "markdown",
        )
        self.running = generation
        self._spawn(self._pump(generation, self._engine.generate(request)))
        return generation

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Move the anchor along with an edit; stop a generation that disagrees with it."""
        if self._anchor is not None and self._anchor.uri == document.uri:
            self._anchor = shifted(self._anchor, edits)
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
        if self._anchor is not None and self._anchor.uri == uri:
            self._anchor = None
        self._scales.pop(uri, None)

    def owner_of(self, forecast: Forecast) -> Generation | None:
        """The newest generation, if `forecast` is its."""
        running = self.running
        return running if running is not None and forecast in running.forecasts else None

    def rest_at(self, document: Document, offset: int) -> None:
        """The user may pause here: once nothing has happened for a while, move the anchor."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(
            IDLE_S, self._reanchor_in_idle_time, document, offset
        )

    async def close(self) -> None:
        """Stop everything that was started here."""
        if self._idle is not None:
            self._idle.cancel()
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
        if not running.spoken and self._anchor is not None:
            return running.anchor.prefix == self._anchor.prefix and holds(
                self._anchor, document, cursor
            )
        return any(
            compare(forecast, document, cursor).relation != "disagrees"
            for forecast in running.forecasts
        )

    def _reanchor_in_idle_time(self, document: Document, offset: int) -> None:
        """Evaluate a fresh anchor's prompt now, so that the next key does not have to.

        A key that comes meanwhile goes on with the new anchor: the engine keeps what is
        evaluated of it.
        """
        state, anchor = self._engine.state, self._anchor
        if not isinstance(state, Ready) or anchor is None:
            return
        if self.running is not None and self.running.done is None:
            self.rest_at(document, offset)  # it runs on into the forecasts; look again later
            return
        if not holds(anchor, document, offset):
            return
        if b"\n" not in document.data[anchor.offset : offset]:
            return
        self._anchor = self._place(document, offset, state)
        warm_up = GenerateRequest(
            id=self._next_id(), head=_head(self._anchor, state), max_tokens=0, background=True
        )
        self._spawn(_drain(self._engine.generate(warm_up)))

    def _place(self, document: Document, offset: int, state: Ready) -> Anchor:
        budget = prompt_budget(state.model)
        scale = self._scales.get(document.uri, 1.0)
        return place(
            document,
            offset,
            Budget(int(budget.prefix_bytes * scale), int(budget.suffix_bytes * scale)),
            self._anchor,
        )

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
        self._learn(generation)

    def _learn(self, generation: Generation) -> None:
        """Show less of a file whose text takes more tokens than the budget assumes."""
        if generation.done is None or not generation.done.too_long_by:
            return
        uri = generation.anchor.uri
        self._scales[uri] = max(0.1, self._scales.get(uri, 1.0) / 2)
        self._anchor = None

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


async def _drain(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass
