"""What git knows of a folder: its files, its ignore files, where its data lies. Read only.

Invariants: git is only asked, never trusted. It runs no command that the folder's own
configuration names, opens no connection, writes nothing, and the program is never looked for
in the workspace. Where it is missing, slow, or refuses (a folder of another user), the answer is
None and the caller goes without.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 15.0
"""How long git may take. On a file system on which it needs longer, so does everything."""

_TRACKED = re.compile(r"(\d{6}) [0-9a-f]{40,64} \d\t")
_LINKED = "160000"  # the mode of a submodule

# A file system monitor is a command that the repository chooses; partial clones fetch on demand.
_CAREFUL = ("-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
# What an editor that was started by git hands down would point git at another repository.
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")


@dataclass(frozen=True, slots=True)
class Listing:
    """Relative POSIX paths. A file may be there twice, and one may be gone. All are UTF-8."""

    files: list[str]
    repositories: list[str]
    """Folders that are repositories of their own: submodules, and clones inside of a clone."""


def listing(folder: Path) -> Listing | None:
    """What lies below `folder` and is tracked, or neither tracked nor ignored."""
    lines = _paths(folder, "ls-files", "-s", "-c", "-o", "--exclude-standard", "-z")
    if lines is None:
        return None
    found = Listing([], [])
    for line in lines:
        if line.endswith("/"):
            found.repositories.append(line[:-1])
        elif tracked := _TRACKED.match(line):
            target = found.repositories if tracked[1] == _LINKED else found.files
            target.append(line[tracked.end() :])
        else:
            found.files.append(line)
    return found


def tracked_though_ignored(folder: Path) -> list[str] | None:
    """Paths below `folder` that belong to it although a pattern ignores them."""
    return _paths(folder, "ls-files", "-c", "-i", "--exclude-standard", "-z")


def global_ignore_file(folder: Path) -> Path:
    """The user's own ignore file, the same for every `folder`; it need not exist."""
    answer = _run(folder, "config", "--global", "--type=path", "--get", "core.excludesFile")
    named = os.fsdecode(answer).strip() if answer else ""
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or ""
    return (Path(home) if home else Path.home() / ".config") / "git" / "ignore"


def top_of(folder: Path) -> Path | None:
    """The nearest folder from `folder` upwards that is a work tree's top."""
    for candidate in (folder, *folder.parents):
        if data_folder(candidate) is not None:
            return candidate
    return None


def data_folder(top: Path) -> Path | None:
    """Where HEAD and the index of the work tree at `top` lie; None where it is none."""
    entry = top / ".git"
    try:
        if entry.is_dir():
            return entry
        text = entry.read_text("utf-8", "replace")
    except OSError:
        return None
    return top / text[7:].strip() if text.startswith("gitdir:") else None


def exclude_file(data: Path) -> Path:
    """The ignore file of one clone. Work trees that share a clone share it."""
    try:
        common = data / (data / "commondir").read_text("utf-8", "replace").strip()
    except OSError:
        common = data
    return common / "info" / "exclude"


def _paths(folder: Path, *arguments: str) -> list[str] | None:
    answer = _run(folder, *arguments)
    if answer is None:
        return None
    try:
        return answer.decode("utf-8").split("\0")[:-1]
    except UnicodeDecodeError:
        return [path for path in map(_decoded, answer.split(b"\0")) if path]


def _decoded(path: bytes) -> str:
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _run(folder: Path, *arguments: str) -> bytes | None:
    program = _program(folder)
    if program is None:
        return None
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [program, *_CAREFUL, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _program(workspace: Path) -> str | None:
    """git on the path. `shutil.which` would look in the current folder first on Windows."""
    name = "git.exe" if os.name == "nt" else "git"
    for place in os.get_exec_path():
        program = Path(place) / name
        if not program.is_absolute() or program.is_relative_to(workspace):
            continue
        # `Path.is_file` raises where a folder can't be entered.
        if os.path.isfile(program) and os.access(program, os.X_OK):  # noqa: PTH113
            return str(program)
    return None
