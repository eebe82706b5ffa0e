"""What the demo shows, as a stream of frames and measured figures. Prints nothing.

A user writes a function in one of Inkling's own source files: the model suggests, a key that
disagrees stops it, a suggestion is typed through and accepted, and the next one follows.
Invariant: every text comes from the running model and every figure from a clock; what the user
types is chosen by what the model said (something else, or the same), never by a script.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files

from inkling.cli.counting import CountingEngine
from inkling.cli.typist import Typist
from inkling.service.completer import Completer
from inkling.service.records import Suggestion, Why
from inkling.text.document import Document
from inkling.text.encode import to_bytes

FILE = "dirs.py"
FUNCTION = "state_dir"
INTENDED = ("override = _override()", "return cache_dir() / 'state'")
"""What the user wants to write: the first of these that the model did not suggest."""

SEEN_ENOUGH = 32
"""Characters of the first suggestion after which the user disagrees."""
MEANT = 5
"""Characters a suggestion has to share with what is meant for the user to go along with it."""
KEYS_THROUGH = 10
KEY_S = 0.15
"""Seconds between two keys: a fast typist."""
READ_S = 0.7
"""Seconds to look at something."""
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What the screen shows. `growing` frames are steps of an animation; the others count."""

    before: str
    ghost: str
    after: str
    note: str
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, for the table at the end."""

    event: str
    value: str
    detail: str = ""


Told = Frame | Figure


def hole() -> tuple[Document, int]:
    """The demo's file without the statements of one function, and their byte offset."""
    text = (files("inkling") / FILE).read_text(encoding="utf-8")
    head, tail = re.split(rf"(?<=\ndef {FUNCTION}\(\) -> Path:\n)", text, maxsplit=1)
    documented = re.match(r'( +)""".*"""\n', tail)
    assert documented is not None, "the function has a docstring of one line"
    before = head + documented[0] + documented[1]
    after = tail[tail.index("\n\n\n") :]
    return Document(f"file:///{FILE}", "python", 1, to_bytes(before + after)), len(to_bytes(before))


async def story(
    completer: Completer, engine: CountingEngine, *, pause: float = 1.0
) -> AsyncIterator[Told]:
    """Tell it. `engine` is the completer's; `pause` stretches the times for looking (0: none)."""
    scenes = _Scenes(completer, engine, pause)
    yield scenes.frame("", "The cursor stands in a function that has no body yet.")
    await scenes.look()
    async for told in scenes.stop_in_the_middle():
        yield told
    for scene in (scenes.say_what_is_meant, scenes.type_through, scenes.accept):
        async for told in scene():
            yield told
        if scenes.shown is None:
            return
        await scenes.look()


