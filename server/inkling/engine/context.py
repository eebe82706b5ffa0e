"""A context of llama.cpp: what it computes, and where what was computed lies.

Tokens lie at positions of sequences; a sequence can share what another one has, and give it
other positions. Which sequence is for what stands in `sequences`.
"""

from collections.abc import Sequence

import numpy as np

from inkling.engine.errors import DecodeFailed, ModelError, NoRoom
from inkling.engine.healing import Scores
from inkling.engine.llama import Model, StopFlag, last_error, lib
from inkling.engine.sequences import MAX_SEQUENCES

UBATCH_TOKENS = 64
"""An abort undoes at most one of these; on CPUs larger ones are no faster."""
BATCH_TOKENS = 512


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
        if self._moved and len(tokens) > 1:
            # Nothing stops a decode that turns keys as well: give that one a single token.
            self._decode(tokens[:1], position, sequence, False)
            tokens, position = tokens[1:], position + 1
        return self._decode(tokens, position, sequence, every_row)

    def _decode(self, tokens: Sequence[int], position: int, sequence: int, every_row: bool) -> bool:
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

    def logits(self, row: int = -1) -> Scores:
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
        are turned at the next decode, which nothing stops."""
        if by:
            lib.llama_memory_seq_add(self._memory, sequence, start, end, by)
            self._moved = True

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
        raise DecodeFailed(f"llama.cpp failed to decode (code {code}){last_error()}")
