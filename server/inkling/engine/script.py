"""What a scripted engine says: frozen records, readable from JSON, and the pure choice of text.

A rule acts like a model that always wants to write `answer` after `ends_with`: where the
document already holds the answer's first characters, it goes on after them. So typing
through an answer behaves as it does with a real model.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from inkling.engine.api import (
    Calibration,
    EngineState,
    FimTokens,
    ModelInfo,
    Piece,
    Ready,
    StopReason,
)

FIM = FimTokens(prefix=1, suffix=2, middle=3, repository=4, file_separator=5)
"""Made-up marker ids, so that prompts get the fill-in-the-middle form."""

MODEL = ModelInfo(
    name="scripted",
    architecture="scripted",
    context_tokens=8192,
    vocabulary_size=6,
    fim=FIM,
    calibration=Calibration(
        prompt_tokens_per_second=300.0, decode_tokens_per_second=100.0, threads=1
    ),
    prompts_kept=2,
    weights="a script",
)


class BadScript(ValueError):
    """The script file could not be read; the message is one sentence for people."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of an answer; counts as one token."""

    text: str
    delay_ms: float = 0.0
    """Milliseconds before the piece, by the event loop's clock."""
    gate: str = ""
    """Wait before the piece until `ScriptedEngine.open_gate` was called with this name."""
    probability: float = 1.0


Answer = str | tuple[Step, ...]
"""A whole text, said in pieces of one word each, or the pieces themselves."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say where; the first rule that fits is used."""

    answer: Answer = ""
    ends_with: str = ""
    """The text before the cursor ends with this (then perhaps the answer's first characters)."""
    after: str = ""
    """The text after the cursor starts with this."""
    alternatives: tuple[Answer, ...] = ()
    """Candidates 1, 2, …"""
    reason: StopReason = "end"
    """How it ends once all is said and neither a stop string nor max_tokens came first."""
    error: str = ""
    """Not empty: it ends with "failed" and this message."""
    prompt_delay_ms: float = 0.0
    """Milliseconds before the first piece, warm-ups included."""


class StateStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state the engine takes, after a delay or once a gate is open."""

    state: EngineState
    delay_ms: float = 0.0
    gate: str = ""


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All a scripted engine does. Where no rule fits, "echo" repeats the cursor's line."""

    rules: tuple[Rule, ...] = ()
    otherwise: Literal["echo", "nothing"] = "echo"
    states: tuple[StateStep, ...] = (StateStep(Ready(MODEL)),)


def load(path: Path) -> Script:
    """Read a script from a JSON file. Raises `BadScript`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Script)
    except OSError as error:
        raise BadScript(f"Cannot read the engine script {path}: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise BadScript(f"The engine script {path} is not valid: {error}.") from error


class Cursor(msgspec.Struct, frozen=True):
    """What a prompt says about the document: the text on both sides of the cursor."""

    before: str
    after: str


def cursor_of(head: Sequence[Piece], forced: str) -> Cursor:
    """Take a prompt apart by the scripted markers, in whatever order they come."""
    parts = {FIM.prefix: "", FIM.suffix: "", FIM.middle: ""}
    section = FIM.prefix
    for piece in head:
        if isinstance(piece, str):
            parts[section] += piece
        elif piece in parts:
            section = piece
    return Cursor(parts[FIM.prefix] + parts[FIM.middle] + forced, parts[FIM.suffix])


def choose(script: Script, cursor: Cursor) -> Rule:
    """The rule for this place, its answers already cut by what the document holds of them."""
    for rule in script.rules:
        if not cursor.after.startswith(rule.after):
            continue
        said = _already_said(rule, cursor.before)
        if said is not None:
            return msgspec.structs.replace(
                rule,
                answer=_rest(rule.answer, said),
                alternatives=tuple(_rest(answer, said) for answer in rule.alternatives),
            )
    if script.otherwise == "nothing":
        return Rule()
    return Rule(answer=cursor.before[cursor.before.rfind("\n") + 1 :].strip())


def steps(answer: Answer) -> tuple[Step, ...]:
    """The pieces of an answer."""
    return tuple(map(Step, words(answer))) if isinstance(answer, str) else answer


def words(text: str) -> list[str]:
    """Cut text into pieces of one word or one run of white space; joined they are the text."""
    return re.findall(r"\w+|[^\w\s]|\s+", text)


def _whole(answer: Answer) -> str:
    return answer if isinstance(answer, str) else "".join(step.text for step in answer)


def _already_said(rule: Rule, before: str) -> str | None:
    """The part of the answer that stands before the cursor; None where the rule does not fit."""
    whole = _whole(rule.answer) if rule.ends_with else ""
    for count in range(len(whole), -1, -1):
        if before.endswith(rule.ends_with + whole[:count]):
            return whole[:count]
    return None


def _rest(answer: Answer, said: str) -> Answer:
    """What is left of an answer; nothing where it disagrees with what was said."""
    if not _whole(answer).startswith(said):
        return ""
    if isinstance(answer, str):
        return answer[len(said) :]
    left, skip = [], len(said)
    for step in answer:
        if skip < len(step.text):
            left.append(msgspec.structs.replace(step, text=step.text[skip:]))
        skip = max(0, skip - len(step.text))
    return tuple(left)
