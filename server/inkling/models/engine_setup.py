"""Installing the engine's native library into this environment, as fast as it can be built.

Invariant: nothing starts before it is certain that it can end: the compiler and a writable
environment are looked for first, and what is missing is named with the command that brings it.
"""

import os
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from inkling.dirs import state_dir
from inkling.models import child, packager
from inkling.models.compiler import missing_compiler
from inkling.models.engine_probe import (
    DISTRIBUTION,
    EngineStatus,
    engine_status,
    is_portable,
)
from inkling.models.errors import SetupError

PREBUILT_INDEX = "https://abetlen.github.io/llama-cpp-python/whl/cpu"
"""The llama-cpp-python project's own index of wheels for processors (its README names it)."""

Mode = Literal["native", "portable", "prebuilt"]

_NINJA = re.compile(rb"^\s*\[(\d+)/(\d+)\] ", re.MULTILINE)
_CAUSE = re.compile(
    r"^CMake Error|^\S+:\d+(:\d+)?: (fatal )?error:|\b(fatal )?error C\d+:|No space left on device"
    r"|internal compiler error|^c\+\+: error|Killed signal|undefined reference"
)
_COMPLAINT = re.compile(r"(?i:error\b)|.* error: ")
_TELLING_LINES = 6
_TAIL_BYTES = 64 * 1024  # bytes of the log's end that are searched for ninja's counter


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """`done` of `total` compiler steps; `total` is None while it is unknown. `seconds` since
    the start. `note` is a sentence for people, given once."""

    step: Literal["checking", "fetching", "building", "trying", "done"]
    done: int = 0
    total: int | None = None
    seconds: float = 0.0
    note: str = ""


def ensure_engine(mode: Mode = "native") -> Iterator[SetupProgress]:
    """Install the pinned engine unless a working one is there; tell how it goes.

    `native` compiles for this very processor, `portable` for any x86 of the last ten years
    (AVX2), `prebuilt` takes the project's own wheel and needs no compiler. Blocking; closing
    the iterator early ends the build. Raises `SetupError`.
    """
    yield SetupProgress("checking")
    status = engine_status()
    if status.state == "ready" and (mode != "portable" or is_portable(status.features)):
        yield SetupProgress("done", note=status.detail)
        return
    if mode != "prebuilt" and (remedy := missing_compiler()):
        raise SetupError(
            "The engine is compiled on this machine, and there is no C++ compiler. Install one:\n"
            f"  {remedy}\nand run the same command again; or take the prebuilt engine:\n"
            f"  inkling setup --prebuilt"
        )
    _require_own_environment()
    # pip keys its cache of built wheels by the source only: not by the processor it was built
    # on, nor by CMAKE_ARGS. A wheel from the cache saves the whole build in a new environment,
    # so it is welcome, but it is tried out before it is trusted (below), and it is not even
    # looked at when the flags differ from ours or what is installed is of no use.
    useless = status.state in ("ready", "foreign", "broken")
    fresh = mode == "portable" or bool(os.environ.get("CMAKE_ARGS")) or useless
    began = time.monotonic()
    yield SetupProgress("fetching", note=_announcement(status, mode))
    yield from _install(status, mode, began, fresh=fresh)
    yield SetupProgress("trying", seconds=time.monotonic() - began)
    tried = engine_status()
    if tried.state == "foreign" and not fresh:
        yield SetupProgress(
            "fetching",
            seconds=time.monotonic() - began,
            note="pip's cache held an engine for another processor; building it anew",
        )
        yield from _install(tried, mode, began, fresh=True)
        tried = engine_status()
    if tried.state != "ready":
        raise SetupError(f"The engine was installed but does not work. {tried.detail}", _log())
    seconds = time.monotonic() - began
    yield SetupProgress("done", seconds=seconds, note=f"{tried.detail} It took {_took(seconds)}.")


