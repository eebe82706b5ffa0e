"""llama.cpp through its C functions: the only place (with weights.py) that imports llama_cpp.

The high-level class of that package cannot be stopped while it decodes and costs ten times
as much per token. One thread owns a `Model` and its `Context`; only `StopFlag` may be touched
by other threads. ctypes lets go of the interpreter lock during every call.
"""

import ctypes
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# Read by OpenMP when llama.cpp's library is loaded, so they are set before that import. How
# long a thread spins before it sleeps decides how the engine bears other programs; one token
# on two cores, idle / with eight busy processes: never 29 / 25 ms, 200 rounds 19 / 29 ms, 1,000
# rounds 17 / 45-200 ms, 5,000 rounds 17 / 120-750 ms.
os.environ.pop("OMP_WAIT_POLICY", None)
os.environ.setdefault("GOMP_SPINCOUNT", "200")

from llama_cpp import llama_cpp as _lib

from inkling.engine.api import FimTokens
from inkling.engine.errors import DecodeFailed, ModelError, NoRoom
from inkling.engine.gguf import check_file, explain_load_failure
from inkling.engine.sequences import MAX_SEQUENCES
from inkling.engine.vocabulary import Vocabulary, vocabulary

Logits = npt.NDArray[np.float32]

lib: Any = _lib

UBATCH_TOKENS = 64
"""An abort undoes at most one of these; on CPUs larger ones are no faster."""
BATCH_TOKENS = 512

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


