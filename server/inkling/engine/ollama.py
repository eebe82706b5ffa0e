"""How Ollama wants to be asked: natively and raw.

Its `/v1/completions` wraps the prompt in the model's chat template (ollama/ollama#5544), where
fill-in-the-middle markers mean nothing; `/api/generate` with `raw` does not.
"""

from dataclasses import dataclass

import msgspec

from inkling.engine import markers
from inkling.engine.api import ModelInfo, Stats, StopReason
from inkling.engine.dialects import (
    ALTERNATIVES,
    Finish,
    Order,
    TokenLogprob,
    Words,
    chosen,
    decode,
)


@dataclass(frozen=True, slots=True)
class OllamaServer:
    """A `Dialect`; its answers are JSON, one object a line."""

    model: ModelInfo
    family: markers.Markers | None
    path: str = "/api/generate"
    constrains: bool = False

    @property
    def markers(self) -> tuple[str, ...]:
        return markers.texts(self.family)

    async def body(self, order: Order) -> bytes:
        return msgspec.json.encode(
            {
                "model": self.model.name,
                "prompt": markers.text_of(order.prompt, self.family),
                "raw": True,
                "stream": True,
                "options": {
                    "num_predict": max(1, order.max_tokens),
                    "temperature": 0,
                    "stop": order.stop,
                },
            }
            | ({"logprobs": True, "top_logprobs": ALTERNATIVES} if order.alternatives else {})
        )

    def read(self, data: bytes) -> tuple[Words | Finish, ...]:
        message = decode(data, _Message)
        said: list[Words | Finish] = []
        if message.response:
            token = (*(message.logprobs or ()), TokenLogprob())[0]
            said.append(Words(message.response, *chosen(token)))
        if message.done:
            reason: StopReason = "length" if message.done_reason == "length" else "end"
            said.append(Finish(reason, message.stats()))
        return tuple(said)


class _Message(msgspec.Struct):
    response: str = ""
    done: bool = False
    done_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0

    def stats(self) -> Stats:
        """Ollama tells nanoseconds, and not which tokens it had in its cache."""
        return Stats(
            prompt_tokens=self.prompt_eval_count,
            evaluated_tokens=self.prompt_eval_count,
            decoded_tokens=self.eval_count,
            prompt_ms=self.prompt_eval_duration / 1e6,
            decode_ms=self.eval_duration / 1e6,
        )
