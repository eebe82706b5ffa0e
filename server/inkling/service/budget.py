"""How much prompt and how many tokens this machine can afford. Pure.

Once evaluated a prompt costs nothing per key, so its size follows the measured prompt speed and
how long somebody, or nobody, waits for it to be evaluated.
"""

from inkling.engine.api import Calibration, ModelInfo
from inkling.prompt.anchor import Budget

QUICK_S = 0.9
"""Seconds a prompt may take to evaluate that a key waits for. With 0.6 the first text at a new
place came after 0.77 s instead of 0.91, but of 20 lines there 4 were exact instead of 6."""
WIDE_S = 3.0
"""The same where there is time: the user pauses, or has asked and waits."""
QUICK_LEAST, WIDE_LEAST, MOST = 128.0, 384.0, 1024.0
"""Tokens. Of 160 holes in unseen code and lines of HumanEval, windows of 135, 300, 600 and 1,200
tokens filled 26, 31, 41 and 43 % exactly (Qwen2.5-Coder-0.5B)."""
ROOM = 0.25
"""Share of the context for one prompt: it may grow by half, and another is kept beside it."""
RUN_ON_S = 2.5
"""Seconds a generation runs on into the forecasts after its first line."""
BYTES_PER_TOKEN = 3.2
"""Code in the Qwen2.5 vocabulary, measured over mixed sources; only budgets depend on it."""
SUFFIX_SHARE = 0.3
BLOCKS_SHARE = 0.4
"""Share of a wide window's bytes that may go to blocks of other files. What they leave goes back
to the window."""
ASSUMED = Calibration(prompt_tokens_per_second=150, decode_tokens_per_second=30, threads=1)
"""Until a machine has been measured: a slow two-core one."""


def quick_budget(model: ModelInfo) -> Budget:
    """Bytes before and after the anchor where somebody waits. With an engine that keeps one prompt
    alone a second one would take the first one's place: there is no quick one then."""
    if model.prompts_kept < 2:
        return wide_budget(model)
    return _budget(model, QUICK_S, QUICK_LEAST)


def wide_budget(model: ModelInfo) -> Budget:
    """Bytes before and after the anchor where there is time."""
    return _budget(model, WIDE_S, WIDE_LEAST)


def blocks_bytes(wide: Budget) -> int:
    """Bytes of a wide window that blocks may take."""
    return int(wide.size * BLOCKS_SHARE)


def generation_tokens(calibration: Calibration | None) -> int:
    """Most tokens one generation may decode."""
    speed = (calibration or ASSUMED).decode_tokens_per_second
    return int(max(48, min(256, speed * RUN_ON_S)))


def _budget(model: ModelInfo, seconds: float, least: float) -> Budget:
    speed = (model.calibration or ASSUMED).prompt_tokens_per_second
    tokens = min(max(least, speed * seconds), MOST, model.context_tokens * ROOM)
    size = tokens * BYTES_PER_TOKEN
    return Budget(
        prefix_bytes=int(size * (1 - SUFFIX_SHARE)), suffix_bytes=int(size * SUFFIX_SHARE)
    )