class Context:
    """The KV cache and compute buffers of one model. Owner: the thread that owns the model."""

    def __init__(self, model: Model, *, tokens: int, threads: int, stop: StopFlag) -> None:
        """`tokens`: room for prompt and text together; at most what the model was trained on."""
        parameters = lib.llama_context_default_params()
        self.size = min(tokens, model.trained_context or tokens)
        parameters.n_ctx = self.size
        parameters.n_batch = BATCH_TOKENS
        parameters.n_ubatch = UBATCH_TOKENS
        parameters.n_outputs_max = UBATCH_TOKENS
        parameters.n_seq_max = MAX_SEQUENCES
        parameters.kv_unified = True
        parameters.n_threads = threads
        parameters.n_threads_batch = threads
        parameters.no_perf = True
        _errors.clear()
        self._handle = lib.llama_init_from_model(model.handle, parameters)
        if not self._handle:
            raise ModelError(
                f"there is not enough memory for a context of {tokens} tokens; lower contextTokens"
            )
        self._memory = lib.llama_get_memory(self._handle)
        self.can_fork = not model.recurrent
        """Whether sequences can share a beginning (a recurrent state has no parts)."""
        self.can_move = self.can_fork and bool(lib.llama_memory_can_shift(self._memory))
        """Whether what is in the cache can be given other positions."""
        self._moved = False
        self._vocabulary_size = model.vocabulary_size
        self._stop = stop
        stop.attach(self._handle)
        self._batch = lib.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._token = np.ctypeslib.as_array(self._batch.token, (BATCH_TOKENS,))
        self._pos = np.ctypeslib.as_array(self._batch.pos, (BATCH_TOKENS,))
        self._wanted = np.ctypeslib.as_array(self._batch.logits, (BATCH_TOKENS,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (BATCH_TOKENS,))[:] = 1
        self._sequences = [0] * BATCH_TOKENS
        self.batches = 0
        """How often anything was computed: each time, the scores of before are overwritten."""
        for row in range(BATCH_TOKENS):
            self._batch.seq_id[row][0] = 0

    def close(self) -> None:
        lib.llama_batch_free(self._batch)
        lib.llama_free(self._handle)

    def use_threads(self, threads: int) -> None:
        lib.llama_set_n_threads(self._handle, threads, threads)

    def decode(
        self,
        tokens: Sequence[int],
        position: int,
        *,
        sequence: int = 0,
        every_row: bool = False,
    ) -> bool:
        """Add `tokens` (at most BATCH_TOKENS) to a sequence at `position`.

        False if it was stopped: then `length()` tells what was kept. Logits are there for
        the last row, or for every row. Raises `NoRoom`, `DecodeFailed`.
        """
        count = len(tokens)
        self._token[:count] = tokens
        self._pos[:count] = np.arange(position, position + count, dtype=np.int32)
        self._wanted[:count] = 1 if every_row else 0
        self._wanted[count - 1] = 1
        return self._run([sequence] * count)

    def decode_rows(self, rows: Sequence[tuple[int, int, int]]) -> bool:
        """Add one (token, position, sequence) per row, each to its own sequence; as `decode`."""
        for row, (token, position, _) in enumerate(rows):
            self._token[row] = token
            self._pos[row] = position
        self._wanted[: len(rows)] = 1
        return self._run([sequence for _, _, sequence in rows])

    def logits(self, row: int = -1) -> Logits:
        """The scores after a row of the last decode: a view, valid until the next decode."""
        pointer = lib.llama_get_logits_ith(self._handle, row)
        return np.ctypeslib.as_array(pointer, (self._vocabulary_size,))

    def length(self, sequence: int = 0) -> int:
        """How many tokens of a sequence are in the cache."""
        return int(lib.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def truncate(self, length: int, sequence: int = 0) -> bool:
        """Keep only the first `length` tokens; False if this model cannot forget a part."""
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def fork(self, target: int, length: int) -> None:
        """Let sequence `target` share the first `length` tokens of sequence 0."""
        self.share(0, target, 0, length)

    def share(self, source: int, target: int, start: int, end: int) -> None:
        """Let sequence `target` have positions [start, end) of `source`, too. No copy is made:
        moving them in one moves them in the other."""
        lib.llama_memory_seq_cp(self._memory, source, target, start, end)

    def move(self, sequence: int, start: int, end: int, by: int) -> None:
        """Give positions [start, end) of a sequence other numbers; needs `can_move`. The keys
        are turned at the next decode, which nothing stops: give it few tokens."""
        if by:
            lib.llama_memory_seq_add(self._memory, sequence, start, end, by)
            self._moved = True

    @property
    def moved(self) -> bool:
        """Whether keys wait for being turned."""
        return self._moved

    def keep(self, sequence: int, start: int, end: int) -> None:
        """Drop all of a sequence but positions [start, end)."""
        lib.llama_memory_seq_rm(self._memory, sequence, 0, start)
        lib.llama_memory_seq_rm(self._memory, sequence, end, -1)

    def drop(self, sequence: int) -> None:
        """Empty a sequence."""
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def clear(self) -> None:
        lib.llama_memory_clear(self._memory, False)
        self._moved = False

    def _run(self, sequences: Sequence[int]) -> bool:
        for row, sequence in enumerate(sequences):
            if self._sequences[row] != sequence:
                self._batch.seq_id[row][0] = self._sequences[row] = sequence
        self._batch.n_tokens = len(sequences)
        self.batches += 1
        if self._moved:
            # llama.cpp, stopped while it turns keys, would turn some of them twice.
            self._stop.detach(self._handle)
        code = lib.llama_decode(self._handle, self._batch)
        if self._moved:
            self._moved = False
            self._stop.attach(self._handle)
        if code == 0:
            lib.llama_synchronize(self._handle)
            return True
        if code == 2:
            return False
        if code == 1:
            raise NoRoom
        raise DecodeFailed(f"llama.cpp failed to decode (code {code}){_last_error()}")


def _last_error() -> str:
    return f": {_errors[-1].strip()}" if _errors else ""


def _fields(fim: FimTokens | None) -> tuple[int | None, ...]:
    if fim is None:
        return ()
    return (fim.prefix, fim.suffix, fim.middle, fim.repository, fim.file_separator)


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase") if sys.platform == "win32" else ctypes.CDLL(None)
