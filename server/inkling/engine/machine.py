"""What the engine needs to know of the processor it runs on. Reads only; cheap."""

import ctypes
import os
import platform
import sys
from pathlib import Path

_CPU_FOLDER = Path("/sys/devices/system/cpu")


def usable_cores() -> int:
    """Physical cores that this process may use, at least 1: threads beyond them only wait.

    macOS: the fast ones. Windows: half the logical ones where there are many, a guess that
    calibration corrects.
    """
    logical = os.cpu_count() or 1
    if sys.platform == "linux":
        return max(1, min(_linux_cores(os.sched_getaffinity(0)), _linux_quota()))
    if sys.platform == "darwin":
        return _mac_cores() or logical
    return logical if logical <= 4 else logical // 2


def processor() -> str:
    """The processor's name, or its architecture where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _linux_cores(cpus: set[int]) -> int:
    cores = set()
    for cpu in cpus:
        try:
            siblings = (_CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list").read_text()
        except OSError:
            siblings = str(cpu)
        cores.add(siblings)
    return len(cores)


def _linux_quota() -> int:
    """Whole processors that a container's quota allows."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return sys.maxsize


def _mac_cores() -> int | None:
    value = ctypes.c_int32()
    size = ctypes.c_size_t(ctypes.sizeof(value))
    system = ctypes.CDLL(None)
    for name in (b"hw.perflevel0.physicalcpu", b"hw.physicalcpu"):
        if not system.sysctlbyname(name, ctypes.byref(value), ctypes.byref(size), None, 0):
            return value.value
    return None
