"""Where the cursor stands in its line, read from the text alone.

Pure and without a tree, since it runs on every key: the cost is that of the cursor's line
and the one above.
"""

import re
from dataclasses import dataclass

from inkling.syntax.languages import language_of
from inkling.syntax.scan import indent_of, opens_block, scan
from inkling.text.document import Document

_CLOSING = frozenset(")]}>\"'`;,: \t")
_WORD = re.compile(r"\w+")
_GOING_ON = frozenset(
    [
        "end",
        "else",
        "elif",
        "elsif",
        "except",
        "finally",
        "catch",
        "case",
        "default",
        "ensure",
        "rescue",
    ]
)
_LONGEST = 4096  # characters of a line that are still read as code


@dataclass(frozen=True, slots=True)
class LineContext:
    """The cursor's line: `indent + typed` left of the cursor, `tail` right of it."""

    indent: str
    """Leading blanks left of the cursor."""
    typed: str
    tail: str
    tail_is_closers: bool
    """Nothing but closing brackets, quotes and separators follow (or nothing at all)."""
    multiline: bool
    """The syntax asks for lines, not for the rest of one: an empty line, or an opened block."""


def line_context(document: Document, offset: int) -> LineContext:
    """What a completion at byte `offset` continues. Any thread; never raises."""
    left = document.text(document.line_start(offset), offset)
    tail = document.text(offset, document.line_end(offset))
    indent = indent_of(left)
    typed = left[len(indent) :]
    blank = not tail.strip()
    return LineContext(
        indent=indent,
        typed=typed,
        tail=tail,
        tail_is_closers=blank or _CLOSING.issuperset(tail[:_LONGEST]),
        multiline=blank and (not typed or _opens_block(document, typed)),
    )


def _opens_block(document: Document, typed: str) -> bool:
    language = language_of(document.language_id, document.uri)
    if language is None:
        return typed.rstrip().endswith("{")
    if len(typed) > _LONGEST:
        return False
    line = scan(typed, language)[-1]
    return not line.comment and opens_block(line, language)


def before_code(document: Document, offset: int) -> bool:
    """Whether the cursor stands in the blanks before a statement, where text would be glued to it;
    not before what closes or goes on with something."""
    context = line_context(document, offset)
    word = _WORD.match(context.tail.lstrip())
    return not context.typed and word is not None and word.group() not in _GOING_ON
