"""What `inkling doctor` tries out on the running engine and syntax worker.

Invariant: a trial ends within its time and never raises; what went wrong is its `Check`.
"""

import asyncio
from collections.abc import AsyncIterator

from inkling.app import App
from inkling.cli.checks import Check
from inkling.engine.api import Engine, EngineState, ModelInfo, Ready, Starting
from inkling.service.completer import Completer
from inkling.service.records import CompletionRequest
from inkling.syntax.client import SyntaxClient
from inkling.text.document import Document

LOAD_S = 600.0
"""The first load of a model measures the machine and may re-quantize the weights."""
MEASURE_S = 15.0
"""The engine measures itself within a few seconds, unless other programs are busy."""
SYNTAX_S = 30.0
HOLE_S = 30.0
SLOW_DECODE = 10.0
"""Tokens a second below which suggestions come too late to be of use."""

_BEFORE = "def add(a, b):\n    "
_AFTER = "\n\n\nprint(add(1, 2))\n"
_RETRY = "Run `inkling doctor` again; if it stays so, the log says more."


async def trials(app: App, *, measures: bool) -> AsyncIterator[Check]:
    """Every trial of the engine, as each ends. `measures`: the back-end calibrates itself."""
    state = await settled(app.engine)
    if not isinstance(state, Ready):
        reason = getattr(state, "reason", "the model is still loading after ten minutes")
        yield Check("Load", "fail", reason, "After that run `inkling doctor` again.")
        return
    model = await measured(app.engine, state.model) if measures else state.model
    for check in about_model(model):
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


def about_model(model: ModelInfo) -> tuple[Check, ...]:
    """What the engine says of the model it has loaded, and how fast this machine is."""
    return (_about_load(model), _about_fim(model), _about_speed(model))


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


def _about_speed(model: ModelInfo) -> Check:
    measured = model.calibration
    if measured is None:
        said = "not measured: the back-end does not, or other programs kept the processor busy"
        return Check("Speed", "ok", said)
    said = (
        f"{measured.prompt_tokens_per_second:.0f} prompt and "
        f"{measured.decode_tokens_per_second:.0f} new tokens a second on "
        f"{measured.threads} thread{'s' if measured.threads > 1 else ''}"
    )
    if measured.decode_tokens_per_second < SLOW_DECODE:
        return Check("Speed", "warn", said, "A smaller model would keep up (`inkling models`).")
    return Check("Speed", "ok", said)


async def try_syntax(syntax: SyntaxClient) -> Check:
    """Let the syntax worker judge a small piece of code."""
    document = Document("inkling:doctor.py", "python", 1, (_BEFORE + _AFTER).encode())
    try:
        judgement = await asyncio.wait_for(
            syntax.judge(
                document,
                len(_BEFORE),
                "return a + b",
                multiline=True,
                finished=True,
                deadline_ms=SYNTAX_S * 1000,
            ),
            SYNTAX_S,
        )
    except TimeoutError:
        return Check("Syntax", "fail", "the syntax worker does not answer", _RETRY)
    if not judgement.checked or not judgement.keep:
        fix = "Install Inkling again: a tree-sitter grammar seems to be missing."
        return Check("Syntax", "fail", "the syntax worker could not parse Python", fix)
    return Check("Syntax", "ok", "the worker parses")


async def try_hole(completer: Completer) -> Check:
    """Fill a small, easy hole as an editor would ask for it."""
    document = Document("inkling:hole.py", "python", 1, (_BEFORE + _AFTER).encode())
    request = CompletionRequest(document, len(_BEFORE), invoked=True)
    try:
        suggestions = await asyncio.wait_for(completer.complete(request), HOLE_S)
    except TimeoutError:
        return Check("Completion", "fail", f"no answer within {HOLE_S:.0f} s", _RETRY)
    why = completer.why()
    if not suggestions:
        return Check("Completion", "fail", f"nothing for an easy hole: {why.reason}", _RETRY)
    shown = " ⏎ ".join(suggestions[0].text.split("\n"))
    return Check("Completion", "ok", f"def add(a, b): … → {shown} ({why.total_ms:.0f} ms)")
