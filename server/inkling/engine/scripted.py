"""A back-end without a model: says what a script tells it to, for tests and for trying editors.

Deterministic, and it keeps every promise of `engine.api`: latest wins, warm-ups yield,
stop strings and max_tokens count, a stop takes effect at once. Tests that must hold a
request at a certain point use gates instead of sleeps.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
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
        self._running: _Job | None = None
        self._waiting: _Job | None = None
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
            for job in (self._waiting, self._running):
                self._end(job, "failed", "The scripted engine stopped.")

    def open_gate(self, name: str) -> None:
        """Let whoever waits, or will wait, at this gate go on."""
        self._gates[name].opened.set()

    async def reached(self, name: str) -> None:
        """Wait until a request (or a state) stands at this gate."""
        await self._gates[name].reached.wait()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        stream = EventStream(request.id, self.cancel)
        self.requests.append(request)
        job = _Job(request, stream)
        if not isinstance(self.state, Ready):
            reason = getattr(self.state, "reason", "The scripted engine is starting.")
            self._end(job, "failed", reason)
        elif request.background and self._running and not self._running.request.background:
            self._end(self._waiting, "superseded")
            self._waiting = job
        else:
            self._end(self._waiting, "superseded")
            self._end(self._running, "superseded")
            self._start(job)
        return stream

    def cancel(self, request_id: int) -> None:
        for job in (self._waiting, self._running):
            if job and job.request.id == request_id:
                self._end(job, "cancelled")

    async def close(self) -> None:
        self._closed.set()
        for job in (self._waiting, self._running):
            self._end(job, "cancelled")
        self._board.close()

    async def _take_states(self) -> None:
        for step in self._steps:
            await asyncio.sleep(step.delay_ms / 1000)
            await self._pass_gate(step.gate)
            self.become(step.state)

    def _start(self, job: "_Job") -> None:
        self._running = job
        job.task = asyncio.ensure_future(self._play(job))

    async def _play(self, job: "_Job") -> None:
        request = job.request
        rule = choose(self._script, cursor_of(request.head, request.forced))
        job.stats = self._evaluate((*request.head, request.forced))
        await asyncio.sleep(rule.prompt_delay_ms / 1000)
        reason = await self._say(job, rule)
        self._end(job, "failed" if rule.error else reason, rule.error)

    async def _say(self, job: "_Job", rule: Rule) -> StopReason:
        speech = Speech(job.request, rule)
        if job.request.max_tokens == 0:
            return "length"
        for step in speech.steps():
            await asyncio.sleep(step.delay_ms / 1000)
            await self._pass_gate(step.gate)
            for event in speech.say(step):
                job.stream.put(event)
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

    def _end(self, job: "_Job | None", reason: StopReason, error: str = "") -> None:
        if job is None or job.stream.done:
            return
        done = DoneEvent(job.request.id, reason, job.stats, error)
        job.stream.put(done)
        self.finished.append(done)
        if job.task and job.task is not asyncio.current_task():
            job.task.cancel()
        if job is self._waiting:
            self._waiting = None
        if job is self._running:
            self._running = None
            if self._waiting and not self._closed.is_set():
                waiting, self._waiting = self._waiting, None
                self._start(waiting)


class _Gate:
    """A place where a request waits; owned by the engine that made it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()


class _Job:
    """A request and what became of it so far; owned by the engine."""

    def __init__(self, request: GenerateRequest, stream: EventStream) -> None:
        self.request = request
        self.stream = stream
        self.stats = Stats()
        self.task: asyncio.Future[None] | None = None
