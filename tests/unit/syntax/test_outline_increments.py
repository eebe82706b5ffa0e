"""An outline does not depend on how its tree came about: typed, or parsed at once.

Thousands of random edits in all base languages, seeded. Texts with errors are walked through
and not compared: tree-sitter itself makes other trees of them.
"""

import random
import re

import pytest

from inkling.syntax.languages import LANGUAGES
from inkling.syntax.outline import outline

from .outlines import check
from .parses import SAMPLES, parsed, soon
from .test_outline import TABLE

EDITS = 400
ASTRAL = "\U0001d4b3"
"""A letter of two units in UTF-16 and four bytes."""
_LEAST_COMPARED = 120  # of them, or the test would say nothing
_WORD = re.compile(rb"[A-Za-z_]\w{2,}")
_SOURCES = {name: source.encode() for name, source, _, _ in TABLE}
_SOURCES["javascriptreact"] = _SOURCES["javascript"] + b"const T = () => <b>{x}</b>;\n"
BASE = [language for language in LANGUAGES if language.judged]


def edits(rng: random.Random, data: bytes, comment: bytes) -> list[tuple[int, int, bytes]]:
    """A few edits in a row, `(start, end, text)`: what people do, whole or letter by letter."""
    lines = [match.start() for match in re.finditer(rb"^", data, re.MULTILINE)]
    ending = b"\r\n" if b"\r\n" in data else b"\n"
    row = rng.choice(lines)
    what = rng.randrange(9)
    if what == 0:  # a comment with everything that is hard to count in it
        return [
            (
                row,
                row,
                comment + rng.choice([" 😀\U0001d4b3", " é\f", " 'x", " {"]).encode() + ending,
            )
        ]
    if what == 1:
        return [(row, row, rng.choice([b"", b"\f", b"    "]) + ending)]
    if what in (2, 3) and (words := list(_WORD.finditer(data))):  # renamed, letter by letter
        word = rng.choice(words)
        end = word.end()
        return [(end + n, end + n, letter) for n, letter in enumerate([b"q", b"Z", b"_"])]
    if what == 4:  # typed and taken back
        typed = rng.choice([b"(", b"{", b'"', b"x =", b"class Q", b"\n", b"}"])
        at = rng.randint(0, len(data))
        return [(at, at, typed), (at, at + len(typed), b"")]
    if what == 5:  # some lines once more, elsewhere
        first = rng.randrange(len(lines))
        last = min(first + rng.randint(1, 6), len(lines) - 1)
        return [(row, row, data[lines[first] : lines[last]])]
    if what == 6:  # some lines gone
        first = rng.randrange(len(lines))
        last = min(first + rng.randint(1, 3), len(lines) - 1)
        return [(lines[first], lines[last], b"")]
    if what == 7:  # the other line end
        at = data.find(b"\n", row)
        if at > 0:
            return [(at - 1, at, b"") if data[at - 1 : at] == b"\r" else (at, at, b"\r")]
    at = data.find(b"\n", row)
    return [
        (max(at, 0), max(at, 0), rng.choice([b"", b" ", b"\t", comment + "\U0001d4b3".encode()]))
    ]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("language", BASE, ids=lambda language: language.name)
def test_an_incremental_tree_has_the_outline_of_a_fresh_one(language, seed):
    name = language.name
    rng = random.Random(f"{name}-{seed}")
    starts = [_SOURCES[name], SAMPLES.get(name, _SOURCES[name])]
    start = starts[seed % 2]
    if rng.random() < 0.5:
        start = start.replace(b"\n", b"\r\n")
    tree = parsed(name, start)
    compared = 0
    for _ in range(EDITS):
        before = tree
        for begin, end, text in edits(rng, tree.data, language.comment.encode()):
            data = tree.data[:begin] + text + tree.data[end:]
            tree = tree.spliced(begin, end, begin + len(text), data, soon())
            found = outline(tree)
            check(data, found)
            if not found.errors:
                assert found == outline(parsed(name, data)), data
                compared += 1
        # What broke the text is mostly taken back, so that there goes on being something to see.
        if tree.errors and rng.random() < 0.8:
            data = before.data
            tree = tree.changed(data, soon())
        if len(tree.data) > 6_000 or (tree.errors and rng.random() < 0.3):
            tree = tree.changed(start, soon())
    assert compared >= _LEAST_COMPARED


@pytest.mark.parametrize("language", BASE, ids=lambda language: language.name)
def test_a_file_typed_from_nothing_ends_with_the_outline_of_a_fresh_parse(language):
    source = _SOURCES[language.name]
    tree = parsed(language.name, b"")
    compared = 0
    for end in range(0, len(source) + 1, 3):
        tree = tree.changed(source[:end], soon())
        found = outline(tree)
        if not found.errors:
            assert found == outline(parsed(language.name, source[:end]))
            compared += 1
    whole = tree.changed(source, soon())
    assert outline(whole) == outline(parsed(language.name, source))
    assert compared > 3
