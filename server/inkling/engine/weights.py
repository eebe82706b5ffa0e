"""Weights that this machine computes faster: a model file quantized anew, kept in a cache.

Published small models hold most of their weights in Q5_0, for which llama.cpp has no fast
x86 code. `requantize` writes a copy with those tensors in another type; the rest is copied
as it is, and the published file is never touched. With llama.py the only importer of
llama_cpp; runs as a low-priority process of its own (`python -m inkling.engine.weights`).
"""

import argparse
import ctypes
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as _lib

from inkling.engine.errors import ModelError
from inkling.engine.gguf import check_file
from inkling.engine.machine import usable_cores
from inkling.engine.recipe import changes
from inkling.engine.tensors import Tensor, tensors

lib: Any = _lib

ABANDONED_SECONDS = 3600


def requantize(source: Path, target: Path) -> None:
    """Write `source` with the types of `recipe.changes` to `target`, whole or not at all.
    Blocks for seconds to minutes. Raises `ModelError`."""
    check_file(source)
    listed = tensors(source)
    wanted = changes(listed)
    overrides = _overrides(listed, wanted)
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = lib.LLAMA_FTYPE_MOSTLY_Q8_0
    parameters.allow_requantize = True
    parameters.nthread = max(1, usable_cores() // 2)
    parameters.tt_overrides = overrides
    for tensor in listed:
        if tensor.name == "output.weight":
            parameters.output_tensor_type = wanted.get(tensor.name, tensor.type)
    draft = target.with_suffix(f".{time.time_ns()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_drafts(target)
        code = lib.llama_model_quantize(os.fsencode(source), os.fsencode(draft), parameters)
        if code != 0:
            raise ModelError(f"llama.cpp could not quantize {source.name} (code {code})")
        draft.replace(target)
    except OSError as error:
        raise ModelError(f"cannot write {target}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _clear_drafts(target: Path) -> None:
    """Delete what earlier attempts left that were killed."""
    for draft in target.parent.glob(f"{target.stem}.*.part"):
        if time.time() - draft.stat().st_mtime > ABANDONED_SECONDS:
            draft.unlink(missing_ok=True)


def _overrides(listed: tuple[Tensor, ...], wanted: dict[str, int]) -> Any:
    """Every tensor's type, by exact name: what is not wanted otherwise stays as it is."""
    entries = [
        (f"^{re.escape(tensor.name)}$".encode(), wanted.get(tensor.name, tensor.type))
        for tensor in listed
    ]
    made = (lib.llama_model_tensor_override * (len(entries) + 1))()
    for entry, (pattern, kind) in zip(made, entries, strict=False):
        entry.pattern, entry.type = pattern, kind
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="inkling.engine.weights")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(15)
    silent = lib.llama_log_callback(lambda level, text, data: None)
    lib.llama_log_set(silent, ctypes.c_void_p(0))
    lib.llama_backend_init()
    try:
        requantize(arguments.source, arguments.target)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _end_with_parent() -> None:
    """The engine process never writes: its end is what is read. The draft stays and is
    deleted by a later attempt."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
