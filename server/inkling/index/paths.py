"""What paths tell: what a file is called, how near two files are, which are tests. Pure.

Paths are POSIX paths relative to the workspace root.
"""

import re

# Files that are named for what they are, not for what is in them: their folder names them.
_NAMELESS = frozenset(
    {"__init__", "index", "mod", "lib", "main", "init", "default", "package-info"}
)
_TEST = re.compile(
    r"(?:^|[/_.\-])(?:tests?|specs?|testing|__tests__|conftest)(?=[/_.\-]|$)|Tests?\.\w+$"
)


def stem(path: str) -> str:
    """The name a file is imported by, behind a slash: `/parser` for `lib/parser.py`.

    The slash tells it from an identifier, so both can stand in one table.
    """
    folder, _, name = path.rpartition("/")
    base = name.split(".", 1)[0] or name.lstrip(".")
    if base.lower() in _NAMELESS and folder:
        base = folder.rpartition("/")[2]
    return "/" + base


def folder(path: str) -> str:
    """The folder a file lies in; "" at the root."""
    return path.rpartition("/")[0]


def nearness(one: str, other: str) -> float:
    """1 for files of one folder, less the further apart their folders are, 0 for nothing shared."""
    a, b = folder(one), folder(other)
    if a == b:
        return 1.0
    mine, theirs = a.split("/") if a else [], b.split("/") if b else []
    shared = 0
    for left, right in zip(mine, theirs, strict=False):
        if left != right:
            break
        shared += 1
    apart = len(mine) + len(theirs) - 2 * shared
    return shared / (shared + apart) if shared else 0.0


def is_test(path: str) -> bool:
    """Whether a file holds tests, told by its name and folders."""
    return _TEST.search(path) is not None
