"""FILE:LINE:COL on the command line, and the document it names.

Lines and columns count from 1 as editors show them; a column counts characters (code points).
What cannot be read is a `click.ClickException`: one sentence, exit code 1.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from inkling.syntax.languages import language_of
from inkling.text.buffer import Buffer
from inkling.text.document import Document
from inkling.text.encode import to_bytes

_SHAPE = re.compile(r"(?P<path>.+):(?P<line>\d+):(?P<column>\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to complete; `line` and `column` are at least 1."""

    path: Path
    line: int
    column: int


class PlaceType(click.ParamType[Place]):
    """The parameter type. Drive letters and colons in names are fine: the last two count."""

    name = "FILE:LINE:COL"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        if isinstance(value, Place):
            return value
        found = _SHAPE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not FILE:LINE:COL, such as src/app.py:12:5.", param, ctx)
        line, column = int(found["line"]), int(found["column"])
        if line < 1 or column < 1:
            self.fail("lines and columns count from 1.", param, ctx)
        return Place(Path(found["path"]), line, column)


def open_document(path: Path) -> Document:
    """The file as an editor would open it: version 1, without a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise click.ClickException(f"{path}: {problem.strerror or problem}.") from problem
    if b"\0" in content[:8192]:
        raise click.ClickException(f"{path} is a binary file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise click.ClickException(
            f"{path} is not UTF-8 (byte {problem.start}); save it as UTF-8 first."
        ) from problem
    uri = path.absolute().as_uri()
    language = language_of("", uri)
    return Document(uri, language.name if language else "plaintext", 1, to_bytes(text))


def offset_of(document: Document, place: Place) -> int:
    """The byte offset of a place in its document."""
    buffer = Buffer(document.data)
    row = place.line - 1
    if row >= buffer.rows:
        raise click.ClickException(
            f"{place.path} has {_count(buffer.rows, 'line')}: there is no line {place.line}."
        )
    length = len(document.text(buffer.start(row), buffer.end(row)))
    if place.column > length + 1:
        raise click.ClickException(
            f"Line {place.line} of {place.path} has {_count(length, 'character')}: "
            f"the last column is {length + 1}."
        )
    return buffer.offset_at(row, place.column - 1, "utf-32")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
