"""Cuts holes into source text: what a completion should fill, and how near an answer came. Pure.

Invariant: `before + expected + after` is the source text, for every hole of every kind.
"""

import random
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from inkling.cli.bench.corpus import SourceFile
from inkling.cli.bench.lines import code_lines
from inkling.cli.bench.trace import mates

Kind = Literal[
    "mid-word",
    "line-end",
    "empty-line",
    "arguments",
    "humaneval",
    "other-line",
    "other-name",
    "other-call",
]
KINDS: tuple[Kind, ...] = ("mid-word", "line-end", "empty-line", "arguments")
SHORTEST = 4
"""Characters of a hole, at least."""


class Hole(msgspec.Struct, frozen=True):
    """One case: `expected` stood between `before` and `after`."""

    id: str
    kind: Kind
    language_id: str
    before: str
    expected: str
    after: str
    test: str = ""
    """A program part that checks the filled text when it is run after it; "" for none."""

    @property
    def text(self) -> str:
        return self.before + self.after

    @property
    def goal(self) -> str:
        """The whole line as it was."""
        start = self.before.rfind("\n") + 1
        return self.before[start:] + self.expected + self.after.partition("\n")[0]


def cut(files: Sequence[SourceFile], seed: int, count: int) -> list[Hole]:
    """`count` seeded holes, the kinds in turn, one a file while the files last."""
    found: list[Hole] = []
    for turn in range(12):
        for number, file in enumerate(files):
            if len(found) == count:
                return found
            kind = KINDS[len(found) % len(KINDS)]
            dice = random.Random(f"{seed}:{turn}:{number}:{file.name}")
            places = list(_places(file.text, kind))
            if places:
                start, end = dice.choice(places)
                line = file.text.count("\n", 0, start) + 1
                found.append(
                    Hole(
                        f"{file.name}:{line}",
                        kind,
                        file.language_id,
                        file.text[:start],
                        file.text[start:end],
                        file.text[end:],
                    )
                )
    return found


def similarity(expected: str, got: str) -> float:
    """Edit similarity, 0..1; 1 for equal texts."""
    return SequenceMatcher(None, expected, got, autojunk=False).ratio()


def accepted(expected: str, got: str) -> int:
    """Characters at the beginning of `got` that a person typing `expected` could have kept."""
    for count, (one, other) in enumerate(zip(expected, got, strict=False)):
        if one != other:
            return count
    return min(len(expected), len(got))


def _places(text: str, kind: Kind) -> Iterator[tuple[int, int]]:
    """Code points [start, end) of the holes of this kind."""
    for start, line in code_lines(text, 12, 100):
        body = line.strip()
        indent = len(line) - len(line.lstrip())
        last = len(line) - SHORTEST
        if kind == "empty-line":
            yield start + indent, start + len(line)
        elif kind == "mid-word":
            for word in re.finditer(r"[A-Za-z_]\w{3,}", line[indent:]):
                middle = indent + (word.start() + word.end()) // 2
                if indent + len(body) // 4 <= middle <= last:
                    yield start + middle, start + len(line)
        elif kind == "line-end":
            for mark in re.finditer(r"[(=,.:] ?|(?<=\w) ", line[indent:]):
                if len(body) // 4 <= mark.end() and indent + mark.end() <= last:
                    yield start + indent + mark.end(), start + len(line)
        else:
            for opener, closer in mates(line).items():
                if line[opener] == "(" and closer - opener > SHORTEST:
                    yield start + opener + 1, start + closer
