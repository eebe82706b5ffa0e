"""Fill-in-the-middle prompts.

The marker token ids come from the model file itself (`ModelInfo.fim`); the only knowledge
kept here is the order of the parts, by model family. Pure; any thread.

Invariant: the text of documents and blocks only ever enters as a `str` piece, which engines
tokenize without looking for special tokens, so a file that contains "<|fim_middle|>" can't break
the prompt. The last `str` piece is the one that is moved along when the cursor goes to another
line (`engine.reuse`): blocks come before it.
"""

from collections.abc import Iterator

from inkling.context.blocks import Backdrop
from inkling.engine.api import FimTokens, ModelInfo, Piece

SUFFIX_FIRST = ("codestral", "seed-coder", "seed_coder")
"""Families trained with the suffix before the prefix (their model cards); all others are
prefix, suffix, middle: Qwen2.5-Coder (arXiv 2409.12186), StarCoder2, DeepSeek-Coder,
CodeGemma, Granite."""
PATH_IN_PREFIX = ("starcoder",)
"""Families trained with a file's path inside its prefix (arXiv 2402.19173, 5.1), not before it."""
COMMENT_ENDS = {"<!--": " -->", "/*": " */"}
"""What ends a comment that does not end with its line."""
ALONE = Backdrop()


def completion_head(
    model: ModelInfo, prefix: str, suffix: str, backdrop: Backdrop = ALONE
) -> tuple[Piece, ...]:
    """The part of the prompt that stays the same while the user types at one place.

    With blocks: the whole repository's form where the model has tokens for it, else the blocks
    as comments before the prefix. A model without FIM markers gets the prefix alone: plain
    continuation.
    """
    fim = model.fim
    name = f"{model.name} {model.architecture}".lower()
    files: tuple[Piece, ...] = ()
    if backdrop.blocks:
        files = _files(fim, backdrop) if fim is not None else ()
        if not files:
            prefix = "".join(_comments(backdrop)) + prefix
        elif any(family in name for family in PATH_IN_PREFIX):
            prefix = f"{backdrop.path}\n{prefix}"
        else:
            files = (*files, f"{backdrop.path}\n")
    if fim is None:
        return (prefix,)
    if any(family in name for family in SUFFIX_FIRST):
        return (*files, fim.suffix, suffix, fim.prefix, prefix, fim.middle)
    return (*files, fim.prefix, prefix, fim.suffix, suffix, fim.middle)


def _files(fim: FimTokens, backdrop: Backdrop) -> tuple[Piece, ...]:
    """The blocks as files of a repository, up to where the document's path stands; nothing
    where the vocabulary has no tokens for that."""
    if fim.repository is None or fim.file_separator is None:
        return ()
    files: list[Piece] = []
    for block in backdrop.blocks:
        files += (fim.file_separator, f"{block.path}\n{block.text}")
    return (fim.repository, f"{backdrop.repository}\n", *files, fim.file_separator)


def _comments(backdrop: Backdrop) -> Iterator[str]:
    end = COMMENT_ENDS.get(backdrop.comment, "")
    for block in backdrop.blocks:
        for line in (block.path, *block.text.removesuffix("\n").split("\n")):
            yield f"{backdrop.comment} {line}".rstrip() + f"{end}\n"
        yield "\n"
