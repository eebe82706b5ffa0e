"""What every engine back-end offers, and the records that cross its process boundary.

An engine turns prompts into text and knows nothing of documents, LSP or FIM templates:
a prompt arrives as pieces of text and literal token ids. All records are immutable and
msgpack-encodable, so any of them may cross a thread or a process.

Invariant: each `generate` call yields zero or more other events and then exactly one
`DoneEvent`, whatever happens to the back-end.
"""

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

Piece = str | int
"""Part of a prompt: text to tokenize (never parsed for special tokens), or one token id."""

StopReason = Literal[
    "end",  # the model ended the text (end-of-generation or FIM token)
    "length",  # max_tokens reached
    "stop",  # one of the request's stop strings
    "cancelled",  # `cancel` was called, or the iterator was closed
    "superseded",  # a newer request took the engine
    "failed",  # the back-end could not do it; `DoneEvent.error` says why in one line
]


EndReason = Literal[
    "end",  # as above
    "length",
    "stop",
    "missing",  # nothing was said at all: there was nothing probable to say instead, or no room
]


class FimTokens(msgspec.Struct, frozen=True):
    """Token ids of the fill-in-the-middle markers; None where the vocabulary has none."""

    prefix: int
    suffix: int
    middle: int
    repository: int | None = None
    file_separator: int | None = None


class Calibration(msgspec.Struct, frozen=True):
    """Measured speed of one model on one machine (idle, warm)."""

    prompt_tokens_per_second: float
    decode_tokens_per_second: float
    threads: int
    verify_ms: dict[int, float] = {}
    """Milliseconds to decode a batch of k tokens, by k."""


class ModelInfo(msgspec.Struct, frozen=True):
    """What a loaded model is."""

    name: str
    architecture: str
    context_tokens: int
    vocabulary_size: int
    fim: FimTokens | None
    calibration: Calibration | None = None
    prompts_kept: int = 1
    """Prompts whose KV the engine keeps at the same time."""
    weights: str = ""
    """Which weights run, for people: "Q4_K_M as published", "re-quantized Q8_0"."""


class Stats(msgspec.Struct, frozen=True):
    """What one request cost. Tokens are counts, times are milliseconds."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    evaluated_tokens: int = 0
    decoded_tokens: int = 0
    queue_ms: float = 0.0
    tokenize_ms: float = 0.0
    prompt_ms: float = 0.0
    first_text_ms: float = 0.0
    """From the request's arrival at the engine to its first `TextEvent`; 0 if there was none."""
    decode_ms: float = 0.0
    abort_ms: float = 0.0
    """From the stop order's arrival at the engine to the engine being idle; 0 if not stopped."""


class GenerateRequest(msgspec.Struct, frozen=True, tag="generate"):
    """Continue `head` + `forced`.

    `head` is what stays the same from key to key; its KV is reused whenever it is there.
    `forced` is text that is already in the document after `head`: it is healed, that is,
    cut at its last token boundary and the model is only allowed tokens that agree with the
    rest. Events carry only the text after `forced`.
    """

    id: int
    head: tuple[Piece, ...]
    forced: str = ""
    max_tokens: int = 64
    """0 evaluates the head into the KV cache and generates nothing (warm-up)."""
    stop: tuple[str, ...] = ()
    candidates: int = 1
    """Different continuations wanted; number 0 is the greedy one, the others fork from it at
    the first token after `forced`."""
    fresh: bool = False
    """Evaluate anew what of the head was evaluated at another place and only moved."""
    background: bool = False
    """A warm-up: superseded by anything, supersedes only other warm-ups."""


class CancelRequest(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop request `id` if it is queued or running; unknown ids are ignored."""

    id: int


class TextEvent(msgspec.Struct, frozen=True, tag="text"):
    """More text of one candidate. Always whole characters."""

    id: int
    text: str
    candidate: int = 0
    probability: float = 1.0
    """Probability the model gave the token(s) of this piece, 0..1 (1.0 where unknown)."""


class EndEvent(msgspec.Struct, frozen=True, tag="end"):
    """No more text of a candidate will come, while others may go on. Those that no such event
    came for end with the request."""

    id: int
    candidate: int
    reason: EndReason


class DoneEvent(msgspec.Struct, frozen=True, tag="done"):
    """The end of a request; always the last event."""

    id: int
    reason: StopReason
    stats: Stats = Stats()
    error: str = ""
    too_long_by: int = 0
    """How many tokens the prompt, with `max_tokens`, exceeds the context by, where that is why
    it failed: a shorter one would not. 0 otherwise."""


Event = TextEvent | EndEvent | DoneEvent


class Starting(msgspec.Struct, frozen=True, tag="starting"):
    """Not usable yet. `step` is for people ("loading Qwen2.5-Coder-0.5B"); percent 0..100."""

    step: str
    percent: int | None = None


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Usable."""

    model: ModelInfo


class Unavailable(msgspec.Struct, frozen=True, tag="unavailable"):
    """Not usable. `reason` is one sentence for people and says what to do.

    `retry_s` is the number of seconds after which the back-end tries again by itself,
    None where it needs the user to change something.
    """

    reason: str
    retry_s: float | None = None


EngineState = Starting | Ready | Unavailable


class Engine(Protocol):
    """A back-end. Lives on the event loop's thread; every method returns at once."""

    @property
    def state(self) -> EngineState: ...

    def states(self) -> AsyncIterator[EngineState]:
        """The present state, then each change. Ends when the engine is closed."""
        ...

    async def run(self) -> None:
        """Start the back-end and keep it alive (restart with back-off) until `close`."""
        ...

    def generate(self, request: GenerateRequest) -> AsyncIterator[Event]:
        """Submit at once (at the call, not at the first `anext`).

        A newer interactive request supersedes the running one. Closing the iterator
        early cancels the request. While not `Ready`: one `DoneEvent("failed")`.
        """
        ...

    def cancel(self, request_id: int) -> None:
        """Stop a request; its iterator then ends with a `DoneEvent("cancelled")`."""
        ...

    async def close(self) -> None:
        """Cancel everything and end the back-end's process, within 2 s."""
        ...
