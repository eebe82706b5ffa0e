"""What somebody who writes at a place may want to see: names, weighed by how near they stand.

Pure. Weights are relative: the cursor's line weighs 1.
"""

import re
from dataclasses import dataclass

from inkling.index.chunks import words_of
from inkling.index.paths import stem

_LINES = 20
"""How far around the cursor names count."""
_FADE = 10.0
"""Lines over which a name loses half its weight."""
_FAR = 0.1
"""Names of the rest of the file."""
_RECENT = 0.5
"""Names that were edited lately, elsewhere."""
_IMPORTED = 1.0
"""Files whose name is imported."""
_FILE_LIMIT = 50_000
"""Bytes around the cursor that are read at all."""
_NAMES_LIMIT = 300

_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import|use|using|include|require|require_once|export[^\n]*\bfrom"
    rb"|#[ \t]*include|(?:const|let|var)[^\n]*\brequire|pub[ \t]+use|mod)\b[^\n]*",
    re.MULTILINE,
)
_PART = re.compile(rb"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Query:
    """Where somebody writes."""

    path: str
    """Of the document the cursor is in."""
    language: str
    data: bytes
    """Its text."""
    offset: int
    recent: tuple[tuple[str, str], ...] = ()
    """(path, text) of what was edited lately, newest first: weighs names, and may come out as a
    snippet."""
    budget_bytes: int = 6000
    """Of all snippets' text."""


def wanted(query: Query) -> dict[str, float]:
    """Names and what they weigh, the heaviest first."""
    data, offset = query.data, max(0, min(query.offset, len(query.data)))
    weights: dict[str, float] = {}

    def note(words: set[str], weight: float) -> None:
        for word in words:
            if weights.get(word, 0.0) < weight:
                weights[word] = weight

    start, end = max(0, offset - _FILE_LIMIT // 2), min(len(data), offset + _FILE_LIMIT // 2)
    note(words_of(data[start:end]), _FAR)
    for _, text in query.recent[:8]:
        note(words_of(text[:4000].encode("utf-8", "replace")), _RECENT)
    line = data.rfind(b"\n", 0, offset) + 1
    before = data[start:line].split(b"\n")[:-1][-_LINES:]
    for distance, part in enumerate(reversed(before), 1):
        note(words_of(part), 1 / (1 + distance / _FADE))
    for distance, part in enumerate(data[line:end].split(b"\n", _LINES)[:_LINES]):
        weight = 1 / (1 + distance / _FADE)
        note(words_of(part), weight)
    for match in _IMPORT.finditer(data, 0, min(len(data), 20_000)):
        for word in _PART.findall(match[0]):
            note({"/" + word.decode()}, _IMPORTED)
    own = stem(query.path)
    note({own, *twins(own)}, _IMPORTED)
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_NAMES_LIMIT]
    return dict(heaviest)


def twins(own: str) -> set[str]:
    """What the test of a file is called, or the file of a test."""
    name = own.removeprefix("/")
    plain = re.sub(r"^(?:test_|tests_)|(?:_test|_tests|_spec|Test|Tests|Spec)$", "", name)
    if plain != name:
        return {"/" + plain} if plain else set()
    return {f"/test_{name}", f"/{name}_test", f"/{name}Test", f"/{name}_spec"}
