"""Cuts a file into pieces that are worth showing whole, and tells which names each holds.

Invariants: the pieces lie in order, each begins and ends at a line's beginning or the file's,
and no piece is longer than LONGEST. What is in no piece is blank lines, and lines longer than
that (data, minified code), which show nobody how to write the next one. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import pairwise

from inkling.index.record import Chunk, Definition

LONGEST = 1500
"""Bytes of a piece."""
_USUAL = 900
"""Bytes up to which small neighbours are put together, and into which long ones are cut."""
LONG_NAME = 80
"""Characters; what is longer is data."""

_ASCII_NAME = re.compile(r"\b[A-Za-z_]\w{1,79}\b", re.ASCII)
_NAME = re.compile(r"\b[^\W\d]\w+")
_BLANK = re.compile(rb"\n[ \t\r]*\n")


def words_of(data: bytes) -> set[str]:
    """Identifiers of 2 to 80 characters, keywords included; letters of any script."""
    if data.isascii():
        return set(_ASCII_NAME.findall(data.decode("ascii")))
    text = data.decode("utf-8", "replace")
    return {word for word in _NAME.findall(text) if len(word) <= LONG_NAME}


def names_of(data: bytes) -> tuple[str, ...]:
    """Identifiers of 2 to 80 characters, sorted, each once; letters of any script.

    Keywords, and words of comments and strings, are among them. Bytes that are no UTF-8 stand
    for no letter.
    """
    return tuple(sorted(words_of(data)))


def cut(data: bytes, definitions: Sequence[Definition], names: Sequence[str]) -> tuple[Chunk, ...]:
    """The file's pieces, with their names as indices into `names`.

    Names that are not in `names` are left out. Pieces without any name are left out, too.
    """
    number = {name: index for index, name in enumerate(names)}
    found = []
    for start, end in pieces(data, definitions):
        inside = sorted(number[word] for word in words_of(data[start:end]) if word in number)
        if inside:
            found.append(Chunk(start, end, tuple(inside)))
    return tuple(found)


def survey(
    data: bytes, definitions: Sequence[Definition], hidden: Set[str] = frozenset()
) -> tuple[tuple[str, ...], tuple[Chunk, ...]]:
    """`names_of` and `cut` at once, reading the text once; words of `hidden` are left out."""
    parts = []
    words: set[str] = set()
    at = 0
    for start, end in pieces(data, definitions):
        own = words_of(data[start:end]) - hidden
        words |= own
        if start > at:
            words |= words_of(data[at:start])
        at = end
        if own:
            parts.append((start, end, own))
    words |= words_of(data[at:])
    names = sorted(words - hidden)
    number = {name: index for index, name in enumerate(names)}
    return tuple(names), tuple(
        Chunk(start, end, tuple(sorted(map(number.__getitem__, own)))) for start, end, own in parts
    )


def pieces(data: bytes, definitions: Sequence[Definition]) -> list[tuple[int, int]]:
    """Where the file is cut: at definitions first, then where there are blank lines."""
    whole: list[tuple[int, int]] = []
    for start, end in _side_by_side(data, definitions):
        if not data[start:end].strip():
            continue
        # Something of its own starts here: a small piece before it is only drawn in when the
        # two belong together, which is told by how little there is of both.
        if whole and end - whole[-1][0] <= _USUAL:
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return [piece for part in whole for piece in _split(data, *part)]


def _side_by_side(data: bytes, definitions: Sequence[Definition]) -> Iterator[tuple[int, int]]:
    """The file's parts between the starts and ends of definitions, without empty ones."""
    edges = {0, len(data)}
    for definition in definitions:
        if definition.end - definition.start > LONGEST and definition.kind not in (
            "function",
            "method",
            "macro",
        ):
            # What is around others: its head goes with what comes first in it.
            edges.add(_line_start(data, definition.start))
            edges.add(_line_end(data, definition.end))
        elif not _inside(definition, definitions):
            edges.add(_line_start(data, definition.start))
            edges.add(_line_end(data, definition.end))
    ordered = sorted(edges)
    return pairwise(ordered)


def _inside(definition: Definition, definitions: Sequence[Definition]) -> bool:
    """Whether a definition is shown as a part of the one around it."""
    parent = definition.parent
    while 0 <= parent < len(definitions):
        around = definitions[parent]
        if around.kind in ("function", "method", "macro") or around.end - around.start <= LONGEST:
            return True
        parent = around.parent
    return False


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _line_end(data: bytes, at: int) -> int:
    """Behind the line that ends at `at` or has something before it."""
    if at <= 0 or data[at - 1 : at] == b"\n":
        return at
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1


def _split(data: bytes, start: int, end: int) -> Iterable[tuple[int, int]]:
    """A part in pieces of at most LONGEST bytes, cut at blank lines where there are any."""
    while end - start > LONGEST:
        at = _break(data, start)
        if at - start <= LONGEST:
            yield start, at
        start = at
    if end > start:
        yield start, end


def _break(data: bytes, start: int) -> int:
    """Where a long part that begins at `start` is cut: at a blank line, else after a line."""
    best = 0
    for match in _BLANK.finditer(data, start + _USUAL // 2, start + LONGEST):
        best = match.end()
        if best - start >= _USUAL:
            break
    if best > start:
        return best
    line = data.rfind(b"\n", start, start + LONGEST) + 1
    if line > start:
        return line
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end + 1
