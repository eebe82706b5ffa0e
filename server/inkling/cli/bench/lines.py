"""The lines of a source text in which a hole is worth cutting. Pure; code point offsets."""

from collections.abc import Iterator

COMMENTS = ("#", "//", "*", "/*", '"', "'")
HEADER_LINES = 8
"""Licence and imports, of which nothing can be told yet."""


def code_lines(text: str, shortest: int, longest: int) -> Iterator[tuple[int, str]]:
    """(start, line) of plain code lines: no prose, `shortest` to `longest` characters of text."""
    at, prose = 0, False
    for number, line in enumerate(text.split("\n")):
        start, at = at, at + len(line) + 1
        was_prose = prose
        if line.count('"""') % 2:
            prose = not prose
        body = line.strip()
        if (
            number > HEADER_LINES
            and not was_prose
            and not prose
            and shortest <= len(body) <= longest
            and line.isascii()
            and line == line.rstrip()
            and not body.startswith(COMMENTS)
        ):
            yield start, line
