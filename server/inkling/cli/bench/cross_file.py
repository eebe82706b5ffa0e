"""Holes whose line uses a name that is defined in another file of the repository.

What the index is for: the name's spelling, its parameters and how it is used elsewhere are not
in the file before one's eyes. Cut from the repository's own files, seeded, spread over them.

Three kinds, in turn: the whole line; the rest of it from the second character of the name on;
what is between the brackets of its call. Import lines are not used: they come before the work.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from inkling.cli.bench.holes import SHORTEST, Hole, Kind
from inkling.cli.bench.lines import code_lines
from inkling.cli.bench.trace import mates
from inkling.index.crawl import crawl
from inkling.index.extract import record_of
from inkling.index.record import FileRecord
from inkling.syntax.languages import language_of

KINDS: tuple[Kind, ...] = ("other-line", "other-name", "other-call")
SHORTEST_NAME = 5
MOST_DEFINERS = 3
"""A name that more files define is a common one (`run`, `main`), and no question of this file's."""
LARGEST = 60_000
TELLING = ("class", "interface", "enum", "function", "method", "type", "macro", "constant")
_MADE = re.compile(r"^[A-Z]|._.|[a-z][A-Z]")
"""Names of one small word (`read`, `field`) are in every library."""
_IMPORT = re.compile(r"\s*(import|from|use|package|#\s*include|export .* from|\} from)\b")


def cross_file_holes(root: Path, seed: int, count: int) -> list[Hole]:
    """`count` holes, at most one a file and round; fewer where the repository has fewer."""
    texts: dict[str, str] = {}
    records: dict[str, FileRecord] = {}
    for found in crawl(root):
        if found.size > LARGEST or language_of("", found.path) is None:
            continue
        data = (root / found.path).read_bytes()
        record = record_of(found.path, data, parse=True)
        if record is not None and record.tier == "parsed":
            texts[found.path] = data.decode("utf-8", "replace")
            records[found.path] = record
    definers: dict[str, set[str]] = defaultdict(set)
    for path, record in records.items():
        for definition in record.definitions:
            if definition.kind in TELLING and _MADE.search(definition.name):
                definers[definition.name].add(path)
    order = sorted(texts)
    random.Random(seed).shuffle(order)
    holes: list[Hole] = []
    for turn in range(8):
        for path in order:
            if len(holes) == count:
                return holes
            kind = KINDS[len(holes) % len(KINDS)]
            dice = random.Random(f"{seed}:{turn}:{path}")
            places = sorted(_places(texts[path], _foreign(path, records[path], definers), kind))
            if places:
                holes.append(_hole(path, texts[path], *dice.choice(places), kind))
    return holes


def _foreign(path: str, record: FileRecord, definers: Mapping[str, set[str]]) -> set[str]:
    """The names in a file that few others define, and it does not."""
    return {
        name
        for name in record.names
        if len(name) >= SHORTEST_NAME
        and 0 < len(definers.get(name, ())) <= MOST_DEFINERS
        and path not in definers[name]
    }


def _places(text: str, names: set[str], kind: Kind) -> Iterator[tuple[int, int]]:
    """Code points [start, end) of the holes of this kind."""
    for start, line in code_lines(text, 16, 100):
        if _IMPORT.match(line):
            continue
        closers = mates(line)
        for word in re.finditer(r"[^\W\d]\w*", line):
            if word[0] not in names or _in_string(line[: word.start()]):
                continue
            if kind == "other-line":
                yield start + len(line) - len(line.lstrip()), start + len(line)
            elif kind == "other-name":
                yield start + word.start() + 1, start + len(line)
            elif word.end() in closers and closers[word.end()] - word.end() > SHORTEST:
                yield start + word.end() + 1, start + closers[word.end()]


def _in_string(before: str) -> bool:
    """Whether a line's beginning ends inside a string or a comment, as far as one line tells."""
    quoted = any(before.count(mark) % 2 for mark in "\"'`")
    return quoted or bool(re.search(r"(^|\s)(#|//|/?\*)", before))


def _hole(path: str, text: str, start: int, end: int, kind: Kind) -> Hole:
    language = language_of("", path)
    assert language is not None
    line = text.count("\n", 0, start) + 1
    return Hole(
        id=f"{path}:{line}",
        kind=kind,
        language_id=language.name,
        before=text[:start],
        expected=text[start:end],
        after=text[end:],
    )
