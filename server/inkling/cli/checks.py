"""What `inkling doctor` looks at without starting anything, one function for each thing.

Invariant: a check never raises for a fault of the installation; the fault is its result, and a
`fail` or `warn` always says what to do.
"""

import hashlib
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import Literal

from inkling.cli.machine import Machine
from inkling.dirs import cache_dir, log_path
from inkling.engine.errors import ModelError as UnusableFile
from inkling.engine.gguf import check_file
from inkling.models.cache import Missing, resolve
from inkling.models.catalogue import find
from inkling.models.engine_probe import engine_status
from inkling.models.errors import ModelError

State = Literal["ok", "warn", "fail"]

MINIMUM_PYTHON = (3, 11)
COMFORTABLE_DISK = 1_000_000_000
COMFORTABLE_MEMORY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `fix` is empty where nothing needs doing."""

    name: str
    state: State
    said: str
    fix: str = ""


def check_python() -> Check:
    """The interpreter."""
    said = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] < MINIMUM_PYTHON:
        return Check("Python", "fail", said, "Inkling needs Python 3.11 or newer.")
    return Check("Python", "ok", said)


def check_processor(machine: Machine) -> Check:
    """The processor and the instruction sets llama.cpp can use."""
    features = ", ".join(machine.features) or "instruction sets unknown"
    said = f"{machine.processor}, {machine.cores} cores, {features}"
    intel = platform.machine().lower() in ("x86_64", "amd64")
    if intel and machine.features and "avx2" not in machine.features:
        return Check("Processor", "warn", said, "Without AVX2 the model is several times slower.")
    return Check("Processor", "ok", said)


def check_memory(machine: Machine) -> Check:
    """Free memory, which the model needs a good part of."""
    if machine.free_memory is None:
        return Check("Memory", "ok", "this system does not say how much is free")
    said = f"{_gigabytes(machine.free_memory)} free"
    if machine.memory is not None:
        said += f" of {_gigabytes(machine.memory)}"
    if machine.free_memory < COMFORTABLE_MEMORY:
        return Check("Memory", "warn", said, "Close something: the default model needs about 1 GB.")
    return Check("Memory", "ok", said)


def check_cache() -> Check:
    """The directory of models and calibration: writable, and room on its disk."""
    directory = cache_dir()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
        free = shutil.disk_usage(directory).free
    except OSError as problem:
        return Check(
            "Cache",
            "fail",
            f"cannot write to {directory}: {problem.strerror or problem}",
            "Set INKLING_CACHE_DIR to a directory that you can write.",
        )
    said = f"{directory}, {_gigabytes(free)} free"
    if free < COMFORTABLE_DISK:
        return Check("Cache", "warn", said, "Free some disk, or move it with INKLING_CACHE_DIR.")
    return Check("Cache", "ok", said)


def check_log() -> Check:
    """Where the server's log is."""
    path = log_path()
    return Check("Log", "ok", f"{path}{'' if path.exists() else ' (nothing logged yet)'}")


def check_engine() -> Check:
    """The native library, tried in a process of its own."""
    status = engine_status()
    if status.state == "ready":
        return Check("Engine", "ok", f"llama-cpp-python {status.found}")
    return Check("Engine", "fail", status.detail, "Run `inkling setup`.")


def check_model_file(name_or_path: str) -> Check:
    """The model's file, read whole and compared with the catalogue's hash."""
    try:
        found = resolve(name_or_path)
        if isinstance(found, Missing):
            fix = f"Run `inkling pull {found.model.name}`."
            return Check("Model", "fail", f"{found.model.title} is not here yet", fix)
        check_file(found)
        with found.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except ModelError as problem:
        return Check("Model", "fail", str(problem), "Choose one that `inkling models` lists.")
    except UnusableFile as problem:
        return Check("Model", "fail", str(problem), _another_file(name_or_path))
    except OSError as problem:
        return Check("Model", "fail", f"cannot read it: {problem.strerror}", "Check the disk.")
    said = f"{found}, {found.stat().st_size / 1e6:.0f} MB, sha256 {digest[:12]}…"
    try:
        expected = find(name_or_path).sha256
    except ModelError:
        return Check("Model", "ok", f"{said}, your own file")
    if expected and digest != expected:
        said += f", not the {expected[:12]}… of the catalogue"
        return Check("Model", "fail", said, _another_file(name_or_path))
    return Check("Model", "ok", said)


def _another_file(name_or_path: str) -> str:
    """What to do about a file that is no model: `inkling pull` has only the catalogue's."""
    try:
        name = find(name_or_path).name
    except ModelError:
        return (
            "Get your file again from where it came from, or choose a model that "
            "`inkling models` lists."
        )
    return f"Delete the file, then run `inkling pull {name}`."


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
