"""Fill-in-the-middle prompts.

The marker token ids come from the model file itself (`ModelInfo.fim`); the only knowledge
kept here is the order of the parts, by model family. Pure; any thread.

Invariant: document text only ever enters as a `str` piece, which engines tokenize without
looking for special tokens, so a file that contains "<|fim_middle|>" can't break the prompt.
"""

from inkling.engine.api import ModelInfo, Piece

SUFFIX_FIRST = ("codestral", "seed-coder", "seed_coder")
"""Families trained with the suffix before the prefix (their model cards); all others are
prefix, suffix, middle: Qwen2.5-Coder (arXiv 2409.12186), StarCoder2, DeepSeek-Coder,
CodeGemma, Granite."""


def completion_head(model: ModelInfo, prefix: str, suffix: str) -> tuple[Piece, ...]:
    """The part of the prompt that stays the same while the user types at one place.

    A model without FIM markers gets the prefix alone: plain continuation.
    """
    fim = model.fim
    if fim is None:
        return (prefix,)
    name = f"{model.name} {model.architecture}".lower()
    if any(family in name for family in SUFFIX_FIRST):
        return (fim.suffix, suffix, fim.prefix, prefix, fim.middle)
    return (fim.prefix, prefix, fim.suffix, suffix, fim.middle)
