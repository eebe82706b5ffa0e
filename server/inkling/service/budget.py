"""How much prompt and how many tokens this machine can afford. Pure.

A cold prompt (the cursor jumped) has to be evaluated whole before the first token, so its size
follows the measured prompt speed; once evaluated it costs nothing per key.
"""

from inkling.engine.api import Calibration, ModelInfo
from inkling.prompt.anchor import Budget

COLD_S = 0.9
"""Seconds a cold prompt may take to evaluate."""
RUN_ON_S = 2.5
"""Seconds a generation runs on into the forecasts after its first line."""
BYTES_PER_TOKEN = 3.2
"""Code in the Qwen2.5 vocabulary, measured over mixed sources; only budgets depend on it."""
SUFFIX_SHARE = 0.25
ASSUMED = Calibration(prompt_tokens_per_second=150, decode_tokens_per_second=30, threads=1)
"""Until a machine has been measured: a slow two-core one."""


def prompt_budget(model: ModelInfo | None) -> Budget:
    """Bytes before and after the anchor."""
    speed = (model.calibration if model is not None else None) or ASSUMED
    tokens = speed.prompt_tokens_per_second * COLD_S
    room = (model.context_tokens if model is not None else 2048) * 0.6
    tokens = max(128.0, min(tokens, room, 2048.0))
    size = tokens * BYTES_PER_TOKEN
    return Budget(
        prefix_bytes=int(size * (1 - SUFFIX_SHARE)), suffix_bytes=int(size * SUFFIX_SHARE)
    )


def generation_tokens(calibration: Calibration | None) -> int:
    """Most tokens one generation may decode."""
    speed = (calibration or ASSUMED).decode_tokens_per_second
    return int(max(48, min(256, speed * RUN_ON_S)))
