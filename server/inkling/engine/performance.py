"""One request played on a server that takes HTTP: healing, candidates and statistics.

Invariant: every event that goes into the request's stream is text after its `forced`.
"""

import time
from contextlib import aclosing

import msgspec

from inkling.engine.answer import Answer, Disagrees
from inkling.engine.api import EndEvent, Piece, Stats, StopReason, TextEvent
from inkling.engine.asking import Server
from inkling.engine.dialects import Finish, Order, Words
from inkling.engine.fragment import cut, harmless
from inkling.engine.pace import Pace
from inkling.engine.turns import Job


class Performance:
    """Owner: the task that plays the request. Use once."""

    def __init__(self, server: Server, job: Job, pace: Pace) -> None:
        self._server = server
        self._pace = pace
        self._job = job
        self._request = job.request
        self._began = time.perf_counter()
        self._first_text_ms = 0.0
        self._pieces = 0
        self._approached = Stats()

    async def play(self) -> StopReason:
        """Say all candidates, one after the other; how number 0 ended. Raises `Trouble`."""
        request = self._request
        if request.max_tokens == 0:
            return await self._warm_up()
        reason, answer = await self._first()
        self._end(0, reason)
        taken = 0
        for text, probability in answer.alternatives:
            if taken + 1 >= request.candidates:
                break
            taken += await self._fork(text, probability, taken + 1)
        return reason

    async def _warm_up(self) -> StopReason:
        kept, _ = cut(self._request.forced)
        prompt = (*self._request.head, kept)
        await self._approach(prompt)
        await self._evaluate(prompt)
        return "length"

    async def _first(self) -> tuple[StopReason, Answer]:
        """Candidate 0, healed if the server can do it or happens to agree."""
        forced = self._request.forced
        kept, fragment = cut(forced)
        try:
            return await self._say(kept, fragment)
        except Disagrees:
            # The server chose another word; let it go on from what is there, for better or worse.
            return await self._say(forced, "")

    async def _say(self, forced: str, fragment: str) -> tuple[StopReason, Answer]:
        request = self._request
        order = Order(
            prompt=(*request.head, forced),
            max_tokens=request.max_tokens + len(fragment),
            stop=harmless(request.stop, fragment),
            fragment=fragment if self._server.dialect.constrains else "",
            alternatives=request.candidates > 1,
        )
        answer = Answer(request, fragment, markers=self._server.dialect.markers)
        return await self._listen(order, answer), answer

    async def _fork(self, text: str, probability: float, candidate: int) -> bool:
        """Say another candidate, that starts with `text`; whether there was anything to say."""
        request = self._request
        markers = self._server.dialect.markers
        answer = Answer(request, markers=markers, candidate=candidate)
        before = self._pieces
        self._put(answer.feed(Words(text, probability)))
        reason = answer.ended
        if reason is None:
            prompt = (*request.head, request.forced + text)
            order = Order(prompt, max_tokens=request.max_tokens - 1, stop=request.stop)
            reason = await self._listen(order, answer)
        if self._pieces == before:
            return False
        self._end(candidate, reason)
        return True

    async def _approach(self, prompt: tuple[Piece, ...]) -> None:
        """Have the server evaluate all of a long prompt but its end, piece by piece."""
        if self._server.dialect.constrains:
            for stage in self._pace.stages(prompt):
                await self._evaluate(stage)
                self._approached = self._job.stats

    async def _evaluate(self, prompt: tuple[Piece, ...]) -> None:
        async with aclosing(self._server.ask(Order(prompt, max_tokens=0))) as said:
            async for one in said:
                if isinstance(one, Finish):
                    self._pace.evaluated(prompt, one.stats)
                    self._note(one.stats)

    async def _listen(self, order: Order, answer: Answer) -> StopReason:
        await self._approach(order.prompt)
        async with aclosing(self._server.ask(order)) as said:
            async for one in said:
                if one.stats and answer.candidate == 0:
                    self._pace.evaluated(order.prompt, one.stats)
                    self._note(one.stats)
                if isinstance(one, Finish):
                    self._put(answer.finish())
                    return one.reason
                self._put(answer.feed(one))
                if answer.ended:
                    return answer.ended
        raise AssertionError("`Server.ask` ends with a Finish or raises Trouble")

    def _end(self, candidate: int, reason: StopReason) -> None:
        if reason in ("end", "length", "stop"):
            self._job.stream.put(EndEvent(self._request.id, candidate, reason))

    def _put(self, events: tuple[TextEvent, ...]) -> None:
        for event in events:
            if not self._first_text_ms:
                self._first_text_ms = 1000 * (time.perf_counter() - self._began)
            self._pieces += 1
            self._job.stats = msgspec.structs.replace(
                self._job.stats,
                decoded_tokens=max(self._job.stats.decoded_tokens, self._pieces),
                first_text_ms=self._first_text_ms,
            )
            self._job.stream.put(event)

    def _note(self, stats: Stats) -> None:
        """Keep what is known by now, stages included, for the end may come from outside."""
        evaluated = self._approached.evaluated_tokens + stats.evaluated_tokens
        self._job.stats = msgspec.structs.replace(
            stats,
            evaluated_tokens=evaluated,
            reused_tokens=max(0, stats.prompt_tokens - evaluated),
            prompt_ms=self._approached.prompt_ms + stats.prompt_ms,
            first_text_ms=self._first_text_ms,
        )
