"""What a file holds, read without a grammar: identifiers by one pattern, definitions by the line.

The first tier of the index, and the only one for languages without a grammar, for files that
are too big to parse and for text that no grammar makes sense of. It is right about code that is
written the usual way and never fails: whatever the bytes are, the answer is well-formed, its
offsets lie on the beginnings and ends of lines (`name_start` apart), inner definitions lie within
outer ones.

Pure. Linear in the text but for nesting: a definition's end is looked for once on each level.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from inkling.index.chunks import LONG_NAME
from inkling.index.chunks import cut as cut
from inkling.index.chunks import names_of as names_of
from inkling.index.patterns import Family, family_of
from inkling.index.record import Definition, Kind

_HEAD_LIMIT = 2000
"""Bytes; a signature that is longer is cut at the end of its first line."""
_DEFINITIONS_LIMIT = 20_000
"""Of one file. Generated tables have more, and nobody looks for a thing in them by name."""

_NOT_METHODS = {
    b"if", b"for", b"while", b"switch", b"catch", b"return", b"function", b"else", b"do", b"with",
    b"await", b"new", b"throw", b"typeof", b"case", b"sizeof", b"super", b"using", b"lock", b"when",
    b"defined", b"elif", b"synchronized", b"match", b"loop", b"foreach", b"until", b"unless",
}  # fmt: skip
_CONTAINERS = ("class", "interface", "enum", "type", "module")


def lexical_definitions(data: bytes, language: str) -> tuple[Definition, ...]:
    """Definitions found line by line, in the order of their starts; parents before children.

    `head_end` is the end of the line on which the signature ends. `language` is a name of
    `syntax.languages`; any other is read by the words that most languages define things with.
    """
    family = family_of(language)
    found: list[Definition] = []
    open_: list[int] = []  # indices of the definitions around the present place
    for kind, name, start, name_start, indent in _heads(data, family):
        while open_ and found[open_[-1]].end <= start:
            open_.pop()
        parent = open_[-1] if open_ else -1
        if not _belongs(kind, found[parent].kind if parent >= 0 else None):
            continue
        end = _end(data, name_start, indent, family)
        if parent >= 0:
            if start < found[parent].head_end and family.braces:
                continue  # a parameter, or a one-line body
            end = min(end, found[parent].end)
            if kind == "function" and found[parent].kind in ("class", "interface", "enum", "type"):
                kind = "method"
            elif kind in ("variable", "constant") and found[parent].kind in ("class", "interface"):
                kind = "field"
        open_.append(len(found))
        found.append(
            Definition(
                kind=kind,
                name=name,
                start=start,
                end=end,
                name_start=name_start,
                head_end=_head_end(data, name_start, end, family),
                parent=parent,
            )
        )
        if len(found) >= _DEFINITIONS_LIMIT:
            break
    return tuple(found)


def _belongs(kind: Kind, around: Kind | None) -> bool:
    """Whether a thing found there is worth keeping: no local variables, no fields of nothing."""
    if around is None:
        return kind != "field"
    if around in ("function", "method", "macro"):
        return kind in ("class", "function", "method")
    return around in _CONTAINERS


def _heads(data: bytes, family: Family) -> Iterator[tuple[Kind, str, int, int, int]]:
    """(kind, name, start, start of the name, width of the indentation), in the file's order."""
    # The pattern begins with the line feed before the line; here each place is one further on.
    shifted = b"\n" + data
    for match in family.pattern.finditer(shifted):
        group = match.lastgroup
        if group is None:
            continue
        name = match[group]
        kind = family.kinds[group]
        if name in _NOT_METHODS and (kind == "method" or family.wordless):
            continue
        word = name.decode("utf-8", "replace")
        if len(word) > LONG_NAME:
            continue
        if kind == "variable" and word.isupper():
            kind = "constant"
        # The pattern may begin with decorators; the indentation is that of the name's own line.
        at = match.start(group)
        head = data[data.rfind(b"\n", 0, at) + 1 : at]
        yield kind, word, match.start(), at, len(head) - len(head.lstrip(b" \t"))


def _end_of_line(data: bytes, at: int) -> int:
    """Behind the line's terminator, or the file's end."""
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1


@lru_cache(maxsize=256)
def _outdent(indent: int, skipped: bytes) -> re.Pattern[bytes]:
    """A line that is indented no deeper than `indent` and is no part of what stands above."""
    return re.compile(rb"\n[ \t]{0,%d}(?![ \t\r\n])(?!%s)" % (indent, skipped))


def _end(data: bytes, name_start: int, indent: int, family: Family) -> int:
    """Where what is defined on this line ends, told by the indentation of what follows."""
    first = _end_of_line(data, name_start)
    if family.braces and data[name_start:first].rstrip().endswith((b";", b",")):
        return first
    match = _outdent(indent, family.continued).search(data, first - 1)
    if match is None:
        # Also where the line is the last: its own end.
        return len(data)
    end = match.start() + 1
    if family.closers.match(data, match.end()):
        return _end_of_line(data, match.end())
    while end > first and data[end - 2 : end] in (b"\n\n", b"\r\n"):
        shorter = data.rfind(b"\n", 0, end - 1) + 1
        if data[shorter:end].strip():
            break
        end = shorter
    return max(end, first)


_BODY = re.compile(rb"(?:[:{]|\bdo|\bthen|=>|=)[ \t]*(?:#[^\n]*|//[^\n]*)?\r?(?:\n|\Z)")


def _head_end(data: bytes, name_start: int, end: int, family: Family) -> int:
    """Behind the line on which the signature ends; `end` where nothing follows it."""
    first = min(_end_of_line(data, name_start), end)
    if first >= end:
        return end
    line = data[name_start:first].rstrip()
    if line.count(b"(") > line.count(b")") or line.endswith((b",", b"\\")):
        match = _BODY.search(data, name_start, min(end, name_start + _HEAD_LIMIT))
        if match is not None:
            return min(match.end(), end)
    return first
