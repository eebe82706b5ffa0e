"""One request after another through one context, reusing all that can be reused.

A request's prompt is compared with what the KV cache holds; what differs is taken out, what
is missing is evaluated, and then the model chooses token by token. What it chose stays in the
cache, so typing through a suggestion needs no evaluation at all.

Runs in the engine's decode thread. Every request ends with exactly one `DoneEvent`.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from inkling.engine import healing
from inkling.engine.api import (
    DoneEvent,
    EndEvent,
    Event,
    GenerateRequest,
    Piece,
    StopReason,
    TextEvent,
)
from inkling.engine.cache import KvCache
from inkling.engine.context import Context
from inkling.engine.errors import DecodeFailed, ModelError, NoRoom, TooLong
from inkling.engine.forks import Forks
from inkling.engine.healing import Scores, Step
from inkling.engine.lane import Lane
from inkling.engine.llama import HAS_GPU, Model
from inkling.engine.mailbox import Head, Job
from inkling.engine.meter import Meter, since
from inkling.engine.sequences import MAX_CANDIDATES

CHUNK_TOKENS = 128 if HAS_GPU else 64
"""Prompt tokens per call; between calls a superseded request is noticed. Graphics
processors never look at the stop flag, so this bounds their delay."""

BACKGROUND_TOKENS = 32
"""The same for what is evaluated ahead: a key stops it in the middle of a call, which is lost, so
that between the keys of somebody who types no larger one would ever come to its end."""

MAX_BYTES_PER_TOKEN = 64
"""No text has tokens that long on average; more is refused before it is even tokenized, which
nothing could stop."""


class _Stopped(Exception):
    """The job was told to stop."""


@dataclass(frozen=True, slots=True)
class _Parting:
    """Where the other candidates leave the greedy one."""

    at: int
    token: int
    rest: bytes
    lanes: list[Lane]


class Decoder:
    """See the module. Owner of the context's cache: the thread that calls `run`."""

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._size = context.size
        self._context = context
        self._pieces = model.vocabulary.pieces
        self._tokenize = lru_cache(maxsize=64)(model.tokenize)
        self._cache = KvCache(context)

    def run(self, job: Job) -> Iterator[Event]:
        """All events of one request."""
        meter = Meter(job.arrived, queue_ms=since(job.arrived))
        reason: StopReason = "failed"
        error = ""
        too_long_by = 0
        try:
            reason = yield from self._run(job, meter)
        except _Stopped:
            reason = job.stop_reason or "cancelled"
            meter.abort_ms = since(job.stopped_at)
        except DecodeFailed as problem:
            error = str(problem)
            self.forget()
        except TooLong as problem:
            error, too_long_by = str(problem), problem.by
        except ModelError as problem:
            error = str(problem)
        except NoRoom:
            error = "the prompt does not fit into the model's context"
            self.forget()
        yield DoneEvent(job.request.id, reason, meter.stats(), error, too_long_by)

    def forget(self) -> None:
        """Empty the context: what it holds is unknown or in the way."""
        self._cache.clear()

    def _run(self, job: Job, meter: Meter) -> Generator[Event, None, StopReason]:
        request = job.request
        began = time.perf_counter()
        forced = request.forced.encode("utf-8", "replace")
        size = len(forced) + sum(len(piece) for piece in request.head if isinstance(piece, str))
        if size > self._size * MAX_BYTES_PER_TOKEN:
            raise TooLong(
                f"the prompt of {size} characters is far too long for this context",
                size // MAX_BYTES_PER_TOKEN + 1 - self._size,
            )
        head = self._tokens_of(request.head)
        fresh = request.fresh
        self._cache.turn_to(head, fresh=fresh)
        path = self._prompt(head.tokens, forced, self._said(head))
        if len(path) + request.max_tokens > self._size:
            # Without what was said earlier, which can be said again, it may fit.
            path = self._prompt(head.tokens, forced, [])
        meter.tokenize_ms = since(began)
        meter.prompt_tokens = len(path)
        if len(path) + request.max_tokens > self._size:
            room = max(0, self._size - request.max_tokens)
            raise TooLong(
                f"the prompt has {len(path)} tokens, and only {room} of the context's "
                f"{self._size} are free for it",
                len(path) - room,
            )
        room = self._size - len(path) - request.max_tokens
        self._cache.adopt(path, head, fresh=fresh, room=room)
        meter.reused_tokens = self._cache.evaluated
        job.head = head
        chunk = BACKGROUND_TOKENS if request.background else CHUNK_TOKENS
        while self._cache.evaluated < len(head.tokens):
            end = min(self._cache.evaluated + chunk, len(head.tokens))
            job.evaluating_to = self._cache.reach(end)
            self._evaluate(job, end, meter)
        job.evaluating_to = None
        if request.max_tokens == 0:
            return "length"
        return (yield from meter.watch(self._continue(job, forced, meter)))

    def _tokens_of(self, pieces: tuple[Piece, ...]) -> Head:
        tokens: list[int] = [] if self._model.bos is None else [self._model.bos]
        ends = []
        texts = []
        for piece in pieces:
            start = len(tokens)
            if isinstance(piece, int):
                tokens.append(piece)
            else:
                tokens.extend(self._tokenize(piece.encode("utf-8", "replace")))
                texts.append((start, len(tokens)))
            ends.append(len(tokens))
        if not tokens:
            tokens.append(self._model.start)
        return Head(tuple(tokens), tuple(ends), texts[-1] if len(texts) > 1 else (0, 0))

    def _said(self, head: Head) -> list[Step]:
        """What follows `head` in the cache's path, if that begins with it."""
        same = head.tokens == self._cache.head.tokens
        return list(self._cache.path[len(head.tokens) :]) if same else []

    def _prompt(self, head: tuple[int, ...], forced: bytes, trail: list[Step]) -> list[Step]:
        """The path that a request begins with: its head, what is given of `forced`, and what
        of `trail` the model chose earlier and would choose again."""
        start = healing.cut(forced.decode())
        given: dict[int, int] = {}
        offset = 0
        for token in self._tokenize(forced[:start]):
            given[offset] = token
            offset += len(self._pieces[token])
        del trail[healing.keep(trail, forced, start, given, self._pieces) :]
        offset = sum(len(self._pieces[step.token]) for step in trail)
        trail.extend(Step(token) for at, token in given.items() if at >= offset)
        return [*map(Step, head), *trail]

    def _continue(
        self, job: Job, forced: bytes, meter: Meter
    ) -> Generator[TextEvent | EndEvent, None, StopReason]:
        lane = Lane(0, job.request, forced, self._pieces)
        forks = Forks(self._model, self._context)
        try:
            yield from self._greedy(job, lane, forks, len(forced), meter)
            yield from self._beside(job, forks, meter, to_line=False)
        finally:
            forks.close()
        return lane.ended or "end"

    def _greedy(
        self, job: Job, lane: Lane, forks: Forks, known: int, meter: Meter
    ) -> Iterator[TextEvent | EndEvent]:
        """The first candidate to its end. On CPUs two rows cost more than two calls with one,
        so the first line, all that most people see, waits for no other candidate; what
        follows it waits for the first line of each."""
        wanted = self._affordable(job.request) - 1
        for missing in range(wanted + 1, job.request.candidates):
            yield EndEvent(job.request.id, missing, "missing")
        at = len(self._cache.head.tokens)
        parting: _Parting | None = None
        parted = wanted <= 0
        while not lane.ended:
            step = self._step(job, at, lane.rest, known, meter)
            if step.token in self._model.ends:
                yield from lane.end("end")
                break
            if wanted > 0 and not parting and len(self._pieces[step.token]) > len(lane.rest):
                others = [lane.beside(number) for number in range(1, wanted + 1)]
                parting = _Parting(at, step.token, lane.rest, others)
                if at == len(self._cache.path):
                    self._cache.remember(self._scores(job, meter))
            if at == len(self._cache.path):
                self._cache.append(step)
            at += 1
            yield from lane.take(step)
            if parting and not parted and lane.has_line and not lane.ended:
                parted = True
                yield from self._part(job, parting, forks, meter)
        if parting and not parted:
            yield from self._part(job, parting, forks, meter)

    def _part(
        self, job: Job, parting: _Parting, forks: Forks, meter: Meter
    ) -> Iterator[TextEvent | EndEvent]:
        """The first line of the other candidates."""
        while self._cache.evaluated < parting.at:
            self._evaluate(job, min(self._cache.evaluated + CHUNK_TOKENS, parting.at), meter)
        with _computing(job, meter):
            scores = self._cache.scores_at(parting.at)
        if scores is None:
            return
        known = self._model.vocabulary
        steps = healing.alternatives(scores, known, parting.rest, parting.token, len(parting.lanes))
        for lane in parting.lanes[len(steps) :]:
            yield EndEvent(job.request.id, lane.candidate, "missing")
        yield from forks.start(parting.lanes[: len(steps)], steps, parting.at)
        yield from self._beside(job, forks, meter, to_line=True)

    def _beside(
        self, job: Job, forks: Forks, meter: Meter, *, to_line: bool
    ) -> Iterator[TextEvent | EndEvent]:
        """The other candidates go on: to their first line or to their end."""
        while lanes := forks.going(to_line):
            with _computing(job, meter):
                finished = self._cache.evaluate_beside(forks.rows(lanes))
            if finished:
                meter.decoded_tokens += 1
                yield from forks.take(lanes, self._cache.scores_beside)

    def _step(self, job: Job, at: int, rest: bytes, known: int, meter: Meter) -> Step:
        """The path's token number `at`: as chosen earlier, or chosen now to agree with `rest`."""
        if at < len(self._cache.path):
            return self._cache.path[at]
        scores = self._scores(job, meter)
        meter.decoded_tokens += 1
        if rest:
            self._cache.remember(scores)
        try:
            return healing.choose(scores, self._model.vocabulary, rest, known)
        except LookupError:
            return Step(self._model.tokenize(rest)[0])

    def _scores(self, job: Job, meter: Meter) -> Scores:
        """The scores after the whole path."""
        while (scores := self._cache.scores()) is None:
            end = len(self._cache.path)
            if self._cache.evaluated == end:
                self._cache.undo_last()
            self._evaluate(job, min(self._cache.evaluated + CHUNK_TOKENS, end), meter)
        return scores

    def _evaluate(self, job: Job, end: int, meter: Meter) -> None:
        """Evaluate the path up to `end`; raises `_Stopped`."""
        before, moved = self._cache.evaluated, self._cache.moved_tokens
        with _computing(job, meter):
            self._cache.evaluate(end)
            moved = self._cache.moved_tokens - moved
            meter.reused_tokens += moved
            if not meter.decoded_tokens:
                meter.evaluated_tokens += self._cache.evaluated - before - moved

    def _affordable(self, request: GenerateRequest) -> int:
        """How many candidates the context has room for."""
        room = (self._size - len(self._cache.path) - self._cache.kept) // request.max_tokens
        return min(request.candidates, room, MAX_CANDIDATES) if self._context.can_fork else 1


@contextmanager
def _computing(job: Job, meter: Meter) -> Iterator[None]:
    """Time what is computed inside; raises `_Stopped` before or after it."""
    if job.stop_reason:
        raise _Stopped
    began = time.perf_counter()
    yield
    if meter.decoded_tokens:
        meter.decode_ms += since(began)
    else:
        meter.prompt_ms += since(began)
    if job.stop_reason:
        raise _Stopped
