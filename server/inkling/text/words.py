"""The name that a cursor stands on, told by the line alone. Pure.

A name is a run of letters, digits, marks and underscores of any script, as Unicode's identifiers
are, with what a few languages add to it. Places are in characters of the line.
"""

import re
from dataclasses import dataclass
from typing import Literal

_DOLLARS = (
    "javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte", "astro",
)  # fmt: skip
"""Languages whose names may hold dollars, and begin with a `#` where they are private."""
_MARKED = ("ruby", "crystal", "elixir")
"""Languages whose names may end with one `?` or `!`."""
_INCLUDING = ("c", "cpp", "objective-c", "objective-cpp", "objc", "objcpp", "cuda", "cuda-cpp")

_INCLUDE = re.compile(r"""\s*#\s*(?:include|include_next|import)\s*(?:"([^"]+)"|<([^>]+)>)""")
_MEMBER = re.compile(r"\s*(?:[?!&]*\.|::|->)\s*\Z")
"""What stands between a name and what it belongs to."""


@dataclass(frozen=True, slots=True)
class Word:
    """What stands under a cursor: a name, or the path of an included file as it is written."""

    text: str
    kind: Literal["name", "file"] = "name"
    qualifier: str = ""
    """The name before it that it is a member of: `self` of `self.x`, `a` of `a::b`."""


def word_at(line: str, at: int, language: str = "") -> Word | None:
    """The word at character `at` of a line, None where there is none.

    The one that the cursor stands on or before comes before the one that it stands behind. On
    the `@` of a decorator it is the decorator; anywhere in an `#include` it is the file.
    `language` is LSP's id.
    """
    included = _INCLUDE.match(line) if language in _INCLUDING else None
    if included is not None and at <= included.end():
        return Word(included[1] or included[2], "file")
    if line[at : at + 1] == "@":
        at += 1
    extra = "$" if language in _DOLLARS else ""
    start, end = _run(line, at, extra)
    name = line[start:end]
    if not name or not (name[0].isidentifier() or name[0] in extra):
        return None
    if language in _DOLLARS and line[start - 1 : start] == "#":
        start -= 1
    if language in _MARKED and line[end : end + 1] in ("?", "!") and line[end + 1 : end + 2] != "=":
        end += 1
    return Word(line[start:end], qualifier=_qualifier(line[:start], extra))


def _qualifier(before: str, extra: str) -> str:
    member = _MEMBER.search(before)
    if member is None:
        return ""
    start, end = _run(before[: member.start()], member.start(), extra)
    return before[start:end]


def _run(line: str, at: int, extra: str) -> tuple[int, int]:
    """The run of a name's characters around `at`, empty where there is none."""
    start = end = min(max(at, 0), len(line))
    while end < len(line) and _in_a_name(line[end], extra):
        end += 1
    while start > 0 and _in_a_name(line[start - 1], extra):
        start -= 1
    return start, end


def _in_a_name(character: str, extra: str) -> bool:
    # Behind a letter, so that digits and marks, which begin no name, count as well.
    return ("a" + character).isidentifier() or character in extra
