"""A back-end that asks a server: llama-server, Ollama, or any with OpenAI's `/v1/completions`.

This is how a team shares one big engine. The only connections are to the configured address;
the key comes from the environment and goes nowhere but into the request's header. Stopping a
request closes its connection, which is all the cancellation that HTTP has: a server may go
on evaluating the prompt until it looks.
"""

import asyncio
import os
from collections.abc import AsyncIterator

from inkling.engine.api import (
    DoneEvent,
    EngineState,
    Event,
    GenerateRequest,
    Ready,
    Starting,
    Unavailable,
)
from inkling.engine.asking import Server
from inkling.engine.http import LATER, NEVER, SOON, Trouble, address
from inkling.engine.meet import Loading, meet
from inkling.engine.pace import Pace
from inkling.engine.performance import Performance
from inkling.engine.stream import EventStream, StateBoard
from inkling.engine.turns import Job, Turns

LOADING_S = 1.0
LONGEST_WAIT_S = 30.0


class OpenAIEngine:
    """An `Engine` behind a URL. Owner of everything in it: the event loop's thread.

    `url` with or without "/v1"; `model` may be empty where the server has only one;
    `key_variable` names the environment variable that holds the key.
    """

    def __init__(self, url: str, *, model: str = "", key_variable: str = "") -> None:
        self._url = url
        self._model = model
        self._key_variable = key_variable
        self._server: Server | None = None
        self._pace = Pace()
        self._board = StateBoard(Starting(f"connecting to {url}"))
        self._turns = Turns(self._play)
        self._doubt = asyncio.Event()
        self._doubtful: Trouble | None = None
        self._watching: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def state(self) -> EngineState:
        return self._board.state

    def states(self) -> AsyncIterator[EngineState]:
        return self._board.states()

    async def run(self) -> None:
        """Connect, and look again whenever a request fails, until `close`."""
        self._watching = asyncio.ensure_future(self._watch())
        try:
            await self._watching
        except asyncio.CancelledError:
            if not self._closed:
                raise
        finally:
            self._watching.cancel()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        stream = EventStream(request.id, self.cancel)
        if isinstance(self.state, Ready):
            self._turns.submit(Job(request, stream))
        else:
            reason = getattr(self.state, "reason", f"Still {getattr(self.state, 'step', '')}.")
            stream.put(DoneEvent(request.id, "failed", error=reason))
        return stream

    def cancel(self, request_id: int) -> None:
        self._turns.cancel(request_id)

    async def close(self) -> None:
        self._closed = True
        self._turns.end_all("cancelled")
        self._board.close()
        if self._watching:
            self._watching.cancel()

    async def _watch(self) -> None:
        failures = 0
        while True:
            try:
                self._server, self._pace = await self._meet(), Pace()
            except Loading as loading:
                self._board.show(Starting(str(loading)))
                await asyncio.sleep(LOADING_S)
                continue
            except Trouble as trouble:
                await self._wait_after(trouble, min(2.0**failures, LONGEST_WAIT_S))
                failures += 1
                continue
            failures = 0
            self._board.show(Ready(self._server.dialect.model))
            await self._doubt.wait()
            self._doubt.clear()
            if self._doubtful and self._doubtful.retry_s == LATER:
                # Meeting the server would go well again; it is the requests that can't.
                await self._wait_after(self._doubtful, LATER)

    async def _wait_after(self, trouble: Trouble, wait_s: float) -> None:
        """Be unavailable for as long as trying again makes no sense."""
        retry_s = wait_s if trouble.retry_s == SOON else trouble.retry_s
        self._board.show(Unavailable(str(trouble), retry_s))
        self._turns.end_all("failed", str(trouble))
        if retry_s is NEVER:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(retry_s)

    async def _meet(self) -> Server:
        where, key = address(self._url), self._find_key()
        return Server(where, await meet(where, key, self._model), key)

    def _find_key(self) -> str:
        if not self._key_variable:
            return ""
        key = os.environ.get(self._key_variable, "").strip()
        if not key or not key.isprintable():
            raise Trouble(
                f"The environment variable {self._key_variable}, named in"
                " inkling.serverKeyVariable, holds no key.",
                retry_s=NEVER,
            )
        return key

    async def _play(self, job: Job) -> None:
        server = self._server
        assert server is not None, "requests are only played while Ready"
        try:
            reason = await Performance(server, job, self._pace).play()
        except Trouble as trouble:
            self._doubtful = trouble
            self._doubt.set()
            self._turns.end(job, "failed", str(trouble))
        else:
            self._turns.end(job, reason)
