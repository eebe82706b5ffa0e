"""What `inkling doctor` tries out on the running engine and syntax worker.

Invariant: a trial ends within its time and never raises; what went wrong is its `Check`. What a
busy machine may be the cause of is tried again, and then no failure but a warning.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from importlib.util import find_spec

from inkling.app import App
from inkling.cli.checks import Check
from inkling.cli.machine import is_busy
from inkling.config import Settings
from inkling.engine.api import Engine, EngineState, ModelInfo, Ready, Starting
from inkling.engine.machine import usable_cores
from inkling.service.completer import Completer
from inkling.service.records import CompletionRequest
from inkling.syntax.client import SyntaxClient
from inkling.syntax.languages import LANGUAGES
from inkling.text.document import Document

LOAD_S = 600.0
"""The first load of a model measures the machine and may re-quantize the weights."""
MEASURE_S = 15.0
"""The engine measures itself within a few seconds, unless other programs are busy."""
SYNTAX_S = 20.0
HOLE_S = 30.0
PAUSE_S = 1.0
"""Between two tries, more each time: a document whose parse failed has to rest for a while."""
SLOW_DECODE = 10.0
"""Tokens a second below which suggestions come too late to be of use."""

_BEFORE = "def add(a, b):\n    "
_AFTER = "\n\n\nprint(add(1, 2))\n"
_RETRY = "Run `inkling doctor` again; with INKLING_DEBUG=1 it shows the log."
_IDLE = "Run `inkling doctor` again when other programs leave the processor some time."


async def trials(app: App, settings: Settings) -> AsyncIterator[Check]:
    """Every trial of the engine, as each ends."""
    state = await settled(app.engine)
    if not isinstance(state, Ready):
        reason = getattr(state, "reason", "the model is still loading after ten minutes")
        yield Check("Load", "fail", reason, "After that run `inkling doctor` again.")
        return
    ours = settings.backend == "llama"
    model = await measured(app.engine, state.model) if ours else state.model
    for check in about_model(model, (settings.threads or usable_cores()) if ours else None):
        yield check
    yield await try_hole(app.completer)


async def settled(engine: Engine) -> EngineState:
    """The engine's state once it has loaded the model or said that it can't."""

    async def wait() -> EngineState:
        async for state in engine.states():
            if not isinstance(state, Starting):
                return state
        return engine.state

    try:
        return await asyncio.wait_for(wait(), LOAD_S)
    except TimeoutError:
        return engine.state


async def measured(engine: Engine, model: ModelInfo) -> ModelInfo:
    """`model` with its calibration, which the engine makes in its spare time, once."""

    async def wait() -> ModelInfo:
        async for state in engine.states():
            if isinstance(state, Ready) and state.model.calibration is not None:
                return state.model
        return model

    try:
        return await asyncio.wait_for(wait(), MEASURE_S)
    except TimeoutError:
        return model


def about_model(model: ModelInfo, threads: int | None) -> tuple[Check, ...]:
    """What the engine says of the model it has loaded, and how fast this machine is.

    `threads` are those it runs on until it has measured itself; None: another program runs it.
    """
    return (_about_load(model), _about_fim(model), _about_speed(model, threads))


def _about_load(model: ModelInfo) -> Check:
    weights = f", weights: {model.weights}" if model.weights else ""
    said = f"{model.name} ({model.architecture}), {model.context_tokens} tokens of context{weights}"
    return Check("Load", "ok", said)


def _about_fim(model: ModelInfo) -> Check:
    if model.fim is None:
        return Check(
            "FIM tokens",
            "warn",
            "the model has none, so it sees only what is before the cursor",
            "For better suggestions choose a model that `inkling models` marks as fast.",
        )
    said = f"prefix {model.fim.prefix}, suffix {model.fim.suffix}, middle {model.fim.middle}"
    if model.fim.repository is not None and model.fim.file_separator is not None:
        said += ", and for repositories"
    return Check("FIM tokens", "ok", said)


def _about_speed(model: ModelInfo, threads: int | None) -> Check:
    measured = model.calibration
    if measured is None and threads is None:
        return Check("Speed", "ok", "not measured: another program runs the model")
    if measured is None:
        said = f"not measured yet, as the machine is busy; on {_threads(threads or 1)} until then"
        return Check("Speed", "warn", said, _IDLE)
    said = (
        f"{measured.prompt_tokens_per_second:.0f} prompt and "
        f"{measured.decode_tokens_per_second:.0f} new tokens a second on "
        f"{_threads(measured.threads)}"
    )
    if measured.decode_tokens_per_second < SLOW_DECODE:
        return Check("Speed", "warn", said, "A smaller model would keep up (`inkling models`).")
    return Check("Speed", "ok", said)


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


async def try_syntax(syntax: SyntaxClient) -> Check:
    """Let the syntax worker judge a small piece of code, until it does."""
    base = [language for language in LANGUAGES if language.judged]  # the others are an extra
    if missing := [language.name for language in base if not _has_grammar(language.module)]:
        said = f"no tree-sitter grammar for {', '.join(missing)}"
        return Check("Syntax", "fail", said, "Install Inkling again.")
    async for attempt, left_s in _attempts(SYNTAX_S):
        # Another document each time: one whose parse stalled is left alone for a while.
        text = _BEFORE + _AFTER + "\n" * attempt
        judging = syntax.judge(
            Document(f"inkling:doctor{attempt}.py", "python", 1, text.encode()),
            len(_BEFORE),
            "return a + b",
            multiline=True,
            finished=True,
            deadline_ms=left_s * 1000,
        )
        with contextlib.suppress(TimeoutError):
            judgement = await asyncio.wait_for(judging, left_s)
            if judgement.keep:
                return Check("Syntax", "ok", "the worker parses")
            if judgement.checked:
                said = "the syntax worker finds errors in code that has none"
                return Check("Syntax", "fail", said, "Install Inkling again.")
    return _unanswered("Syntax", f"the syntax worker did not answer within {SYNTAX_S:.0f} s")


def _has_grammar(module: str) -> bool:
    return find_spec(module) is not None


async def try_hole(completer: Completer) -> Check:
    """Fill a small, easy hole as an editor would ask for it, until that is done."""
    document = Document("inkling:hole.py", "python", 1, (_BEFORE + _AFTER).encode())
    request = CompletionRequest(document, len(_BEFORE), invoked=True)
    said = f"no answer within {HOLE_S:.0f} s"
    async for _, left_s in _attempts(HOLE_S):
        with contextlib.suppress(TimeoutError):
            suggestions = await asyncio.wait_for(completer.complete(request), left_s)
            why = completer.why()
            if suggestions:
                shown = " ⏎ ".join(suggestions[0].text.split("\n"))
                said = f"def add(a, b): … → {shown} ({why.total_ms:.0f} ms)"
                return Check("Completion", "ok", said)
            said = f"nothing for an easy hole: {why.reason}"
    return _unanswered("Completion", said)


async def _attempts(limit_s: float) -> AsyncIterator[tuple[int, float]]:
    """Numbers from 0, each with the seconds left, until `limit_s` have passed."""
    until = time.monotonic() + limit_s
    attempt = 0
    while (left_s := until - time.monotonic()) > 0:
        yield attempt, left_s
        attempt += 1
        await asyncio.sleep(min(PAUSE_S * attempt, max(until - time.monotonic(), 0)))


def _unanswered(name: str, said: str) -> Check:
    """What a machine without time to spare may be the cause of."""
    if is_busy():
        return Check(name, "warn", f"the machine is busy: {said}", _IDLE)
    return Check(name, "fail", said, _RETRY)