def cmake_arguments(mode: Mode, user: str = "") -> str:
    """What CMAKE_ARGS gets: what Inkling leaves out, then the user's own, which win."""
    # The path is quoted because CMAKE_ARGS is split like a shell line, with / because a
    # backslash would be an escape there.
    lean = (Path(str(resources.files("inkling.models"))) / "lean.cmake").as_posix()
    arguments = ["-DLLAVA_BUILD=OFF", shlex.quote(f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={lean}")]
    if mode == "portable":
        arguments.append("-DGGML_NATIVE=OFF")
        arguments += [f"-DGGML_{name}=ON" for name in ("AVX", "AVX2", "FMA", "F16C", "BMI2")]
    return " ".join([*arguments, *([user] if user else [])])


def _install(
    status: EngineStatus, mode: Mode, began: float, *, fresh: bool
) -> Iterator[SetupProgress]:
    """Run pip (or uv), following the compiler's steps in its output."""
    log = _log()
    log.parent.mkdir(parents=True, exist_ok=True)
    at = SetupProgress("fetching")
    code: int | None = None
    with tempfile.TemporaryDirectory(prefix="inkling-setup-", ignore_cleanup_errors=True) as temp:
        environment = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temp)
        environment["CMAKE_ARGS"] = cmake_arguments(mode, os.environ.get("CMAKE_ARGS", ""))
        environment["CMAKE_BUILD_PARALLEL_LEVEL"] = os.environ.get(
            "CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1)
        )
        for command in _commands(status, mode, fresh=fresh):
            for code in child.watch(command, log, environment):
                if code is None:
                    at = replace(_seen(log, at), seconds=time.monotonic() - began)
                    yield at
            if code != 0:
                break
    if code != 0:
        raise SetupError(_failure(child.read_text(log), log, mode), log)


def _commands(status: EngineStatus, mode: Mode, *, fresh: bool) -> Iterator[list[str]]:
    """What to run, in order. `fresh`: not from a cache, and not what is installed now."""
    requirement = f"{DISTRIBUTION}=={status.wanted}"
    prebuilt = ["--only-binary", DISTRIBUTION, "--extra-index-url", PREBUILT_INDEX]
    pip = packager.pip()
    if pip is not None and pip[0] == sys.executable:
        if fresh and status.found is not None:
            # pip's --force-reinstall would reinstall all that it depends on, too.
            yield [*pip, "uninstall", "--yes", DISTRIBUTION]
        command = [*pip, "install", "--verbose", "--progress-bar", "off", "--no-input"]
        command += ["--retries", "2", *(["--no-cache-dir"] if fresh else [])]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--verbose", "--python", sys.executable]
        command += ["--no-cache", "--reinstall-package", DISTRIBUTION] if fresh else []
        prebuilt += ["--index-strategy", "unsafe-best-match"]
    else:
        raise SetupError(
            "The engine is installed with pip, and this Python has none: run "
            f"`{sys.executable} -m ensurepip`, or install uv."
        )
    yield [*command, *(prebuilt if mode == "prebuilt" else []), requirement]


def _seen(log: Path, at: SetupProgress) -> SetupProgress:
    """What the end of the log adds to what is known."""
    with log.open("rb") as text:
        text.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        steps = _NINJA.findall(text.read())
    if not steps:
        return at
    done, total = (int(number) for number in steps[-1])
    return replace(at, step="building", done=done, total=total)


def _failure(output: str, log: Path, mode: Mode) -> str:
    """The first lines that name a cause; where none does, the last that complain."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    causes = [line for line in lines if _CAUSE.search(line)][:_TELLING_LINES]
    complaints = [line for line in lines if _COMPLAINT.match(line)][-_TELLING_LINES:]
    shown = "\n".join(f"  {line[:200]}" for line in causes or complaints or lines[-3:])
    other = (
        f"The prebuilt ones come from {PREBUILT_INDEX}, which may not be reachable or have none "
        "for this system; `inkling setup` compiles one."
        if mode == "prebuilt"
        else "A prebuilt engine needs no compiler: `inkling setup --prebuilt`."
    )
    return f"The engine could not be installed:\n{shown}\n{other}\nThe whole output is in {log}."


def _require_own_environment() -> None:
    """Debian and others forbid pip in their own Python (PEP 668): say it before, not after."""
    mark = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    if sys.prefix == sys.base_prefix and mark.exists():
        raise SetupError(
            "This Python belongs to the system, which lets nothing be installed into it. "
            "Install Inkling into an environment of its own:\n"
            "  python3 -m venv ~/.inkling && ~/.inkling/bin/pip install inkling-ls"
        )


def _announcement(status: EngineStatus, mode: Mode) -> str:
    if mode == "prebuilt":
        return f"Fetching the prebuilt {DISTRIBUTION} {status.wanted} from {PREBUILT_INDEX}."
    cores = os.cpu_count() or 1
    target = "any x86 processor with AVX2" if mode == "portable" else "this processor"
    return (
        f"{status.detail} Compiling llama.cpp ({DISTRIBUTION} {status.wanted}, 77 MB of source) "
        f"for {target}, once: about {max(1, round(4 / cores))} to {max(2, round(10 / cores))} "
        f"minutes on {cores} core{'s' if cores > 1 else ''}."
    )


def _log() -> Path:
    return state_dir() / "setup.log"


def _took(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
