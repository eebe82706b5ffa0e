"""Fill-in-the-middle markers as text, by model family, for servers that take text only.

Where a server tells token ids these are used to find them; else `ModelInfo.fim` gets the
negative stand-ins of `STAND_INS`, which `text_of` turns into the text again.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from inkling.engine.api import FimTokens, Piece


@dataclass(frozen=True, slots=True)
class Markers:
    """One family's marker texts; an empty one is not there (Codestral has no middle)."""

    prefix: str
    suffix: str
    middle: str
    repository: str = ""
    file_separator: str = ""


_STARCODER = Markers("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<repo_name>", "<file_sep>")
_QWEN = Markers(
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>"
)
# Written by code point: the bar is U+FF5C and the blank U+2581, which look like others.
_DEEPSEEK = Markers(
    "<\uff5cfim\u2581begin\uff5c>", "<\uff5cfim\u2581hole\uff5c>", "<\uff5cfim\u2581end\uff5c>"
)

FAMILIES: tuple[tuple[tuple[str, ...], Markers], ...] = (
    (("qwen", "coder"), _QWEN),
    (("codegemma",), Markers("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    (("granite-4",), Markers("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    (("granite",), Markers("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    (("starcoder",), _STARCODER),
    (("deepseek", "coder"), _DEEPSEEK),
    (("codellama",), Markers("<PRE> ", " <SUF>", " <MID>")),
    (("seed-coder",), Markers("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>")),
    (("codestral",), Markers("[PREFIX]", "[SUFFIX]", "")),
)
"""Words of a model's name, all needed, and its markers (model cards); the first match counts."""

STAND_INS = FimTokens(prefix=-1, suffix=-2, middle=-3, repository=-4, file_separator=-5)


def family_of(model: str) -> Markers | None:
    """The markers of the family that `model` is of, by its name; None where it is unknown."""
    name = model.lower()
    return next((found for words, found in FAMILIES if all(word in name for word in words)), None)


def stand_ins(markers: Markers) -> FimTokens:
    """Ids for a prompt that `text_of` will turn into `markers`."""
    return FimTokens(
        prefix=STAND_INS.prefix,
        suffix=STAND_INS.suffix,
        middle=STAND_INS.middle,
        repository=STAND_INS.repository if markers.repository else None,
        file_separator=STAND_INS.file_separator if markers.file_separator else None,
    )


def texts(markers: Markers | None) -> tuple[str, ...]:
    """The marker texts there are, without the blanks around them."""
    found = (text.strip() for text in (astuple(markers) if markers else ()))
    return tuple(text for text in found if text)


def text_of(prompt: Sequence[Piece], markers: Markers | None) -> str:
    """A prompt as one text, for a server that reads markers in text.

    Marker texts that stand in the document itself are broken up by a blank, or they would
    break the prompt: servers can't be told which ones are meant.
    """
    by_id: tuple[str, ...] = astuple(markers) if markers else ()
    parts = []
    for piece in prompt:
        if isinstance(piece, int):
            parts.append(by_id[-1 - piece] if -len(by_id) <= piece < 0 else "")
        else:
            for marker in texts(markers):
                piece = piece.replace(marker, f"{marker[0]} {marker[1:]}")
            parts.append(piece)
    return "".join(parts)
