"""llama.cpp through its C functions: the only place (with weights.py) that imports llama_cpp.

The high-level class of that package cannot be stopped while it decodes and costs ten times
as much per token. One thread owns a `Model` and its `context.Context`; only `StopFlag` may be
touched by other threads. ctypes lets go of the interpreter lock during every call.
"""

import ctypes
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Read by OpenMP when llama.cpp's library is loaded, so they are set before that import. How
# long a thread spins before it sleeps decides how the engine bears other programs; one token
# on two cores, idle / with eight busy processes: never 29 / 25 ms, 200 rounds 19 / 29 ms, 1,000
# rounds 17 / 45-200 ms, 5,000 rounds 17 / 120-750 ms.
os.environ.pop("OMP_WAIT_POLICY", None)
os.environ.setdefault("GOMP_SPINCOUNT", "200")

from llama_cpp import llama_cpp as _lib

from inkling.engine.api import FimTokens
from inkling.engine.errors import ModelError
from inkling.engine.gguf import check_file, explain_load_failure
from inkling.engine.vocabulary import Vocabulary, vocabulary

lib: Any = _lib

_log = logging.getLogger(__name__)
_errors: deque[str] = deque(maxlen=20)
_ERROR, _CONTINUED = 4, 5


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _on_log(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace")
    if level in (_ERROR, _CONTINUED):
        _errors.append(line)
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s", line.rstrip("\n"))


lib.llama_log_set(_on_log, ctypes.c_void_p(0))
lib.llama_backend_init()

LIBRARY_VERSION = str(sys.modules["llama_cpp"].__version__)
HAS_GPU = bool(lib.llama_supports_gpu_offload())


class StopFlag:
    """A byte that llama.cpp looks at while it computes. Any thread may set or clear it.

    The native callback is libc's `strlen` over the byte: "" (0) means go on, one character
    (1) means stop. No Python runs, so the interpreter lock cannot delay a stop.
    """

    def __init__(self) -> None:
        self._byte = ctypes.create_string_buffer(2)
        strlen = ctypes.cast(_c_library().strlen, ctypes.c_void_p).value
        self._callback = lib.ggml_abort_callback(strlen)

    def set(self) -> None:
        self._byte[0] = b"\1"

    def clear(self) -> None:
        self._byte[0] = b"\0"

    def is_set(self) -> bool:
        return self._byte[0] != b"\0"

    def attach(self, context: object) -> None:
        """Let `context` look at this flag; the flag must outlive it."""
        data = ctypes.cast(self._byte, ctypes.c_void_p)
        lib.llama_set_abort_callback(context, self._callback, data)

    def detach(self, context: object) -> None:
        """Let `context` compute to the end."""
        lib.llama_set_abort_callback(context, lib.ggml_abort_callback(), None)


class Model:
    """A loaded GGUF file. Owner: one thread. Raises `ModelError` if it cannot be loaded."""

    def __init__(self, path: Path, progress: Callable[[int], None] = lambda percent: None) -> None:
        """`progress` hears the percentage in steps of ten, in the calling thread."""
        check_file(path)
        heard = -1

        @lib.llama_progress_callback  # type: ignore[untyped-decorator]
        def on_progress(fraction: float, _data: object) -> bool:
            nonlocal heard
            percent = int(fraction * 10) * 10
            if percent > heard:
                heard = percent
                progress(percent)
            return True

        parameters = lib.llama_model_default_params()
        parameters.progress_callback = on_progress
        _errors.clear()
        self.handle = lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self.handle:
            raise ModelError(explain_load_failure(path, "".join(_errors)))
        if not lib.llama_model_has_decoder(self.handle) or lib.llama_model_has_encoder(self.handle):
            raise ModelError(f"{path.name} does not continue text; choose a model made for code")
        self._vocab = lib.llama_model_get_vocab(self.handle)
        self.vocabulary_size: int = lib.llama_vocab_n_tokens(self._vocab)
        if not self.vocabulary_size:
            raise ModelError(f"{path.name} has no vocabulary; choose a model made for code")
        self.recurrent = bool(
            lib.llama_model_is_recurrent(self.handle) or lib.llama_model_is_hybrid(self.handle)
        )
        self.trained_context: int = lib.llama_model_n_ctx_train(self.handle)
        self.architecture = self._metadata("general.architecture")
        self.bos: int | None = (
            lib.llama_vocab_bos(self._vocab) if lib.llama_vocab_get_add_bos(self._vocab) else None
        )
        self.start: int = max(lib.llama_vocab_bos(self._vocab), lib.llama_vocab_eos(self._vocab), 0)
        self.fim = self._fim()
        self.vocabulary, self.ends = self._tokens()

    def close(self) -> None:
        lib.llama_model_free(self.handle)

    @property
    def weights(self) -> str:
        """The kind of quantization, as llama.cpp names it, such as "Q4_K - Medium"."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self.handle, buffer, len(buffer))
        return " ".join(buffer.value.decode("utf-8", "replace").split()[2:])

    def tokenize(self, text: bytes) -> list[int]:
        """`text` as plain tokens, none of them special, whose bytes joined are `text`."""
        if not text:
            return []
        tokens = self._tokenize(text)
        if self._joined(tokens) == text:
            return tokens
        # Some vocabularies put a space before every text; a first line takes it away again.
        tokens = self._tokenize(b"\n" + text)
        for lead in range(1, min(len(tokens), 4)):
            if self._joined(tokens[:lead]).endswith(b"\n"):
                return tokens[lead:]
        return tokens

    def _joined(self, tokens: Sequence[int]) -> bytes:
        pieces = self.vocabulary.pieces
        return b"".join(pieces[token] for token in tokens)

    def _tokenize(self, text: bytes) -> list[int]:
        room = len(text) + 8
        buffer = (ctypes.c_int32 * room)()
        count = lib.llama_tokenize(self._vocab, text, len(text), buffer, room, False, False)
        if count < 0:
            raise ModelError("the model's vocabulary cannot express this text")
        return list(buffer[:count])

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(256)
        size = lib.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def _fim(self) -> FimTokens | None:
        prefix, suffix, middle, repository, separator = (
            token if token >= 0 else None
            for token in (
                lib.llama_vocab_fim_pre(self._vocab),
                lib.llama_vocab_fim_suf(self._vocab),
                lib.llama_vocab_fim_mid(self._vocab),
                lib.llama_vocab_fim_rep(self._vocab),
                lib.llama_vocab_fim_sep(self._vocab),
            )
        )
        if prefix is None or suffix is None or middle is None:
            return None
        return FimTokens(prefix, suffix, middle, repository, separator)

    def _tokens(self) -> tuple[Vocabulary, frozenset[int]]:
        """All tokens' bytes, and the ids at which a text ends."""
        buffer = ctypes.create_string_buffer(1024)
        pieces: list[bytes] = []
        text: list[int] = []
        ends: set[int] = set()
        plain = lib.LLAMA_TOKEN_ATTR_NORMAL | lib.LLAMA_TOKEN_ATTR_BYTE
        added = lib.LLAMA_TOKEN_ATTR_USER_DEFINED
        for token in range(self.vocabulary_size):
            size = lib.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
            piece = ctypes.string_at(buffer, size) if size > 0 else b""
            pieces.append(piece)
            attributes = lib.llama_vocab_get_attr(self._vocab, token)
            # Vocabularies add runs of spaces, which are text, and marks like <tool_call>.
            marked = attributes & added and piece[:1] == b"<" and piece[-1:] == b">"
            if lib.llama_vocab_is_eog(self._vocab, token):
                ends.add(token)
            elif attributes & (plain | added) and not marked and piece:
                text.append(token)
            else:
                ends.add(token)
        marks = {token for token in _fields(self.fim) if token is not None}
        return (
            vocabulary(pieces, (token for token in text if token not in marks)),
            frozenset(ends | marks),
        )


def last_error() -> str:
    """What llama.cpp said last of an error, to be put behind a sentence; mostly empty."""
    return f": {_errors[-1].strip()}" if _errors else ""


def _fields(fim: FimTokens | None) -> tuple[int | None, ...]:
    if fim is None:
        return ()
    return (fim.prefix, fim.suffix, fim.middle, fim.repository, fim.file_separator)


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase") if sys.platform == "win32" else ctypes.CDLL(None)
