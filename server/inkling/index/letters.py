"""What a name looks like to somebody who types parts of it: its words' first letters, its letters.

`word_starts` tells where the words of a name begin: `parseHTTPHeader` has parse, HTTP, Header;
`read_file2` has read, file, 2. Pure.
"""

import re
from functools import lru_cache
from itertools import pairwise

# The rules of `starts_of_any` for the letters that nearly all names are made of; ten times as fast.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[0-9]+[a-z]*")


def word_starts(name: str) -> list[int]:
    """Where words begin, in characters."""
    if name.isascii():
        return [match.start() for match in _WORD.finditer(name)]
    return starts_of_any(name)


def starts_of_any(name: str) -> list[int]:
    """`word_starts` for letters of any script."""
    starts = []
    before = "_"
    for at, character in enumerate(name):
        if character.isalnum() and (
            not before.isalnum()
            or (character.isupper() and not before.isupper())
            or (character.isupper() and name[at + 1 : at + 2].islower())
            or (character.isdigit() and not before.isdigit())
        ):
            starts.append(at)
        before = character
    return starts


def initials(name: str) -> str:
    """The words' first letters, in lower case; "" where there is only one word."""
    starts = word_starts(name)
    return "".join(name[at] for at in starts).lower() if len(starts) > 1 else ""


@lru_cache(maxsize=4096)
def _bit(character: str, first: bool) -> int:
    """One of 64 bits: 26 letters, 26 letters as the first of a word, digits, all the rest."""
    if "a" <= character <= "z":
        return 1 << (ord(character) - 97 + (26 if first else 0))
    if character.isdigit():
        return 1 << (52 + ord(character) % 10)
    return 1 << 62 if character == "_" else 1 << 63


def mask(name: str) -> int:
    """Which letters a name has, and which begin its words."""
    found = 0
    lower = name.lower()
    for character in lower:
        found |= _bit(character, False)
    if len(lower) == len(name):
        for at in word_starts(name):
            found |= _bit(lower[at], True)
    return found


def wanted_mask(query: str) -> int:
    """The bits a name must have to hold `query`'s letters, each hump of it at a word's beginning.

    A hump is the first letter, one behind an underscore, and a capital behind a small letter. Of
    all others only the presence counts. The mask is stricter than the order of letters alone: it
    lets through what people mean who type parts of names.
    """
    lower, found = query.lower(), letters_mask(query)
    if len(lower) == len(query):
        before = "_"
        for letter, character in zip(lower, query, strict=True):
            if before == "_" or (character.isupper() and before.islower()):
                found |= _bit(letter, True)
            before = character
    return found


def letters_mask(query: str) -> int:
    """The bits a name must have to have all of `query`'s letters."""
    found = 0
    for character in query.lower():
        found |= _bit(character, False)
    return found


def pairs(text: bytes) -> int:
    """Which pairs of neighbouring bytes a text has, in 64 bits: many pairs share one.

    What lacks a bit of `pairs(part)` does not hold the part.
    """
    found = 0
    for one, other in pairwise(text):
        found |= 1 << ((one * 31 + other * 7) & 63)
    return found
