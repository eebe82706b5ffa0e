"""What is done while nobody waits: a better prompt is evaluated, so that no key has to.

Once the user pauses, a wide window is placed and evaluated in the engine; where its start moves,
or nobody has been asked yet, the source of blocks is asked first (`backdrops`). Invariant: any
request and any edit of the document ends all of it at once, save an evaluation that is under way,
which the engine itself drops for a key. Event loop's thread only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from inkling.context.blocks import Backdrop
from inkling.engine.api import DoneEvent, Engine, Event, GenerateRequest
from inkling.prompt.anchor import Anchor
from inkling.service.anchors import Anchors
from inkling.service.backdrops import Backdrops, Question, much_better
from inkling.service.tasks import Tasks
from inkling.service.wording import head_of
from inkling.text.document import Document

IDLE_S = 0.3
"""Quiet time after which the cursor's line becomes the anchor."""
SOON_S = 0.03
"""The same while the window is only a quick one. Hardly any, as a key that needs the engine stops
what is evaluated ahead within milliseconds and loses nothing: the engine keeps both prompts."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A prompt that is being evaluated ahead."""

    id: int
    anchor: Anchor


class Ahead:
    """See the module.

    `busy` says whether something runs that is not to be stopped for a better prompt, `make_way`
    stops what does run; `numbers` are the ids of requests.
    """

    def __init__(
        self,
        engine: Engine,
        anchors: Anchors,
        backdrops: Backdrops,
        tasks: Tasks,
        numbers: Iterator[int],
        *,
        busy: Callable[[], bool],
        make_way: Callable[[], None],
    ) -> None:
        self.shows_blocks = True
        """Whether prompts may show other files."""
        self._engine = engine
        self._anchors = anchors
        self._backdrops = backdrops
        self._tasks = tasks
        self._numbers = numbers
        self._busy = busy
        self._make_way = make_way
        self._warm_up: WarmUp | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._resting = ""
        """The document the timer is about."""
        self._closed = False

    @property
    def pending(self) -> bool:
        """Whether the engine has something to do for the next key, or will have once it is
        quiet."""
        asking = self._idle is not None or self._backdrops.asking
        return asking or self._warm_up is not None

    def wake(self) -> None:
        """Somebody waits for an answer: start nothing else."""
        self._backdrops.stop()
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
            IDLE_S if self._anchors.wide else SOON_S, self._work, document, offset
        )

    def edited(self, uri: str) -> None:
        """What was to be done about this document is about a text that is no more."""
        if self._resting == uri:
            self.wake()

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self.edited(uri)
        if self._warm_up is not None and self._warm_up.anchor.uri == uri:
            self._engine.cancel(self._warm_up.id)

    def close(self) -> None:
        """Start nothing any more."""
        self._closed = True
        self.wake()

    async def backdrop(self, document: Document, offset: int) -> Backdrop | None:
        """What a wide prompt is to show of other files; for who waits, soon."""
        question = self._question(document, offset)
        return await self._backdrops.answer(question) if question is not None else None

    def _question(
        self, document: Document, offset: int, *, anyway: bool = False
    ) -> Question | None:
        model = self._anchors.model_of(self._engine.state)
        if model is None or not self.shows_blocks or not self._backdrops.answers:
            return None
        return self._anchors.question(document, offset, model, anyway=anyway)

    def _work(self, document: Document, offset: int) -> None:
        """Evaluate a prompt now, so that the next key does not have to."""
        self._idle = None
        if not self._anchors.know(self._engine.state):
            return
        question = self._question(document, offset)
        if question is None:
            self._evaluate(document, offset, None)
        elif self._busy():
            self.rest_at(document, offset)
            return
        else:
            self._backdrops.ask(question, partial(self._evaluate, document, offset))
        self._backdrops.look_again(partial(self._look_again, document, offset))

    def _look_again(self, document: Document, offset: int) -> None:
        """After a long pause other blocks may serve so much better that all is evaluated anew."""
        if self.pending or self._busy() or not self._anchors.know(self._engine.state):
            return
        question = self._question(document, offset, anyway=True)
        if question is None:
            return
        former = question.former

        def use(backdrop: Backdrop | None) -> None:
            if much_better(backdrop, former):
                self._evaluate(document, offset, backdrop)

        self._backdrops.ask(question, use)

    def _evaluate(self, document: Document, offset: int, backdrop: Backdrop | None) -> None:
        model = self._anchors.model_of(self._engine.state)
        if model is None or self._closed:
            return
        anchor = self._anchors.ahead(document, offset, model, backdrop)
        if anchor is None or (self._warm_up is not None and self._warm_up.anchor == anchor):
            return
        if self._busy():
            self.rest_at(document, offset)  # look again later
            return
        self._make_way()
        warm_up = self._warm_up = WarmUp(next(self._numbers), anchor)
        request = GenerateRequest(
            id=warm_up.id,
            head=head_of(anchor, model),
            max_tokens=0,
            fresh=True,
            background=True,
        )
        self._tasks.spawn(self._arrive(warm_up, self._engine.generate(request)))

    async def _arrive(self, warm_up: WarmUp, events: AsyncIterator[Event]) -> None:
        """Use what was evaluated ahead, once it is there whole."""
        try:
            async for event in events:
                if isinstance(event, DoneEvent):
                    self._anchors.learn(warm_up.anchor.uri, event)
                    if event.reason == "length":
                        self._anchors.arrived(warm_up.anchor)
        finally:
            if self._warm_up is warm_up:
                self._warm_up = None
