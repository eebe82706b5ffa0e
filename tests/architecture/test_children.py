"""What a child process may run: our modules, never the code of the folder it starts in."""

import re
from pathlib import Path

SERVER = Path(__file__).parents[2] / "server"


def test_no_child_looks_for_modules_in_the_workspace() -> None:
    """Without `-P`, `python -m` puts the working directory first on the path."""
    started = re.compile(r"sys\.executable,\s*\"-m\"")
    unsafe = [
        path.relative_to(SERVER).as_posix()
        for path in sorted(SERVER.rglob("*.py"))
        if started.search(path.read_text("utf-8"))
    ]

    assert unsafe == []
