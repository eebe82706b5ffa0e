"""An engine that counts what is asked of it; the demo's proof that a key cost no model call."""

from collections.abc import AsyncIterator

from inkling.engine.api import Engine, EngineState, Event, GenerateRequest


class CountingEngine:
    """Passes everything on to another engine. Owner: the event loop's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls = 0
        """Generations asked for, warm-ups not counted."""

    @property
    def state(self) -> EngineState:
        return self._engine.state

    def states(self) -> AsyncIterator[EngineState]:
        return self._engine.states()

    async def run(self) -> None:
        await self._engine.run()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        self.calls += not request.background
        return self._engine.generate(request)

    def cancel(self, request_id: int) -> None:
        self._engine.cancel(request_id)

    async def close(self) -> None:
        await self._engine.close()
