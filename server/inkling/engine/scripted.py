"""A back-end without a model: says what a script tells it to, for tests and for trying editors.

Deterministic, and it keeps every promise of `engine.api`: latest wins, warm-ups yield,
stop strings and max_tokens count, a stop takes effect at once. Tests that must hold a
request at a certain point use gates instead of sleeps.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from inkling.engine.api import (
    DoneEvent,
    EngineState,
    Event,
    GenerateRequest,
    Piece,
    Ready,
    Starting,
    Stats,
    StopReason,
    Unavailable,
)
from inkling.engine.script import BadScript, Rule, Script, StateStep, choose, cursor_of, load, words
from inkling.engine.speech import Speech
from inkling.engine.stream import EventStream, StateBoard
from inkling.engine.turns import Job, Turns


class ScriptedEngine:
    """An `Engine` that follows a `Script`. Owner of everything in it: the event loop's thread.

    `requests` and `finished` record what was asked and how it ended, in order.
    """

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or Script()
        first = self._script.states[0]
        waits = bool(first.delay_ms or first.gate)
        self._board = StateBoard(Starting("starting the script") if waits else first.state)
        self._steps = self._script.states if waits else self._script.states[1:]
        self._gates: defaultdict[str, _Gate] = defaultdict(_Gate)
        self._closed = asyncio.Event()
        self._turns = Turns(self._play)
        self._evaluated: list[str | int] = []
        self.requests: list[GenerateRequest] = []
        self.finished: list[DoneEvent] = []

    @classmethod
    def from_path(cls, path: Path) -> "ScriptedEngine":
        """Follow a JSON script file; one that cannot be read makes the engine `Unavailable`."""
        try:
            return cls(load(path))
        except BadScript as error:
            return cls(Script(states=(StateStep(Unavailable(str(error))),)))

    @property
    def state(self) -> EngineState:
        return self._board.state

    def states(self) -> AsyncIterator[EngineState]:
        return self._board.states()

    async def run(self) -> None:
        """Go through the script's states until `close`."""
        steps = asyncio.ensure_future(self._take_states())
        try:
            await self._closed.wait()
        finally:
            steps.cancel()

    def become(self, state: EngineState) -> None:
        """Take a state now; leaving `Ready` fails what runs, as a dying back-end does."""
        self._board.show(state)
        if not isinstance(state, Ready):
            self._turns.end_all("failed", "The scripted engine stopped.")

    def open_gate(self, name: str) -> None:
        """Let whoever waits, or will wait, at this gate go on."""
        self._gates[name].opened.set()

    async def reached(self, name: str) -> None:
        """Wait until a request (or a state) stands at this gate."""
        await self._gates[name].reached.wait()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        self.requests.append(request)
        stream = _RecordedStream(request.id, self.cancel, self.finished)
        if isinstance(self.state, Ready):
            self._turns.submit(Job(request, stream))
        else:
            reason = getattr(self.state, "reason", "The scripted engine is starting.")
            stream.put(DoneEvent(request.id, "failed", error=reason))
        return stream

    def cancel(self, request_id: int) -> None:
        self._turns.cancel(request_id)

    async def close(self) -> None:
        self._closed.set()
        self._turns.end_all("cancelled")
        self._board.close()

    async def _take_states(self) -> None:
        for step in self._steps:
            await asyncio.sleep(step.delay_ms / 1000)
            await self._pass_gate(step.gate)
            self.become(step.state)

    async def _play(self, job: Job) -> None:
        request = job.request
        rule = choose(self._script, cursor_of(request.head, request.forced))
        job.stats = self._evaluate((*request.head, request.forced))
        await asyncio.sleep(rule.prompt_delay_ms / 1000)
        reason = await self._say(job, rule)
        self._turns.end(job, "failed" if rule.error else reason, rule.error)

    async def _say(self, job: Job, rule: Rule) -> StopReason:
        speech = Speech(job.request, rule)
        if job.request.max_tokens == 0:
            return "length"
        for event in speech.missing():
            job.stream.put(event)
        for step in speech.steps():
            await asyncio.sleep(step.delay_ms / 1000)
            await self._pass_gate(step.gate)
            for text in speech.say(step):
                job.stream.put(text)
            job.stats = msgspec.structs.replace(job.stats, decoded_tokens=speech.said_tokens)
        return speech.reason

    def _evaluate(self, prompt: tuple[Piece, ...]) -> Stats:
        """Count the prompt in words, against the prompt before it as a KV cache would."""
        tokens: list[str | int] = []
        for piece in prompt:
            tokens.extend(words(piece) if isinstance(piece, str) else (piece,))
        reused = 0
        for new, old in zip(tokens, self._evaluated, strict=False):
            if new != old:
                break
            reused += 1
        self._evaluated = tokens
        return Stats(
            prompt_tokens=len(tokens), reused_tokens=reused, evaluated_tokens=len(tokens) - reused
        )

    async def _pass_gate(self, name: str) -> None:
        if name:
            self._gates[name].reached.set()
            await self._gates[name].opened.wait()


class _Gate:
    """A place where a request waits; owned by the engine that made it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()


class _RecordedStream(EventStream):
    """Notes how its request ended; the list belongs to the engine."""

    def __init__(
        self, request_id: int, cancel: Callable[[int], None], finished: list[DoneEvent]
    ) -> None:
        super().__init__(request_id, cancel)
        self._finished = finished

    def put(self, event: Event) -> None:
        if isinstance(event, DoneEvent) and not self.done:
            self._finished.append(event)
        super().put(event)
