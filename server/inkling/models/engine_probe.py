"""Does the engine's native library work here? Asked in a child process.

A library that was built for another processor dies of an illegal instruction; that must not
take the asking process with it. Nothing here imports `llama_cpp` itself.
"""

import importlib
import re
import signal
import subprocess
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from inkling.models.child import python

DISTRIBUTION = "llama-cpp-python"
_TIMEOUT_S = 60.0  # a cold disk and a virus scanner; normally under 1 s
_ILLEGAL_INSTRUCTION = {-getattr(signal, "SIGILL", 4), 0xC000001D, 0xC000001D - (1 << 32)}
_PROGRAM = (
    "import llama_cpp.llama_cpp as l; l.llama_backend_init();"
    "print('features', l.llama_print_system_info().decode())"
)

# llama.cpp's names → Linux's /proc/cpuinfo names, for what it was compiled to use.
_FLAGS = {
    "SSE3": "pni",
    "SSSE3": "ssse3",
    "AVX": "avx",
    "AVX_VNNI": "avx_vnni",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
}
_BASELINE = {"SSE3", "SSSE3", "AVX", "AVX2", "F16C", "FMA", "BMI2"}


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """`detail` is one sentence for people.

    "foreign": built for a processor that has more than this one.
    """

    state: Literal["ready", "missing", "other-version", "foreign", "broken"]
    wanted: str
    found: str | None
    detail: str
    features: tuple[str, ...] = ()
    """Instruction sets it was compiled to use, in llama.cpp's names; empty where it did not run."""


def pinned_version() -> str:
    """The exact version that Inkling's own metadata asks for in its extra `llama`."""
    for requirement in _requirements():
        if match := re.match(rf"{DISTRIBUTION}\s*==\s*([\w.]+)", requirement):
            return match[1]
    raise LookupError(f"no exact version of {DISTRIBUTION} in Inkling's metadata")


def engine_status() -> EngineStatus:
    """Look, and try the library in a child process (about half a second)."""
    wanted = pinned_version()
    importlib.invalidate_caches()
    try:
        found = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return EngineStatus("missing", wanted, None, "The engine is not installed.")
    if found != wanted:
        return EngineStatus(
            "other-version", wanted, found, f"{DISTRIBUTION} is {found}; Inkling needs {wanted}."
        )
    try:
        tried = subprocess.run(
            python("-c", _PROGRAM), capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return EngineStatus("broken", wanted, found, "The engine's library hangs when loaded.")
    output = tried.stdout.decode(errors="replace")
    if tried.returncode in _ILLEGAL_INSTRUCTION or missing_features(output, _cpu_flags()):
        detail = "The engine was built for another processor than this one."
        return EngineStatus("foreign", wanted, found, detail)
    if tried.returncode != 0:
        lines = tried.stderr.decode(errors="replace").strip().splitlines()
        cause = lines[-1] if lines else f"exit status {tried.returncode}"
        return EngineStatus("broken", wanted, found, f"The engine does not load: {cause}")
    detail = f"{DISTRIBUTION} {found} is installed and loads."
    return EngineStatus("ready", wanted, found, detail, tuple(compiled_features(output)))


def compiled_features(system_info: str) -> list[str]:
    """The features that llama.cpp's system information says are on."""
    return re.findall(r"(\w+) = 1", system_info)


def is_portable(features: Collection[str]) -> bool:
    """Whether a library with these features runs on any x86 processor with AVX2."""
    return not (set(features) & _FLAGS.keys()) - _BASELINE


def missing_features(system_info: str, cpu_flags: frozenset[str]) -> list[str]:
    """Instruction sets the library was compiled to use and this processor lacks.

    Empty where the processor's flags are not known: then only a crash tells.
    """
    if not cpu_flags:
        return []
    used = compiled_features(system_info)
    return [name for name in used if name in _FLAGS and _FLAGS[name] not in cpu_flags]


def _cpu_flags() -> frozenset[str]:
    """x86 feature flags from Linux; empty on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    match = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(match[1].split()) if match else frozenset()


def _requirements() -> list[str]:
    """From the installed package, else from the source checkout around it."""
    checkout = Path(__file__).parents[3] / "pyproject.toml"
    try:
        return metadata.requires("inkling-ls") or []
    except metadata.PackageNotFoundError:
        project = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]
        return list(project["optional-dependencies"]["llama"])
