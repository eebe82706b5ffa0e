"""One request after another through one context, reusing all that can be reused.

A request's prompt is compared with what the KV cache holds; what differs is taken out, what
is missing is evaluated, and then the model chooses token by token. What it chose stays in the
cache, so typing through a suggestion needs no evaluation at all.

Runs in the engine's decode thread. Every request ends with exactly one `DoneEvent`.
"""

import time
from collections.abc import Generator, Iterator
from functools import lru_cache

from inkling.engine import healing
from inkling.engine.api import DoneEvent, Event, Piece, StopReason, TextEvent
from inkling.engine.cache import KvCache
from inkling.engine.gguf import ModelError
from inkling.engine.healing import Step
from inkling.engine.llama import HAS_GPU, Context, Logits, Model, NoRoom, StopFlag
from inkling.engine.mailbox import Head, Job
from inkling.engine.meter import Meter, since
from inkling.engine.streaming import TextStream

CHUNK_TOKENS = 128 if HAS_GPU else 64
"""Prompt tokens per call; between calls a superseded request is noticed. Graphics
processors never look at the stop flag, so this bounds their delay."""


class _Stopped(Exception):
    """The job was told to stop."""


class Decoder:
    """See the module. Owner of the context's cache: the thread that calls `run`."""

    def __init__(self, model: Model, context: Context, flag: StopFlag) -> None:
        self._model = model
        self._size = context.size
        self._flag = flag
        self._pieces = model.vocabulary.pieces
        self._tokenize = lru_cache(maxsize=64)(model.tokenize)
        self._cache = KvCache(context)
        self._head: tuple[int, ...] = ()
        """The head that the cache's path begins with."""

    def run(self, job: Job) -> Iterator[Event]:
        """All events of one request."""
        meter = Meter(job.arrived, queue_ms=since(job.arrived))
        reason: StopReason = "failed"
        error = ""
        try:
            reason = yield from self._run(job, meter)
        except _Stopped:
            reason = job.stop_reason or "cancelled"
            meter.abort_ms = since(job.stopped_at)
        except ModelError as problem:
            error = str(problem)
        except NoRoom:
            error = "the prompt does not fit into the model's context"
            self._cache.clear()
        yield DoneEvent(job.request.id, reason, meter.stats(), error)

    def _run(self, job: Job, meter: Meter) -> Generator[Event, None, StopReason]:
        request = job.request
        began = time.perf_counter()
        forced = request.forced.encode("utf-8", "replace")
        head = self._tokens_of(request.head)
        path = self._prompt(head.tokens, forced)
        meter.tokenize_ms = since(began)
        meter.prompt_tokens = len(path)
        if len(path) + request.max_tokens > self._size:
            room = max(0, self._size - request.max_tokens)
            raise ModelError(
                f"the prompt has {len(path)} tokens, and only {room} of the context's "
                f"{self._size} are free for it"
            )
        self._cache.adopt(path)
        self._head = head.tokens
        meter.reused_tokens = self._cache.evaluated
        job.head = head
        while self._cache.evaluated < len(head.tokens):
            end = min(self._cache.evaluated + CHUNK_TOKENS, len(head.tokens))
            job.evaluating_to = end
            self._evaluate(job, end, meter)
        job.evaluating_to = None
        if request.max_tokens == 0:
            return "length"
        return (yield from self._continue(job, forced, meter))

    def _tokens_of(self, pieces: tuple[Piece, ...]) -> Head:
        tokens: list[int] = [] if self._model.bos is None else [self._model.bos]
        ends = []
        for piece in pieces:
            if isinstance(piece, int):
                tokens.append(piece)
            else:
                tokens.extend(self._tokenize(piece.encode("utf-8", "replace")))
            ends.append(len(tokens))
        if not tokens:
            tokens.append(self._model.start)
        return Head(tuple(tokens), tuple(ends))

    def _prompt(self, head: tuple[int, ...], forced: bytes) -> list[Step]:
        """The path that a request begins with: its head, what is given of `forced`, and what
        the model chose earlier and would choose again."""
        start = healing.cut(forced.decode())
        given: dict[int, int] = {}
        offset = 0
        for token in self._tokenize(forced[:start]):
            given[offset] = token
            offset += len(self._pieces[token])
        trail: list[Step] = []
        if head == self._head:
            trail = list(self._cache.path[len(head) :])
            del trail[healing.keep(trail, forced, start, given, self._pieces) :]
        offset = sum(len(self._pieces[step.token]) for step in trail)
        trail.extend(Step(token) for at, token in given.items() if at >= offset)
        return [*map(Step, head), *trail]

    def _continue(
        self, job: Job, forced: bytes, meter: Meter
    ) -> Generator[Event, None, StopReason]:
        request = job.request
        stream = TextStream(len(forced), request.stop)
        at = len(self._head)
        produced = said = 0
        probability = 1.0
        reason: StopReason = "length"
        while said < request.max_tokens:
            if at == len(self._cache.path):
                step = self._next(job, forced[produced:], len(forced), meter)
                if step.token in self._model.ends:
                    reason = "end"
                    break
                self._cache.append(step)
            step = self._cache.path[at]
            at += 1
            piece = self._pieces[step.token]
            produced += len(piece)
            said += produced > len(forced)
            probability = step.choice.probability if step.choice else 1.0
            if text := stream.feed(piece):
                meter.text_came()
                yield TextEvent(request.id, text, probability=probability)
            if stream.stopped:
                return "stop"
        if text := stream.finish():
            meter.text_came()
            yield TextEvent(request.id, text, probability=probability)
        return reason

    def _next(self, job: Job, rest: bytes, known: int, meter: Meter) -> Step:
        """What the model chooses after the path, given that `rest` must come first."""
        scores = self._scores(job, meter)
        meter.decoded_tokens += 1
        if rest:
            self._cache.remember(scores)
        return healing.choose(scores, self._model.vocabulary, rest, known)

    def _scores(self, job: Job, meter: Meter) -> Logits:
        while (scores := self._cache.scores()) is None:
            end = len(self._cache.path)
            if self._cache.evaluated == end:
                self._cache.undo_last()
            self._evaluate(job, min(self._cache.evaluated + CHUNK_TOKENS, end), meter)
        return scores

    def _evaluate(self, job: Job, end: int, meter: Meter) -> None:
        """Evaluate the path up to `end`; raises `_Stopped`."""
        if job.stop_reason:
            raise _Stopped
        began = time.perf_counter()
        before = self._cache.evaluated
        self._cache.evaluate(end)
        if meter.decoded_tokens:
            meter.decode_ms += since(began)
        else:
            meter.evaluated_tokens += self._cache.evaluated - before
            meter.prompt_ms += since(began)
        if job.stop_reason:
            raise _Stopped
