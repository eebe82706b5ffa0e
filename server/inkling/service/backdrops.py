"""What prompts show of the repository: asked of a source that may be slow, or gone.

A source is asked in idle time, or while somebody waits who has asked by hand; never on a key.
Invariant: a question is answered, or given up, within `ABANDON_S`, whatever the source does, and
nothing it does reaches who asks: there is a backdrop or there is none. Event loop's thread only.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from inkling.context.blocks import Backdrop, Block, choose, differs
from inkling.service.wording import is_secret
from inkling.syntax.languages import language_of
from inkling.text.document import Document, Edit

if TYPE_CHECKING:  # the server needs none of what retrieving takes
    from inkling.index.snippet import Snippet

DEADLINE_S = 0.05
"""What the source is told: it gives what it has by then."""
ABANDON_S = 0.1
"""When its answer is no longer waited for."""
AGAIN_S = 2.0
"""After a question without an answer it is not asked again for so long."""
LONG_PAUSE_S = 4.0
"""Quiet time after which it is worth looking whether other blocks would serve much better."""

logger = logging.getLogger(__name__)


class ContextSource(Protocol):
    """Knows the repository. Called on the event loop's thread."""

    async def snippets(
        self, document: Document, offset: int, *, budget_bytes: int, deadline_s: float
    ) -> "Sequence[Snippet]":
        """Pieces of other files for a cursor at byte `offset`, `budget_bytes` of text at most;
        what is found after `deadline_s` seconds if there is more. May be cancelled."""
        ...

    def whereabouts(self, uri: str) -> tuple[str, str]:
        """The name of the repository that a document is in, and its path there."""
        ...

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """A document is now `document`. Returns at once (< 0.1 ms): a key waits for it."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a source is asked for."""

    document: Document
    offset: int
    window: bytes
    """The text that the prompt shows of the document itself."""
    budget_bytes: int
    former: tuple[Block, ...] = ()
    """What stands in the prompt now."""


class Backdrops:
    """See the module. At most one question is under way in idle time."""

    def __init__(self, source: ContextSource | None) -> None:
        self._source = source
        self._not_before = 0.0
        self._idle: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._said = ""

    @property
    def asking(self) -> bool:
        """Whether an answer is waited for in idle time."""
        return self._idle is not None

    @property
    def answers(self) -> bool:
        """Whether it makes sense to ask now."""
        return self._source is not None and time.monotonic() >= self._not_before

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Pass an edit on: what was edited lately is worth showing elsewhere."""
        if self._source is None or is_secret(document.uri):
            return
        try:
            self._source.edited(document, edits)
        except Exception as error:  # the boundary to the source: typing goes on
            self._complain(error)

    def ask(self, question: Question, then: Callable[[Backdrop | None], None]) -> None:
        """Ask in idle time; `then` gets the answer, unless `stop` is called before."""
        self.stop()
        self._idle = asyncio.get_running_loop().create_task(self._tell(question, then))
        self._idle.add_done_callback(_report)

    def look_again(self, work: Callable[[], None]) -> None:
        """Do `work` after a long pause, unless `stop` is called before."""
        if self._later is not None:
            self._later.cancel()
        if self._source is not None:
            self._later = asyncio.get_running_loop().call_later(LONG_PAUSE_S, work)

    def stop(self) -> None:
        """Give up what was asked, and is to be asked, in idle time."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def answer(self, question: Question) -> Backdrop | None:
        """What a prompt is to show; None if the source did not say in time. Never raises."""
        source, document = self._source, question.document
        if source is None or not self.answers:
            return None
        try:
            found = await self._snippets(source, question)
            repository, path = source.whereabouts(document.uri)
            blocks = choose(found, question.window, question.budget_bytes, question.former)
        except Exception as error:  # the boundary to the source: completions go on
            self._not_before = time.monotonic() + AGAIN_S
            self._complain(error)
            return None
        language = language_of(document.language_id, document.uri)
        comment = language.comment if language is not None and language.comment else "#"
        return Backdrop(repository, path, comment, blocks)

    async def _snippets(self, source: ContextSource, question: Question) -> "Sequence[Snippet]":
        """The source's answer. Raises TimeoutError without waiting for the source to agree, as
        `asyncio.timeout` would."""
        asked = asyncio.ensure_future(
            source.snippets(
                question.document,
                question.offset,
                budget_bytes=question.budget_bytes,
                deadline_s=DEADLINE_S,
            )
        )
        asked.add_done_callback(_forget)
        try:
            await asyncio.wait({asked}, timeout=ABANDON_S)
            if not asked.done() or asked.cancelled():
                raise TimeoutError
            return asked.result()
        finally:
            asked.cancel()

    async def _tell(self, question: Question, then: Callable[[Backdrop | None], None]) -> None:
        backdrop = await self.answer(question)
        self._idle = None
        then(backdrop)

    def _complain(self, error: Exception) -> None:
        """Say once what is wrong, not with each key; not in its own words, as these may be
        source text."""
        said = type(error).__name__
        if said != self._said and not isinstance(error, TimeoutError):
            self._said = said
            logger.warning("nothing is known of the repository for now: %s", said)
            logger.debug("that was", exc_info=error)


def much_better(backdrop: Backdrop | None, former: Sequence[Block]) -> bool:
    """Whether a prompt is worth evaluating anew for this backdrop alone."""
    return backdrop is not None and differs(backdrop.blocks, former)


def _forget(asked: "asyncio.Future[Sequence[Snippet]]") -> None:
    """Take note of an error that comes too late for anybody."""
    if not asked.cancelled():
        asked.exception()


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("what was asked in idle time could not be used", exc_info=error)
