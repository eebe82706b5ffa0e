"""How servers want to be asked for text, and what their answers mean.

llama-server is asked natively: prompts as token ids and text mixed, and a grammar for token
healing. All others get OpenAI's `/v1/completions` with the markers as text.

Invariant: a dialect holds no connection and no request; it only writes and reads messages.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from inkling.engine import fragment, markers
from inkling.engine.api import ModelInfo, Piece, Stats, StopReason
from inkling.engine.http import Trouble

ALTERNATIVES = 12
"""Next tokens asked for where candidates are wanted: many do not agree with what is typed."""


@dataclass(frozen=True, slots=True)
class Order:
    """One answer wanted. `fragment` is what it has to begin with, if the dialect can see to it."""

    prompt: tuple[Piece, ...]
    max_tokens: int
    stop: tuple[str, ...] = ()
    fragment: str = ""
    alternatives: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """More text; `alternatives` are other first tokens and their probabilities, best first."""

    text: str
    probability: float = 1.0
    alternatives: tuple[tuple[str, float], ...] = ()
    stats: Stats | None = None
    """What the answer has cost by now, where the server says so."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete."""

    reason: StopReason
    stats: Stats


class Dialect(Protocol):
    """A kind of server."""

    @property
    def model(self) -> ModelInfo: ...

    @property
    def path(self) -> str:
        """Where orders go."""
        ...

    @property
    def constrains(self) -> bool:
        """Whether it makes answers begin with `Order.fragment`."""
        ...

    @property
    def markers(self) -> tuple[str, ...]:
        """Texts that mean the end of an answer, should the server show them."""
        ...

    async def body(self, order: Order) -> bytes:
        """The order as JSON."""
        ...

    def read(self, data: bytes) -> tuple[Words | Finish, ...]:
        """What one message of the stream says. Raises `Trouble`."""
        ...


