"""Which request has the engine: the rules of `engine.api`, for back-ends that run on the loop.

Invariant: at most one request runs and at most one (a warm-up) waits. The newest request of
a user runs; warm-ups run when no user waits; every request ends with exactly one `DoneEvent`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from inkling.engine.api import DoneEvent, GenerateRequest, Stats, StopReason
from inkling.engine.stream import EventStream


class Job:
    """A request and what became of it so far. Owner: the `Turns` it was given to."""

    def __init__(self, request: GenerateRequest, stream: EventStream) -> None:
        self.request = request
        self.stream = stream
        self.stats = Stats()
        """What the back-end knows by now; goes into the `DoneEvent`."""
        self.task: asyncio.Future[None] | None = None


class Turns:
    """Runs requests by `play`, one at a time, latest first. Owner: the event loop's thread.

    `play` is cancelled when its request is stopped, and calls `end` when it is through.
    """

    def __init__(self, play: Callable[[Job], Awaitable[None]]) -> None:
        self._play = play
        self._running: Job | None = None
        self._waiting: Job | None = None

    def submit(self, job: Job) -> None:
        """Give a request its turn, now or (a warm-up) when the user's request is through."""
        self.end(self._waiting, "superseded")
        if job.request.background and self._running and not self._running.request.background:
            self._waiting = job
        else:
            self.end(self._running, "superseded")
            self._start(job)

    def cancel(self, request_id: int) -> None:
        """Stop a request; an unknown id is ignored."""
        for job in (self._waiting, self._running):
            if job and job.request.id == request_id:
                self.end(job, "cancelled")

    def end_all(self, reason: StopReason, error: str = "") -> None:
        """Stop whatever waits or runs."""
        self.end(self._waiting, reason, error)
        self.end(self._running, reason, error)

    def end(self, job: Job | None, reason: StopReason, error: str = "") -> None:
        """Say how a request ended, unless that was said, and let the next one run."""
        if job is None or job.stream.done:
            return
        job.stream.put(DoneEvent(job.request.id, reason, job.stats, error))
        if job.task and job.task is not asyncio.current_task():
            job.task.cancel()
        if job is self._waiting:
            self._waiting = None
        if job is self._running:
            self._running = None
            waiting, self._waiting = self._waiting, None
            if waiting:
                self._start(waiting)

    def _start(self, job: Job) -> None:
        self._running = job
        job.task = asyncio.ensure_future(self._play(job))
