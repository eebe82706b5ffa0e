"""The engine process seen from the server: start it, talk to it, start it again if it dies.

`LlamaEngine` owns the child process and the table of open requests. Invariant: every request
ends with exactly one `DoneEvent`; when the child dies, all that are open fail at once.
Lives on the event loop's thread.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from inkling.engine.api import (
    CancelRequest,
    DoneEvent,
    EndEvent,
    EngineState,
    Event,
    GenerateRequest,
    Ready,
    Starting,
    TextEvent,
    Unavailable,
)
from inkling.engine.frames import (
    HEADER_BYTES,
    BadFrame,
    Order,
    decode_report,
    encode,
    payload_bytes,
)
from inkling.engine.stream import EventStream, StateBoard

BACK_OFF_SECONDS = (0.2, 1.0, 5.0, 20.0)
HEALTHY_SECONDS = 60.0
"""A child that was ready for so long starts the back-off anew."""
CLOSE_SECONDS = 1.5
ILLEGAL_INSTRUCTION = (-4, 0xC000001D)
"""Exit statuses of a child that met an instruction its processor lacks."""


class LlamaEngine:
    """`Engine` over a child process that runs llama.cpp."""

    def __init__(
        self,
        model_path: Path,
        *,
        name: str,
        cache: Path,
        context_tokens: int = 4096,
        threads: int | None = None,
        optimise_weights: bool = True,
        command: Sequence[str] | None = None,
    ) -> None:
        """`cache` is a folder for calibrations and optimised weights. `command` replaces the
        child's whole command line (for tests)."""
        self._name = name
        self._command = (
            tuple(command)
            if command is not None
            else _child_command(model_path, name, cache, context_tokens, threads, optimise_weights)
        )
        self._board = StateBoard(Starting(f"starting {name}"))
        self._open: dict[int, EventStream] = {}
        self._child: asyncio.subprocess.Process | None = None
        self._closed = asyncio.Event()
        self._errors: deque[str] = deque(maxlen=20)

    @property
    def state(self) -> EngineState:
        return self._board.state

    def states(self) -> AsyncIterator[EngineState]:
        return self._board.states()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        stream = EventStream(request.id, self.cancel)
        if not isinstance(self.state, Ready):
            stream.put(DoneEvent(request.id, "failed", error=self._not_ready()))
            return stream
        self._open[request.id] = stream
        try:
            self._send(request)
        except UnicodeEncodeError:
            self._finish(request.id, "the prompt holds half a character")
        return stream

    def cancel(self, request_id: int) -> None:
        if request_id in self._open:
            self._send(CancelRequest(request_id))

    async def run(self) -> None:
        failures = 0
        while not self._closed.is_set():
            self._board.show(Starting(f"starting {self._name}"))
            ready_at = await self._one_life()
            state = self.state
            self._fail_all()
            if self._closed.is_set():
                return
            if isinstance(state, Unavailable):
                # The model cannot be loaded: nothing changes by trying again.
                await self._closed.wait()
                return
            if ready_at is not None and time.monotonic() - ready_at > HEALTHY_SECONDS:
                failures = 0
            delay = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            failures += 1
            self._board.show(Unavailable(self._stopped_message(), retry_s=delay))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)

    async def close(self) -> None:
        self._closed.set()
        self._fail_all("the engine was closed")
        self._board.close()
        child = self._child
        if child is None or child.returncode is not None:
            return
        if child.stdin is not None:
            child.stdin.close()
        await _end(child)

    async def _one_life(self) -> float | None:
        """Start the child and read from it until it ends; when it became ready, if ever."""
        self._errors.clear()
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_child_environment(),
            )
        except OSError as error:
            self._errors.append(str(error))
            return None
        self._child = child
        if self._closed.is_set():
            _kill(child)
        assert child.stdout is not None and child.stderr is not None
        drain = asyncio.create_task(self._drain(child.stderr))
        ready_at = None
        try:
            while (report := await _read_report(child.stdout)) is not None:
                if isinstance(report, TextEvent | EndEvent | DoneEvent):
                    self._deliver(report)
                else:
                    if isinstance(report, Ready):
                        ready_at = time.monotonic()
                    self._board.show(report)
        except BadFrame as error:
            self._errors.append(f"it wrote something that is no frame ({error})")
            _kill(child)
        finally:
            await _end(child)
            await drain
            if child.returncode in ILLEGAL_INSTRUCTION:
                self._errors.append("it was built for another processor; run `inkling setup`")
            self._child = None
        return ready_at

    async def _drain(self, errors: asyncio.StreamReader) -> None:
        while chunk := await errors.read(4096):
            self._errors.extend(
                line for line in chunk.decode("utf-8", "replace").splitlines() if line.strip()
            )

    def _deliver(self, event: Event) -> None:
        stream = self._open.get(event.id)
        if stream is None:
            return
        if isinstance(event, DoneEvent):
            del self._open[event.id]
        stream.put(event)

    def _send(self, order: Order) -> None:
        child = self._child
        if child is not None and child.stdin is not None and not child.stdin.is_closing():
            child.stdin.write(encode(order))

    def _finish(self, request_id: int, error: str) -> None:
        self._open.pop(request_id).put(DoneEvent(request_id, "failed", error=error))

    def _fail_all(self, error: str = "") -> None:
        for request_id in tuple(self._open):
            self._finish(request_id, error or self._stopped_message())

    def _stopped_message(self) -> str:
        detail = f" ({self._errors[-1]})" if self._errors else ""
        return f"the engine stopped unexpectedly{detail}; it is started again"

    def _not_ready(self) -> str:
        state = self.state
        return state.reason if isinstance(state, Unavailable) else "the engine is still starting"


async def _read_report(pipe: asyncio.StreamReader) -> EngineState | Event | None:
    """The next report; None when the pipe has ended."""
    try:
        header = await pipe.readexactly(HEADER_BYTES)
        return decode_report(await pipe.readexactly(payload_bytes(header)))
    except asyncio.IncompleteReadError:
        return None


async def _end(child: asyncio.subprocess.Process) -> None:
    """Wait for a child whose pipe has ended; kill it if it does not end by itself."""
    try:
        # Killing a child that has just ended confuses asyncio about its exit status.
        await asyncio.wait_for(child.wait(), CLOSE_SECONDS)
    except TimeoutError:
        _kill(child)
        await child.wait()


def _kill(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()


def _child_command(
    model: Path, name: str, cache: Path, context: int, threads: int | None, optimise: bool
) -> tuple[str, ...]:
    command = [sys.executable, "-P", "-m", "inkling.engine.process"]
    command += ["--model", str(model), "--name", name, "--cache", str(cache)]
    command += ["--context", str(context)]
    if threads is not None:
        command += ["--threads", str(threads)]
    if not optimise:
        command.append("--published-weights")
    return tuple(command)


def _child_environment() -> dict[str, str]:
    """Ours, and the folder this package was imported from, so that the child finds it."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
