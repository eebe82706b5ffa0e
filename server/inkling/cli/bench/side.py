"""What a replay drives: something that is told of each step and may show ghost text for it.

Two sides exist, Inkling's real server and llama-server driven as llama.vim drives it. A side
is told of a step and returns at once; when ghost text appears, it says so with a time stamp.
Offsets count code points of the text as it is; times are `time.perf_counter()` seconds.
"""

import time
from dataclasses import dataclass
from typing import Protocol

from inkling.cli.bench.trace import Step


@dataclass(frozen=True, slots=True)
class Ghost:
    """Ghost text that stands in the editor: taking it replaces [start, end) by `text`."""

    start: int
    end: int
    text: str

    def taken(self, text: str) -> str:
        """The document after it was taken whole."""
        return text[: self.start] + self.text + text[self.end :]

    def typed_through(self, step: Step) -> "Ghost | None":
        """What is left of it after the step, as editors keep it; None if the step disagrees."""
        lead = step.start - self.start
        if step.start != step.end or lead < 0 or not step.text or step.cursor < step.start:
            return None
        if step.cursor != step.start + len(step.text):
            return None
        if self.text[lead : lead + len(step.text)] != step.text:
            return None
        if len(self.text) <= lead + len(step.text):
            return None
        return Ghost(self.start, self.end + len(step.text), self.text)


class Side(Protocol):
    """One opponent. Not reusable after `stop`."""

    name: str
    ghost: Ghost | None
    since: float
    """When ghost text was first there for the present state; meaningless while there is none."""

    async def start(self) -> None: ...

    async def open(self, name: str, language_id: str, text: str) -> None:
        """Show this document; its predecessor is closed."""
        ...

    async def did(self, text: str, step: Step) -> None:
        """`step` has just been done and the document is now `text`."""
        ...

    async def take(self, text: str, step: Step) -> None:
        """Like `did`, for ghost text that was taken (all of it or its beginning)."""
        ...

    def busy(self) -> bool:
        """Whether ghost text for the present state may still come."""
        ...

    async def quiet(self) -> None:
        """Wait until nothing runs any more for this document, at most a few seconds."""
        ...

    async def stop(self) -> None: ...


def now() -> float:
    """The clock of all sides."""
    return time.perf_counter()
