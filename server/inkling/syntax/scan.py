"""Brackets and strings of a piece of text, read line by line without a tree.

This is the cheap half of the syntax rules: it tells where text leaves the block it began
in and which closers it still owes. It may be wrong about exotic literals; what is shown is
always decided by a parse.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from inkling.syntax.languages import Language

CLOSERS = {"(": ")", "[": "]", "{": "}"}
OPENERS = {closer: opener for opener, closer in CLOSERS.items()}

# What a line that ends in a colon starts with where the colon opens a block; a closing
# bracket is the end of a head that was written over several lines.
_COMPOUND = re.compile(
    r"(?:async|def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b|[)\]}]"
)


@dataclass(frozen=True, slots=True)
class Line:
    """What is known at a line's end. Counts start where the text starts, not the document."""

    text: str
    """Without its terminator."""
    inside: bool
    """The line starts inside brackets or a string that the text opened."""
    open: tuple[tuple[str, int, int], ...]
    """Unclosed brackets, outermost first: opener, number of its line, column in it."""
    below: int
    """Closers so far that close something opened before the text."""
    last: str
    """Last character that is neither blank nor comment; "" where there is none."""
    in_string: bool
    """The line ends inside a string or block comment."""
    comment: bool
    """The line ends in a line comment."""


@lru_cache(maxsize=32)
def _token(language: Language) -> re.Pattern[str]:
    quotes = "|".join(re.escape(quote) for quote in language.quotes)
    block = r"|(?P<block>/\*)" if language.comment == "//" else ""
    # A Rust quote is a character literal or a lifetime; only the literal may hide a bracket.
    literal = r"|(?P<literal>'(?:\\.[^']*|[^'\\])')" if language.name == "rust" else ""
    comment = re.escape(language.comment)
    return re.compile(
        rf"(?P<comment>{comment}){block}{literal}|(?P<quote>{quotes})|(?P<bracket>[()\[\]{{}}])|\S"
    )


def scan(text: str, language: Language) -> tuple[Line, ...]:
    """Read `text` as code from its first character on. Linear in the text."""
    pattern = _token(language)
    lines: list[Line] = []
    stack: list[tuple[str, int, int]] = []
    below = 0
    ending = ""  # what ends the string or comment that is open across lines
    for number, content in enumerate(split_lines(text)):
        inside = bool(stack) or bool(ending)
        last, at, comment = "", 0, False
        while at < len(content):
            if ending:
                at, ended = _skip_string(content, at, ending)
                last = "" if ending == "*/" and ended else "s"
                if ended:
                    ending = ""
                continue
            match = pattern.search(content, at)
            if match is None or match.lastgroup == "comment":
                comment = match is not None
                break
            at = match.end()
            kind = match.lastgroup
            if kind == "block":
                ending = "*/"
            elif kind == "quote":
                last = "s"
                at, ended = _skip_string(content, at, match[0])
                if not ended and match[0] in language.spanning:
                    ending = match[0]
            else:
                last = match[0]
                if last in CLOSERS:
                    stack.append((last, number, match.start()))
                elif last in OPENERS:
                    if stack:
                        stack.pop()
                    else:
                        below += 1
        lines.append(Line(content, inside, tuple(stack), below, last, bool(ending), comment))
    return tuple(lines)


def split_lines(text: str) -> list[str]:
    """Lines as LSP has them, without terminators; the last may be empty."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _skip_string(content: str, at: int, ending: str) -> tuple[int, bool]:
    """Where the string goes on to in this line, and whether it ends there."""
    while True:
        end = content.find(ending, at)
        if end < 0:
            return len(content), False
        slashes = end - len(content[at:end].rstrip("\\")) - at
        if ending == "*/" or slashes % 2 == 0:
            return end + len(ending), True
        at = end + 1


def opens_block(line: Line, language: Language) -> bool:
    """Whether a line's code ends by opening a block: a colon, or a brace left open."""
    if language.block_style == "indent":
        head = line.last == ":" and not line.open and _COMPOUND.match(line.text.lstrip())
        return bool(head) or _open_at_end(line, "{")
    return _open_at_end(line, "{")


def _open_at_end(line: Line, bracket: str) -> bool:
    return line.last == bracket and bool(line.open) and not line.in_string


def indent_of(line: str) -> str:
    """A line's leading blanks."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def width(indent: str) -> int:
    """Columns of an indentation, tabs to the next multiple of eight as Python counts them."""
    return len(indent.expandtabs(8))
