"""Ignore files as layers of patterns, and what several of them say of one path.

Paths are relative to the workspace folder and POSIX; a folder's ends with a slash.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_MOST_BYTES = 1_000_000  # of an ignore file that are read
_LINE_END = re.compile(r"\r?\n")


@dataclass(frozen=True, slots=True)
class Layer:
    """The patterns of one file. A path is matched as `prefix + path[cut:]`."""

    spec: GitIgnoreSpec
    cut: int
    prefix: str = ""


def has_negation(place: Path) -> bool:
    """Whether an ignore file takes something back in."""
    return any(line.startswith("!") for line in _lines(place))


def verdict_of(layers: Iterable[Layer], path: str) -> bool | None:
    """True where the path is ignored, False where it is taken back in, None where none says."""
    for layer in layers:
        included = layer.spec.check_file(layer.prefix + path[layer.cut :]).include
        if included is not None:
            return included
    return None


def matches(layers: Iterable[Layer], path: str) -> bool:
    """Whether the layers ignore the path."""
    return bool(verdict_of(layers, path))


def layers_of(file: Path, cut: int) -> tuple[Layer, ...]:
    """The layer of one file, or none where there is no such file. `cut`: see `Layer`."""
    lines = _lines(file)
    return (Layer(patterns_of(lines), cut),) if lines else ()


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as source:
            data = source.read(_MOST_BYTES)
    except (OSError, ValueError):
        return []
    return _LINE_END.split(data.decode("utf-8-sig", "replace"))


def patterns_of(lines: Iterable[str]) -> GitIgnoreSpec:
    """Patterns as git reads them; a later one outweighs an earlier one."""
    patterns = []
    for line in lines:
        try:
            patterns.append(GitIgnoreSpecPattern(line))
        except ValueError:
            continue  # git passes over what is no pattern, too
    return GitIgnoreSpec(patterns)


def braces(glob: str) -> list[str]:
    """An editor's `*.{a,b}` as the patterns that git's rules know."""
    head, opened, rest = glob.partition("{")
    inner, closed, tail = rest.partition("}")
    if not opened or not closed:
        return [glob]
    return [spread for part in inner.split(",") for spread in braces(head + part + tail)]
