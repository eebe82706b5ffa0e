"""Code with ghost text in it, for terminals. Pure but for `make_console`.

Invariant: without colours a suggestion is still told apart from the file's own text, by the
marks around it. Colouring never changes a character, so places in the text stay places in the view.
"""

import re

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

GHOST = "italic bright_black"
CURSOR = "reverse"
_LEAD_IN = 200  # lines above the view that are lexed too, so that it does not start in a string
_TERMINATOR = re.compile(r"\r\n?")
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127), " ")


def make_console(*, stderr: bool = False) -> Console:
    """The console of this process; honours NO_COLOR, TERM and COLUMNS."""
    return Console(stderr=stderr, highlight=False)


def shows_styles(console: Console) -> bool:
    """Whether dim text can be told from other text on this console."""
    return console.is_terminal and not console.no_color and console.color_system is not None


def ghost_marks(console: Console) -> tuple[str, str]:
    """What to put around ghost text on this console; two empty texts where its style shows."""
    if shows_styles(console):
        return "", ""
    return ("<<", ">>") if console.options.ascii_only else ("«", "»")


def code_view(
    before: str,
    ghost: str,
    after: str,
    *,
    lexer: str = "text",
    above: int = 5,
    below: int = 5,
    width: int = 80,
    marks: tuple[str, str] = ("", ""),
) -> Text:
    """The lines around a cursor that stands between `before` and `after`, numbered from 1.

    `ghost` is drawn at the cursor in its own style, between `marks`. `above` and `below` are
    numbers of lines, `width` is the console's: longer lines are cut, ghost text never is.
    """
    before, ghost, after = map(_printable, (before, ghost, after))
    upper = before.split("\n")
    cursor_row = len(upper) - 1
    first = max(cursor_row - above, 0)
    start = max(first - _LEAD_IN, 0)
    seen_before = "\n".join(upper[start:])
    seen_after = "\n".join(after.split("\n")[: below + 1])

    code = _coloured(seen_before + seen_after, lexer)
    inserted = Text(marks[0] + ghost + marks[1], style=GHOST)
    if not any(marks):
        inserted = inserted if ghost else Text(" ")
        inserted.stylize(CURSOR, 0, 1)
    cursor = len(seen_before)
    rows = Text.assemble(code[:cursor], inserted, code[cursor:]).split("\n", allow_blank=True)
    ghost_rows = range(cursor_row, cursor_row + ghost.count("\n") + 1)
    view = Text(end="")
    digits = len(str(ghost_rows.stop + below))
    for number in range(first, min(ghost_rows.stop + below, start + len(rows))):
        row = rows[number - start]
        row.expand_tabs(4)
        room = max(width - digits - 2, 1)
        if number not in ghost_rows:
            row.truncate(room, overflow="ellipsis")
        view.append(f"{number + 1:>{digits}}  ", style="bright_black")
        for piece in range(0, max(len(row), 1), room):
            view.append(" " * (digits + 2) if piece else "")
            view.append_text(row[piece : piece + room]).append("\n")
    view.right_crop(1)
    return view


def _printable(text: str) -> str:
    """`text` with "\\n" as its only line terminator and nothing a terminal would obey."""
    return _TERMINATOR.sub("\n", text.removeprefix("\ufeff")).translate(_CONTROLS)


def _coloured(code: str, lexer: str) -> Text:
    """`code`, character for character, in the colours of its language."""
    # Tabs of no width are left alone. A newline is added to a last line that has none.
    coloured = Syntax("", lexer, theme="ansi_dark", tab_size=0).highlight(code)[: len(code)]
    # A lexer may drop or add characters; the ghost's place is worth more than colours.
    return coloured if coloured.plain == code else Text(code)
