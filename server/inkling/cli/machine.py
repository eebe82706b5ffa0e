"""What this computer is: processor, its instruction sets, memory.

Every function answers on every system; what a system does not tell is None or empty.
"""

import ctypes
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from inkling.engine.machine import processor

_FEATURES = ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "neon")
_ARM_NAMES = {"asimd": "neon", "advsimd": "neon"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory is in bytes; `features` are the instruction sets that matter to llama.cpp."""

    system: str
    processor: str
    cores: int
    features: tuple[str, ...]
    memory: int | None
    free_memory: int | None


def this_machine() -> Machine:
    """Look once; takes a few milliseconds (on macOS it asks `sysctl`)."""
    told = _processor_text()
    return Machine(
        system=platform.platform(terse=True),
        processor=processor(),
        cores=_cores(),
        features=_features(told),
        memory=_memory(),
        free_memory=_free_memory(),
    )


def is_busy() -> bool:
    """Whether more programs want to run than there are processors; False where nobody tells."""
    try:
        return os.getloadavg()[0] > _cores()
    except (AttributeError, OSError):  # Windows has no such figure
        return False


def _cores() -> int:
    """Processors this process may use, which a container may make fewer than there are."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor_text() -> str:
    """What the system says about its processor; "" on Windows, which says nothing in text."""
    if sys.platform == "darwin":
        return _output("sysctl", "machdep.cpu", "hw.optional")
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _features(told: str) -> tuple[str, ...]:
    words = {_ARM_NAMES.get(word, word) for word in re.findall(r"[a-z0-9_]+", told.lower())}
    return tuple(name for name in _FEATURES if name in words)


def _memory() -> int | None:
    if sys.platform == "win32":
        return _windows_memory()[0]
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _free_memory() -> int | None:
    """Memory that a new process can have without anything being swapped out."""
    if sys.platform == "win32":
        return _windows_memory()[1]
    if sys.platform == "darwin":
        pages = re.findall(r"Pages (?:free|inactive|speculative):\s+(\d+)", _output("vm_stat"))
        return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE") if pages else None
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    available = re.search(r"MemAvailable:\s+(\d+) kB", told)
    return int(available[1]) * 1024 if available else None


def _windows_memory() -> tuple[int | None, int | None]:
    """(all, available) from GlobalMemoryStatusEx."""

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "available", "a", "b", "c", "d", "e")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return int(status.total), int(status.available)


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
