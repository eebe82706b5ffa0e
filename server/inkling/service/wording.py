"""An anchor in the words of a prompt. Pure.

Invariant: no secret enters a prompt, from whatever part of the document. The same text always
comes out the same, so what is taken out costs nothing of the KV cache; offsets go on counting in
the document, as only what the model is shown is changed.
"""

from functools import lru_cache
from urllib.parse import unquote

from inkling.context.blocks import Backdrop
from inkling.engine.api import ModelInfo, Piece
from inkling.prompt.anchor import Anchor
from inkling.prompt.fim import completion_head
from inkling.service.forecast import unix_lines
from inkling.text.secret_paths import is_secret_name
from inkling.text.secrets import redact


def head_of(anchor: Anchor, model: ModelInfo) -> tuple[Piece, ...]:
    """The part of the prompt that `anchor` fixes."""
    return completion_head(
        model, prompt_text(anchor.prefix), prompt_text(anchor.suffix), anchor.backdrop or Backdrop()
    )


@lru_cache(maxsize=8)  # each key asks for the same prefix and suffix again
def prompt_text(data: bytes) -> str:
    """Document bytes as the model is shown them."""
    return redact(unix_lines(data).decode("utf-8", "replace"))


def is_secret(uri: str) -> bool:
    """Whether nothing of this document may be shown to a model, by its name."""
    return is_secret_name(unquote(uri.partition("?")[0].partition("#")[0]))
