"""Starts, keeps and stops generations: the owner of the running request.

Event loop's thread only. Invariants: at most one generation runs; a key that agrees with it
never stops it; the anchor is re-used while it holds, so that the prompt stays in the engine's
KV cache, and is moved in idle time, not on a key. Which anchor, is `anchors`' business; what
happens in idle time, `ahead`'s.
"""

import itertools
from collections.abc import AsyncIterator

from inkling.config import Settings
from inkling.context.blocks import Backdrop
from inkling.engine.api import Engine, Event, GenerateRequest
from inkling.prompt.anchor import holds
from inkling.service.ahead import Ahead
from inkling.service.anchors import Anchors
from inkling.service.backdrops import Backdrops, ContextSource
from inkling.service.budget import generation_tokens
from inkling.service.forecast import Forecast, Forecasts, compare, place_at, unix_lines
from inkling.service.generation import Generation
from inkling.service.signal import Signal
from inkling.service.tasks import Tasks
from inkling.service.wording import head_of, prompt_text
from inkling.syntax.scope import line_context
from inkling.text.document import Document, Edit

CLOSING = (b")", b"]", b"}", b'"', b"'", b"`")


class Generator:
    """See the module's docstring."""

    def __init__(
        self,
        engine: Engine,
        forecasts: Forecasts,
        signal: Signal,
        settings: Settings,
        source: ContextSource | None = None,
    ) -> None:
        self.running: Generation | None = None
        self._engine = engine
        self._forecasts = forecasts
        self._signal = signal
        self._anchors = Anchors()
        self._backdrops = Backdrops(source)
        self._tasks = Tasks()
        self._numbers = itertools.count(1)
        self._ahead = Ahead(
            engine,
            self._anchors,
            self._backdrops,
            self._tasks,
            self._numbers,
            busy=self._busy,
            make_way=self._make_way,
        )
        self.settings_changed(settings)

    def settings_changed(self, settings: Settings) -> None:
        """Use `settings` from the next request on."""
        self._settings = settings
        if self._ahead.shows_blocks != settings.workspace_context:
            self._ahead.shows_blocks = settings.workspace_context
            self._anchors.lose()

    def start(
        self,
        document: Document,
        offset: int,
        *,
        candidates: int,
        multiline: bool,
        patient: bool = False,
        backdrop: Backdrop | None = None,
    ) -> Generation:
        """Generate from the cursor on; supersedes the running generation.

        The engine must be `Ready`. `patient`: somebody waits, for seconds if need be; for them a
        new prompt shows `backdrop`.
        """
        model = self._anchors.model_of(self._engine.state)
        assert model is not None
        anchor, reanchored = self._anchors.at(
            document, offset, model, patient=patient, backdrop=backdrop
        )
        whole_lines = multiline or line_context(document, offset).tail_is_closers
        request = GenerateRequest(
            id=next(self._numbers),
            head=head_of(anchor, model),
            forced=prompt_text(document.data[anchor.offset : offset]),
            max_tokens=generation_tokens(model.calibration),
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
            line_limit=max(2, self._settings.max_lines),
            multiline=multiline,
            may_fence=document.language_id == "markdown",
        )
        self.running = generation
        self._tasks.spawn(self._pump(generation, self._engine.generate(request)))
        return generation

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Move the anchors along with an edit; stop a generation that disagrees with it."""
        self._ahead.edited(document.uri)
        self._anchors.edited(document.uri, edits)
        self._backdrops.edited(document, edits)
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
        self._ahead.forget(uri)
        self._anchors.forget(uri)

    def owner_of(self, forecast: Forecast) -> Generation | None:
        """The newest generation, if `forecast` is its."""
        running = self.running
        return running if running is not None and forecast in running.forecasts else None

    @property
    def working(self) -> bool:
        """Whether the engine has something to do, or will have as soon as it is quiet."""
        generating = self.running is not None and self.running.done is None
        return generating or self._ahead.pending

    def wake(self) -> None:
        """Somebody waits for an answer: start nothing else."""
        self._ahead.wake()

    def rest_at(self, document: Document, offset: int) -> None:
        """The user may pause here, and nobody waits for an answer."""
        self._ahead.rest_at(document, offset)

    async def backdrop(self, document: Document, offset: int) -> Backdrop | None:
        """What `start` is to show of other files to who waits; soon, and never raises."""
        return await self._ahead.backdrop(document, offset)

    async def close(self) -> None:
        """Stop everything that was started here."""
        self._ahead.close()
        self._make_way()
        await self._tasks.close()

    def _busy(self) -> bool:
        """Whether a generation runs that is worth more than a better prompt. Where it runs on
        into the forecasts that can wait, if there is a line to show meanwhile."""
        running = self.running
        if running is None or running.done is not None:
            return False
        return self._anchors.wide or not running.can_stop

    def _make_way(self) -> None:
        if self.running is not None:
            self.stop(self.running)

    def _agrees(self, running: Generation, document: Document, cursor: int) -> bool:
        """Whether the running generation is still worth its time after an edit.

        Before it has said anything it is evaluating the prompt, which the next request needs
        as well as long as the anchor holds: stopping it there would mean that fast typing
        never gets an answer (TabbyML/tabby#3367).
        """
        present = self._anchors.present
        if not running.spoken and present is not None:
            same = running.anchor.prefix == present.prefix
            same = same and running.anchor.blocks == present.blocks
            return same and holds(present, document, cursor)
        return any(
            compare(forecast, document, cursor).relation != "disagrees"
            for forecast in running.forecasts
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
        self._anchors.learn(generation.anchor.uri, generation.done)


def _cursors(edit: Edit) -> tuple[int, ...]:
    """Where the cursor may be after an edit: behind it, or before a bracket or quote that the
    editor closed by itself."""
    closed = len(edit.text) > 1 and edit.text[-1:] in CLOSING
    return (edit.new_end, edit.new_end - 1) if closed else (edit.new_end,)
