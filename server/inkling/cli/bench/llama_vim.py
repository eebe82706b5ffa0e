"""llama-server as an opponent, driven as the llama.vim plug-in drives it.

What is rebuilt: the window of 256 lines before and 64 after, the `/infill` request with its
limits and samplers, one request at a time with a retry every 100 ms, the answers' cache of 250
with the look-back over 128 typed characters and the three scrolled variants, the request ahead
that follows a shown hint, and the filters before a hint is shown. Left out: its ring of chunks
from other files, which a single file does not fill (empty rings make its prompts shorter).
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

import msgspec

from inkling.cli.bench.http import NoAnswer, post
from inkling.cli.bench.llama_server import RunningServer, ServerOptions, llama_server
from inkling.cli.bench.side import Ghost, now
from inkling.cli.bench.trace import Step

LINES_BEFORE, LINES_AFTER = 256, 64
RETRY_S = 0.1
LOOK_BACK = 128
CACHE = 250
MAX_LINE_SUFFIX = 8
FIRST_MS, AHEAD_MS = 250, 1000


class Served(msgspec.Struct, frozen=True):
    """One `/infill` answer: tokens and milliseconds as the server reports them."""

    ms: float
    prompt_tokens: int
    predicted_tokens: int
    ahead: bool


class Window(msgspec.Struct, frozen=True):
    """What one request is made of."""

    prefix: str
    middle: str
    suffix: str
    line_suffix: str
    indent: int

    def places(self) -> list[tuple[str, str]]:
        """Under what the answer is found again: this place and three lines further down."""
        found, before = [(self.prefix + self.middle, self.suffix)], self.prefix
        for _ in range(3):
            _, newline, before = before.partition("\n")
            if not newline or not before:
                break
            found.append((before + self.middle, self.suffix))
        return found


def window(text: str, cursor: int, ahead: str = "") -> Window:
    """The window at `cursor`, as if `ahead` had been taken there already."""
    before, after = text[:cursor], text[cursor:]
    *lines_before, prefix = before.split("\n")
    line_suffix, *lines_after = after.split("\n")
    indent = len(prefix + line_suffix) - len((prefix + line_suffix).lstrip())
    if ahead:
        # The plug-in's hint ends with what follows the cursor on its line.
        first, *rest = ahead.split("\n")
        lines = [prefix + first, *rest]
        if len(lines) > 1:
            lines[-1] += line_suffix
        else:
            lines[0] += line_suffix
        lines_before, prefix, line_suffix = [*lines_before, *lines[:-1]], lines[-1], ""
    elif not (prefix + line_suffix).strip():
        prefix, line_suffix, indent = "", "", 0
    return Window(
        prefix="\n".join(lines_before[-LINES_BEFORE:]) + "\n",
        middle=prefix,
        suffix=line_suffix + "\n" + "\n".join(lines_after[:LINES_AFTER]) + "\n",
        line_suffix=line_suffix,
        indent=indent,
    )


def hint(text: str, cursor: int, content: str) -> str:
    """The part of an answer that llama.vim shows; "" where it would show nothing."""
    lines = content.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return ""
    before, after = text[:cursor], text[cursor:]
    prefix = before.rpartition("\n")[2]
    line_suffix, *following = after.split("\n")
    if not (prefix + line_suffix).strip():
        # The blanks are there already; the answer starts at the line's start.
        lead = min(len(lines[0]) - len(lines[0].lstrip()), len(prefix))
        lines[0] = lines[0][lead:]
    if len(lines) > 1 and not lines[0] and lines[1:] == following[: len(lines) - 1]:
        return ""
    if lines == [line_suffix]:
        return ""
    filled = [at for at, line in enumerate(following) if line.strip()]
    if filled:
        at = filled[0]
        if prefix + lines[0] == following[at]:
            after_next = following[at + 1] if at + 1 < len(following) else ""
            if len(lines) == 1 or (len(lines) == 2 and after_next.startswith(lines[1])):
                return ""
            if len(lines) > 2 and lines[1:] == following[at + 1 : at + len(lines)]:
                return ""
    shown = "\n".join(lines)
    return shown if shown.strip() else ""


def request(place: Window, predict_ms: int) -> dict[str, Any]:
    """The body llama.vim posts to `/infill`."""
    return {
        "id_slot": 0,
        "input_prefix": place.prefix,
        "input_suffix": place.suffix,
        "input_extra": [],
        "prompt": place.middle,
        "n_predict": 128,
        "stop": [],
        "n_indent": place.indent,
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": predict_ms,
        "response_fields": [
            "content",
            "timings/prompt_n",
            "timings/prompt_ms",
            "timings/predicted_n",
            "timings/predicted_ms",
            "truncated",
            "tokens_cached",
        ],
    }


class LlamaVimSide:
    """Owner of one llama-server and of the plug-in's state for one buffer."""

    def __init__(
        self, name: str, options: ServerOptions, running: RunningServer | None = None
    ) -> None:
        """`running`: a server to talk to instead of starting one."""
        self.name = name
        self.ghost: Ghost | None = None
        self.since = 0.0
        self.served: list[Served] = []
        self._options = options
        self._server = contextlib.ExitStack()
        self._running = running
        self._cache: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._text = ""
        self._cursor = 0
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Start llama-server. Raises ServerDidNotStart, OSError."""
        if self._running is not None:
            return
        context = llama_server(self._options)
        self._running = await asyncio.to_thread(self._server.enter_context, context)

    async def open(self, name: str, language_id: str, text: str) -> None:
        await self.quiet()
        self._text, self._cursor, self.ghost = text, 0, None

    async def did(self, text: str, step: Step) -> None:
        """CursorMovedI: hide, show what the cache has, ask."""
        self._text, self._cursor = text, step.cursor
        self.ghost = None
        self._try_hint()
        self._complete()

    async def take(self, text: str, step: Step) -> None:
        await self.did(text, step)

    def busy(self) -> bool:
        return self._timer is not None or (self._job is not None and not self._job.done())

    async def quiet(self) -> None:
        for _ in range(4):
            self._stop_timer()
            if self._job is not None and not self._job.done():
                await asyncio.wait([self._job], timeout=15.0)
        self._stop_timer()

    async def stop(self) -> None:
        self._stop_timer()
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)
        self._server.close()

    @property
    def pid(self) -> int:
        return self._running.pid if self._running else 0

    # -- llama#fim ---------------------------------------------------------------------------

    def _complete(self, ahead: str = "", cursor: int | None = None) -> None:
        """Ask unless the answer is in the cache; later if a request is under way."""
        self._stop_timer()
        if self._job is not None and not self._job.done():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(RETRY_S, self._complete, ahead, cursor)
            return
        place = window(self._text, self._cursor if cursor is None else cursor, ahead)
        if len(place.line_suffix) > MAX_LINE_SUFFIX:
            return
        if any(self._cached(key) is not None for key in place.places()):
            return
        self._job = asyncio.get_running_loop().create_task(self._fetch(place, bool(ahead)))

    async def _fetch(self, place: Window, ahead: bool) -> None:
        assert self._running is not None
        started = now()
        try:
            answer = await post(
                f"{self._running.url}/infill", request(place, AHEAD_MS if ahead else FIRST_MS)
            )
        except (NoAnswer, OSError):
            return
        self.served.append(
            Served(
                round((now() - started) * 1000, 2),
                int(answer.get("timings/prompt_n") or 0),
                int(answer.get("timings/predicted_n") or 0),
                ahead,
            )
        )
        for key in place.places():
            self._remember(key, answer.get("content") or "")
        if self.ghost is None:
            # The job is over for the plug-in before its callback looks for the next one.
            self._job = None
            self._try_hint()

    # -- s:fim_try_hint ----------------------------------------------------------------------

    def _try_hint(self) -> None:
        place = window(self._text, self._cursor)
        before = place.prefix + place.middle
        content = self._cached((before, place.suffix))
        if content is None:
            best = ""
            for typed in range(1, min(LOOK_BACK, len(before)) + 1):
                found = self._cached((before[:-typed], place.suffix))
                if found and found.startswith(before[-typed:]) and len(found) - typed > len(best):
                    best = found[typed:]
            content = best or None
        if content is None:
            return
        shown = hint(self._text, self._cursor, content)
        if shown:
            self.ghost = Ghost(self._cursor, self._cursor, shown)
            self.since = now()
            self._complete(shown, self._cursor)

    def _cached(self, key: tuple[str, str]) -> str | None:
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        return found

    def _remember(self, key: tuple[str, str], content: str) -> None:
        if key not in self._cache and len(self._cache) >= CACHE:
            self._cache.popitem(last=False)
        self._cache[key] = content
        self._cache.move_to_end(key)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
