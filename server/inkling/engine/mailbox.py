"""Which request the engine works on, and when a newer one stops it.

The reader thread puts orders in, the decode thread takes requests out; one lock guards both
sides. At most one interactive request and one warm-up wait. Invariant: every request that
was submitted is either taken once or answered here, never both.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from inkling.engine.api import DoneEvent, GenerateRequest, Piece, Stats, StopReason

OWN_ID = -1
"""The request id of what the engine does for itself."""


class Flag(Protocol):
    """What stops the native computation; see `llama.StopFlag`."""

    def set(self) -> None: ...
    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Head:
    """The tokens of a request's head, and where its pieces end in them."""

    tokens: tuple[int, ...]
    ends: tuple[int, ...]
    last_text: tuple[int, int] = (0, 0)
    """Where the last piece of text begins and ends, if another one comes before it."""


@dataclass(slots=True)
class Job:
    """A request in the engine. Times are `time.perf_counter()` seconds.

    `stop_reason` and `stopped_at` are written by the mailbox, the progress by the decoder.
    """

    request: GenerateRequest
    arrived: float = field(default_factory=time.perf_counter)
    taken: float = 0.0
    stop_reason: StopReason | None = None
    stopped_at: float = 0.0
    head: Head | None = None
    evaluating_to: int | None = None
    """Head tokens that will be in the cache after the present call; None while decoding."""


def must_stop(running: Job, new: GenerateRequest, pieces: Sequence[bytes]) -> bool:
    """Whether `new` gains nothing from the head tokens that are just being evaluated.

    If it does gain, the present call is allowed to finish (the decoder then looks again), so
    that typing faster than a long prompt is evaluated still gets it evaluated.
    """
    if running.head is None:
        return False
    if running.evaluating_to is None:
        return True
    return running.evaluating_to > shared_tokens(
        running.request.head, running.head, new.head, pieces
    )


def shared_tokens(
    old: Sequence[Piece], head: Head, new: Sequence[Piece], pieces: Sequence[bytes]
) -> int:
    """How many of `head`'s tokens a head of the pieces `new` is sure to begin with."""
    for number, piece in enumerate(old):
        other = new[number] if number < len(new) else None
        if piece == other:
            continue
        first = head.ends[number - 1] if number else 0
        if not (isinstance(piece, str) and isinstance(other, str)):
            return first
        return first + _tokens_in(
            head.tokens[first : head.ends[number]], _common(piece.encode(), other.encode()), pieces
        )
    return len(head.tokens)


def _tokens_in(tokens: Sequence[int], size: int, pieces: Sequence[bytes]) -> int:
    """Tokens that lie within the first `size` bytes, less two that may be cut otherwise."""
    count = 0
    for token in tokens:
        size -= len(pieces[token])
        if size < 0:
            break
        count += 1
    return max(0, count - 2)


def _common(one: bytes, other: bytes) -> int:
    """Length of the longest common beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Mailbox:
    """See the module. `pieces` are the vocabulary's bytes by token id."""

    def __init__(self, flag: Flag, pieces: Sequence[bytes]) -> None:
        self._flag = flag
        self._pieces = pieces
        self._changed = threading.Condition()
        self._waiting: Job | None = None
        self._warm_up: Job | None = None
        self._running: Job | None = None
        self._closed = False

    def submit(self, request: GenerateRequest) -> list[DoneEvent]:
        """Queue a request; the answers of waiting requests that it supersedes."""
        job = Job(request)
        with self._changed:
            answers = [_answer(self._warm_up, "superseded")]
            self._warm_up = None
            if request.background:
                self._warm_up = job
            else:
                answers.append(_answer(self._waiting, "superseded"))
                self._waiting = job
            running = self._running
            if running and (running.request.background or not request.background):
                self._stop(running, "superseded", must_stop(running, request, self._pieces))
            self._changed.notify()
        return [answer for answer in answers if answer]

    def cancel(self, request_id: int) -> list[DoneEvent]:
        """Stop a request wherever it is; its answer if it was only waiting."""
        with self._changed:
            if self._running and self._running.request.id == request_id:
                self._stop(self._running, "cancelled", now=True)
                return []
            if self._waiting and self._waiting.request.id == request_id:
                waiting, self._waiting = self._waiting, None
            elif self._warm_up and self._warm_up.request.id == request_id:
                waiting, self._warm_up = self._warm_up, None
            else:
                return []
        answer = _answer(waiting, "cancelled")
        return [answer] if answer else []

    def take(self) -> Job | None:
        """Block until there is a request to work on; None when the mailbox is closed."""
        with self._changed:
            self._running = None
            while not (self._closed or self._waiting or self._warm_up):
                self._changed.wait()
            if self._closed:
                return None
            job = self._waiting or self._warm_up
            assert job is not None
            if job is self._waiting:
                self._waiting = None
            else:
                self._warm_up = None
            self._flag.clear()
            self._running = job
            job.taken = time.perf_counter()
            return job

    def spare(self) -> Job | None:
        """If nothing waits: a job of the engine's own, which the next request stops at once."""
        with self._changed:
            if self._closed or self._waiting or self._warm_up:
                return None
            self._flag.clear()
            self._running = Job(GenerateRequest(OWN_ID, (), background=True), head=Head((), ()))
            return self._running

    def quiet(self, seconds: float) -> bool:
        """Block until nothing has come for so long; False as soon as something has."""
        with self._changed:
            self._running = None
            return not self._changed.wait_for(
                lambda: self._closed or self._waiting or self._warm_up, seconds
            )

    def close(self) -> None:
        """Stop what runs and end `take`. Nothing is answered any more: the reader is gone."""
        with self._changed:
            self._closed = True
            if self._running:
                self._stop(self._running, "cancelled", now=True)
            self._changed.notify()

    def _stop(self, job: Job, reason: StopReason, now: bool) -> None:
        if job.stop_reason is None:
            job.stop_reason = reason
            job.stopped_at = time.perf_counter()
        if now:
            self._flag.set()


def _answer(job: Job | None, reason: StopReason) -> DoneEvent | None:
    if job is None:
        return None
    waited = (time.perf_counter() - job.arrived) * 1000
    return DoneEvent(job.request.id, reason, Stats(queue_ms=waited))