class _Scenes:
    """The scenes in their order. `shown` is the suggestion that stands at the cursor."""

    def __init__(self, completer: Completer, engine: CountingEngine, pause: float) -> None:
        self._completer = completer
        self._engine = engine
        self._pause = pause
        self._typist = Typist(completer, *hole())
        self._key = ""
        self._meant = ""
        """What the user still wants to write."""
        self.shown: Suggestion | None = None

    async def stop_in_the_middle(self) -> AsyncIterator[Told]:
        """A suggestion grows; a key that disagrees stops it."""
        typist = self._typist
        growing = typist.watch()
        began = time.perf_counter()
        seen, first, running = "", True, True
        async for seen in growing:
            if not seen:
                continue
            ms = _ms_since(began)
            if first:
                first = False
                yield Figure("request → first ghost text", _ms(ms), "the whole prompt is new to it")
            yield self.frame(seen, f"The model writes … {ms:.0f} ms", growing=True)
            if len(seen) >= SEEN_ENOUGH:
                break
        else:
            running = False
        wanted = next(text for text in INTENDED if not seen.lstrip().startswith(text[0]))
        self._key, self._meant = wanted[0], wanted[1:]
        began = time.perf_counter()
        typist.type(self._key)
        if not running:
            yield self.frame("", f"The key {self._key!r} disagrees; the model was done already.")
            return
        await asyncio.wait_for(_drained(growing), PATIENCE_S)
        ms = _ms_since(began)
        yield Figure("disagreeing key → model stopped", _ms(ms), f"the key {self._key!r}")
        yield self.frame("", f"The key {self._key!r} disagrees: stopped after {ms:.1f} ms.")

    async def say_what_is_meant(self) -> AsyncIterator[Told]:
        """New suggestions for what is typed now, key by key until one is what the user means."""
        while self._meant:
            why = await self._ask()
            if self.shown is not None:
                text = self.shown.text
                yield Figure(f"key {self._key!r} → new suggestion", _ms(why.total_ms), _tokens(why))
                yield self.frame(text, f"A new one after {why.total_ms:.0f} ms.")
                if self._meant.startswith(text[:MEANT]):
                    return
            self._key, self._meant = self._meant[0], self._meant[1:]
            await self._type(self._key)

    async def type_through(self) -> AsyncIterator[Told]:
        """Typing what is suggested costs no model call."""
        assert self.shown is not None
        line = self.shown.text.partition("\n")[0]
        calls_before = self._engine.calls
        times: list[float] = []
        for key in line[: max(1, min(KEYS_THROUGH, len(line) // 2))]:
            await self._type(key)
            times.append((await self._ask()).total_ms)
            if self.shown is None:
                break
            note = f"Typing what it suggests: {times[-1]:.1f} ms"
            yield self.frame(self.shown.text, note, growing=True)
        calls = self._engine.calls - calls_before
        count = f"{len(times)} agreeing keys, {calls} model calls"
        slowest = f"{len(times)} keys, slowest {max(times):.1f} ms, {calls} model calls"
        yield Figure("agreeing key → suggestion", _ms(sorted(times)[len(times) // 2]), slowest)
        yield self.frame(self.shown.text if self.shown else "", f"{count}.")

    async def accept(self) -> AsyncIterator[Told]:
        """Tab, Enter, and what comes next."""
        assert self.shown is not None
        typist = self._typist
        typist.accept(self.shown)
        yield self.frame("", "Tab: accepted.")
        await self.look()
        line = typist.before.rpartition("\n")[2]
        typist.type("\n" + line[: len(line) - len(line.lstrip())])
        began = time.perf_counter()
        why = await self._ask()
        if self.shown is None:
            # No whole line within the user's patience: wait for one and ask again.
            async for seen in typist.watch():
                note = f"The model writes … {_ms_since(began):.0f} ms"
                yield self.frame(seen, note, growing=True)
                if "\n" in seen.strip():
                    break
            why = await self._ask()
        ms = _ms_since(began)
        if self.shown is None:
            yield self.frame("", f"Enter: no next suggestion. {why.reason}")
            return
        yield Figure("accepted, Enter → next suggestion", _ms(ms), _tokens(why))
        yield self.frame(self.shown.text, f"The next one after {ms:.0f} ms.")

    def frame(self, ghost: str, note: str, *, growing: bool = False) -> Frame:
        """The document as it is now, with this ghost text."""
        return Frame(self._typist.before, ghost.rstrip("\n"), self._typist.after, note, growing)

    async def look(self) -> None:
        """Time to look at what is shown."""
        await asyncio.sleep(READ_S * self._pause)

    async def _type(self, key: str) -> None:
        self._typist.type(key)
        await asyncio.sleep(KEY_S * self._pause)

    async def _ask(self) -> Why:
        suggestions = await self._typist.ask()
        self.shown = suggestions[0] if suggestions else None
        return self._completer.why()


async def _drained(texts: AsyncIterator[str]) -> None:
    async for _ in texts:
        pass


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def _tokens(why: Why) -> str:
    stats = why.stats
    if stats is None:
        return ""
    return f"{stats.evaluated_tokens} of {stats.prompt_tokens} prompt tokens evaluated"
