"""Which tensors of a model are worth another type, and whether that made it faster.

Measured on Qwen2.5-Coder-0.5B Q4_K_M (Q5_0 in attention and two thirds of the rest) with 645
tokens of code newer than the model; speeds are of one AVX-512 core. "Right" are tokens that
come first in the model's opinion; the change of log loss is per token.

    Q5_0 tensors become            MB   prompt tok/s  decode tok/s   right    log loss
    (as published)                491            146            47   61.6 %
    Q8_0                          578            172            48   61.7 %     +0.001
    IQ4_NL in gates, else Q8_0    534            208            53   61.4 %     +0.020
    IQ4_NL in gates and ups       408            254            56   59.7 %     +0.051
    IQ4_NL                        368            312            70   59.1 %     +0.113

(In the last two the output matrix is Q5_0 and IQ4_NL as well.) The third loses next to
nothing (41 of 100 lines exact, against 42) and is the one offered; a machine takes it if it is
clearly faster there.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from inkling.engine.api import Calibration
from inkling.engine.tensors import IQ4_NL, Q5_0, Q5_1, Q8_0, Tensor

SLOW = (Q5_0, Q5_1)
WORTH_SHARE = 0.2
"""Of a model's weights: with fewer in slow types there is nothing to gain."""
WORTH_SPEED = 1.2
"""How much faster a typical request must be to be worth the memory."""

_PROMPT_TOKENS = 64
_DECODED_TOKENS = 8


class Verdict(msgspec.Struct, frozen=True):
    """What was found for one model on one machine."""

    requantized: bool
    speed_up: float


def changes(listed: Sequence[Tensor]) -> dict[str, int]:
    """The new types by tensor name; empty if it is not worth it.

    An input embedding that has an output matrix beside it is only looked up, which costs
    nothing in any type.
    """
    names = {tensor.name for tensor in listed}
    computed = [
        tensor
        for tensor in listed
        if tensor.name != "token_embd.weight" or "output.weight" not in names
    ]
    slow = [tensor for tensor in computed if tensor.type in SLOW]
    total = sum(tensor.elements for tensor in computed)
    if sum(tensor.elements for tensor in slow) < WORTH_SHARE * total:
        return {}
    return {tensor.name: IQ4_NL if "ffn_gate" in tensor.name else Q8_0 for tensor in slow}


def verdict(published: Calibration, requantized: Calibration) -> Verdict:
    """Compare a typical request's time with either."""
    speed_up = _request_s(published) / _request_s(requantized)
    return Verdict(speed_up >= WORTH_SPEED, round(speed_up, 2))


def load_verdict(path: Path) -> Verdict | None:
    """The verdict kept at `path`; None if there is none or the file is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verdict)
    except (OSError, msgspec.MsgspecError):
        return None


def _request_s(speed: Calibration) -> float:
    prompt = _PROMPT_TOKENS / speed.prompt_tokens_per_second
    return prompt + _DECODED_TOKENS / speed.decode_tokens_per_second