Message = TypeVar("Message", bound=msgspec.Struct)
Tokenize = Callable[[str], Awaitable[tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """llama.cpp's own server, over `/completion`."""

    model: ModelInfo
    begin: tuple[int, ...]
    """What the model wants at the start of every prompt (its BOS token, if it adds one)."""
    tokenize: Tokenize
    """Token ids of text in which markers mean nothing."""
    path: str = "/completion"
    constrains: bool = True
    markers: tuple[str, ...] = ()

    async def body(self, order: Order) -> bytes:
        prompt: list[Piece] = list(self.begin)
        for piece in order.prompt:
            # The server reads markers in text: what may hold one is sent as token ids.
            if isinstance(piece, str) and ("<" in piece or "[" in piece):
                prompt.extend(await self.tokenize(piece))
            elif piece != "":
                prompt.append(piece)
        return msgspec.json.encode(
            {
                "prompt": prompt,
                "n_predict": order.max_tokens,
                "temperature": 0,
                "stop": order.stop,
                "stream": True,
                "cache_prompt": True,
                "timings_per_token": True,
            }
            | ({"grammar": fragment.grammar(order.fragment)} if order.fragment else {})
            | ({"n_probs": ALTERNATIVES} if order.alternatives else {})
        )

    def read(self, data: bytes) -> tuple[Words | Finish, ...]:
        message = decode(data, _LlamaMessage)
        said: list[Words | Finish] = []
        if message.content:
            token = (*message.completion_probabilities, TokenLogprob())[0]
            said.append(Words(message.content, *chosen(token), message.timings.stats()))
        if message.stop:
            said.append(
                Finish(_LLAMA_REASONS.get(message.stop_type, "end"), message.timings.stats())
            )
        return tuple(said)


_LLAMA_REASONS: dict[str, StopReason] = {"limit": "length", "word": "stop", "eos": "end"}


class TokenLogprob(msgspec.Struct):
    token: str = ""
    logprob: float = 0.0
    top_logprobs: tuple["TokenLogprob", ...] = ()


def chosen(token: TokenLogprob) -> tuple[float, tuple[tuple[str, float], ...]]:
    """The probability of a token (1 where unknown), and what else it could have been."""
    others = tuple((other.token, math.exp(other.logprob)) for other in token.top_logprobs)
    return math.exp(token.logprob), others


class _LlamaTimings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0
    prompt_ms: float = 0.0
    predicted_ms: float = 0.0

    def stats(self) -> Stats:
        return Stats(
            prompt_tokens=self.cache_n + self.prompt_n,
            reused_tokens=self.cache_n,
            evaluated_tokens=self.prompt_n,
            decoded_tokens=self.predicted_n,
            prompt_ms=self.prompt_ms,
            decode_ms=self.predicted_ms,
        )


class _LlamaMessage(msgspec.Struct):
    content: str = ""
    stop: bool = False
    stop_type: str = ""
    completion_probabilities: tuple[TokenLogprob, ...] = ()
    timings: _LlamaTimings = msgspec.field(default_factory=_LlamaTimings)


@dataclass(frozen=True, slots=True)
class CompletionsServer:
    """Any server with OpenAI's `/v1/completions`: vLLM, SGLang, and the like."""

    model: ModelInfo
    family: markers.Markers | None
    path: str = "/v1/completions"
    constrains: bool = False

    @property
    def markers(self) -> tuple[str, ...]:
        return markers.texts(self.family)

    async def body(self, order: Order) -> bytes:
        return msgspec.json.encode(
            {
                "model": self.model.name,
                "prompt": markers.text_of(order.prompt, self.family),
                # Zero tokens, a warm-up, are refused by some.
                "max_tokens": max(1, order.max_tokens),
                "temperature": 0,
                "stop": order.stop[:4],  # as many as OpenAI takes; the engine sees to the rest
                "stream": True,
            }
            | ({"logprobs": 5} if order.alternatives else {})
        )

    def read(self, data: bytes) -> tuple[Words | Finish, ...]:
        if data == b"[DONE]":
            return (Finish("end", Stats()),)
        said: list[Words | Finish] = []
        for choice in decode(data, _OpenAIMessage).choices:
            if choice.text:
                said.append(Words(choice.text, *_logprobs(choice.logprobs)))
            if choice.finish_reason:
                by_word = isinstance(choice.stop_reason, str)
                length = choice.finish_reason == "length"
                said.append(Finish("length" if length else "stop" if by_word else "end", Stats()))
        return tuple(said)


class _OpenAILogprobs(msgspec.Struct):
    token_logprobs: tuple[float | None, ...] | None = None
    top_logprobs: tuple[dict[str, float] | None, ...] | None = None
    content: tuple[TokenLogprob, ...] | None = None
    """llama-server's way, which is that of chats."""


class _OpenAIChoice(msgspec.Struct):
    text: str | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """vLLM's: the stop string, or the id of the token, that ended the text."""
    logprobs: _OpenAILogprobs | None = None


class _OpenAIMessage(msgspec.Struct):
    choices: tuple[_OpenAIChoice, ...]


def _logprobs(logprobs: _OpenAILogprobs | None) -> tuple[float, tuple[tuple[str, float], ...]]:
    """The probability of the first token in a message, and of the others it was chosen from."""
    if logprobs and logprobs.content:
        return chosen(logprobs.content[0])
    own = (logprobs.token_logprobs or (None,))[0] if logprobs else None
    others = (logprobs.top_logprobs or (None,))[0] if logprobs else None
    ranked = sorted((others or {}).items(), key=lambda item: -item[1])
    probability = math.exp(own) if own is not None else 1.0
    return probability, tuple((token, math.exp(logprob)) for token, logprob in ranked)


def decode(data: bytes, shape: type[Message]) -> Message:
    """A message of the stream. Raises `Trouble` for what is none, or tells of an error."""
    try:
        error = msgspec.json.decode(data, type=_Error).error
        if error is None:
            return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Trouble("The server sent something that is not a completion.") from None
    raise Trouble(f"The server gave up: {error_text(data) or 'it does not say why'}.")


class _Error(msgspec.Struct):
    error: object = None


def error_text(body: bytes) -> str:
    """What an error's body says, in the ways servers say it; "" where it says nothing."""
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and name in found:
            found = found[name]
    return " ".join(str(found).split())[:300].rstrip(".") if isinstance(found, str) else ""
