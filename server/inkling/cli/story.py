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
) -> AsyncIterator[Frame | Figure]:
    """Tell it. `engine` is the completer's; `pause` stretches the times for looking (0: none)."""
    document, offset = hole()
    typist = Typist(completer, document, offset)
    yield _frame(typist, "", "The cursor stands in a function that has no body yet.")
    await asyncio.sleep(READ_S * pause)

    # 1. A suggestion grows; a key that disagrees stops it in the middle.
    began = time.perf_counter()
    seen = ""
    first_ms = 0.0
    growing = typist.watch()
    async for seen in growing:
        if seen:
            first_ms = first_ms or _ms_since(began)
            yield _frame(
                typist, seen, f"The model writes … {_ms_since(began):.0f} ms", growing=True
            )
        if len(seen) >= SEEN_ENOUGH:
            break
    yield Figure("request → first ghost text", _ms(first_ms), "the whole prompt is new to it")

    key, rest = _disagreeing(seen)
    stopped = asyncio.ensure_future(_drained(growing))
    began = time.perf_counter()
    typist.type(key)
    was_running = not stopped.done()
    await asyncio.wait_for(stopped, PATIENCE_S)
    stop_ms = _ms_since(began)
    if was_running:
        yield Figure("disagreeing key → model stopped", _ms(stop_ms), f"the key {key!r}")
    yield _frame(typist, "", f"The key {key!r} disagrees: stopped after {stop_ms:.1f} ms.")

    # 2. A new suggestion for what is typed now, until it is what the user means.
    suggestion: Suggestion | None = None
    while rest:
        suggestions, why = await _answered(typist, completer)
        if suggestions:
            suggestion = suggestions[0]
            yield _frame(typist, suggestion.text, f"A new one after {why.total_ms:.0f} ms.")
            yield Figure(f"key {key!r} → new suggestion", _ms(why.total_ms), _tokens(why))
            if rest.startswith(suggestion.text[:MEANT]):
                break
        await asyncio.sleep(KEY_S * pause)
        key, rest = rest[0], rest[1:]
        typist.type(key)
    if suggestion is None:
        return
    await asyncio.sleep(READ_S * pause)

    # 3. Typing what it suggests costs no model call.
    times: list[float] = []
    calls_before = engine.calls
    for key in suggestion.text.split("\n")[0][:KEYS_THROUGH]:
        typist.type(key)
        suggestions, why = await _answered(typist, completer)
        times.append(why.total_ms)
        if not suggestions:
            break
        suggestion = suggestions[0]
        note = f"Typing what it suggests: {why.total_ms:.1f} ms"
        yield _frame(typist, suggestion.text, note, growing=True)
        await asyncio.sleep(KEY_S * pause)
    calls = engine.calls - calls_before
    yield _frame(typist, suggestion.text, f"{len(times)} agreeing keys, {calls} model calls.")
    slowest = f"{len(times)} keys, slowest {max(times):.1f} ms, {calls} model calls"
    yield Figure("agreeing key → suggestion", _ms(sorted(times)[len(times) // 2]), slowest)

    # 4. Accepting it; the next one follows.
    typist.accept(suggestion)
    yield _frame(typist, "", "Tab: accepted.")
    await asyncio.sleep(READ_S * pause)
    typist.type("\n" + _next_indent(typist))
    began = time.perf_counter()
    suggestions, why = await _answered(typist, completer)
    if not suggestions:
        # No whole line within an editor's patience: wait for one and ask again.
        async for seen in typist.watch():
            yield _frame(
                typist, seen, f"The model writes … {_ms_since(began):.0f} ms", growing=True
            )
            if "\n" in seen.strip():
                break
        suggestions, why = await _answered(typist, completer)
    next_ms = _ms_since(began)
    if suggestions:
        yield Figure("accepted, Enter → next suggestion", _ms(next_ms), _tokens(why))
        yield _frame(typist, suggestions[0].text, f"The next one after {next_ms:.0f} ms.")
    else:
        yield _frame(typist, "", f"Enter: no next suggestion. {why.reason}")
    await asyncio.sleep(READ_S * pause)


def _disagreeing(seen: str) -> tuple[str, str]:
    """The first key of what the user wants that the model did not say, and the rest of it."""
    suggested = seen.lstrip()
    wanted = next(text for text in INTENDED if not suggested.startswith(text[0]))
    return wanted[0], wanted[1:]


def _next_indent(typist: Typist) -> str:
    """The indentation of the cursor's line, which editors repeat after Enter."""
    line = typist.before.rpartition("\n")[2]
    return line[: len(line) - len(line.lstrip())]


async def _answered(typist: Typist, completer: Completer) -> tuple[tuple[Suggestion, ...], Why]:
    return await typist.ask(), completer.why()


async def _drained(texts: AsyncIterator[str]) -> None:
    async for _ in texts:
        pass


def _frame(typist: Typist, ghost: str, note: str, *, growing: bool = False) -> Frame:
    return Frame(typist.before, ghost, typist.after, note, growing)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def _tokens(why: Why) -> str:
    stats = why.stats
    if stats is None:
        return ""
    return f"{stats.evaluated_tokens} of {stats.prompt_tokens} prompt tokens evaluated"
