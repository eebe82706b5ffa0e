"""How far text may run: to the end of the block that the cursor stands in.

Read from indentation or brackets, without a tree, so it holds while the text is still
arriving. Lines are those of what was typed on the cursor's line followed by the new text.
"""

import re
from dataclasses import dataclass

from inkling.syntax.languages import Language
from inkling.syntax.scan import Line, indent_of, width

_CLAUSES = ("elif", "else", "except", "finally")
_BRACE_CLAUSES = ("else", "catch", "finally", "while")
_DEFINITION = re.compile(r"(?:@|def\b|class\b|async\s+def\b)")
_COMPOUND = re.compile(
    r"(?:async|def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """The first `lines` lines may be shown; `closed`: what comes after is another block's."""

    lines: int
    closed: bool


def reach(
    lines: tuple[Line, ...],
    language: Language,
    *,
    indent: str,
    typed: bool,
    among_definitions: bool,
    finished: bool,
) -> Reach:
    """Where the enclosing node ends in `lines`.

    `indent` is the cursor line's, `typed` whether it holds more than that,
    `among_definitions` whether the cursor stands in a file or a class rather than in a
    body of statements; not `finished` means that the last line may be only its beginning.
    """
    if language.block_style == "indent":
        return _by_indent(lines, indent, typed, finished)
    return _by_brackets(lines, typed, among_definitions, finished)


def _by_indent(lines: tuple[Line, ...], indent: str, typed: bool, finished: bool) -> Reach:
    first = next((n for n, line in enumerate(lines) if line.text.strip()), len(lines))
    if first == len(lines):
        return Reach(len(lines), False)
    own = indent_of(lines[first].text)
    base = width(indent + own if first == 0 else own)
    head = first
    definition = not typed and bool(_DEFINITION.match(lines[first].text.lstrip()))
    while definition and head + 1 < len(lines) and lines[head].text.lstrip()[:1] in ("@", "#", ""):
        head = _statement_end(lines, head) + 1
    end = _statement_end(lines, head)
    code = lines[head].text.lstrip() if head < len(lines) else ""
    compound = bool(_COMPOUND.match(code)) and end < len(lines) and lines[end].last == ":"
    if typed and not compound and end > head:
        return Reach(end + 1, end + 1 < len(lines))
    inner = compound and (typed or definition)
    for number in range(end + 1, len(lines)):
        line = lines[number]
        content = line.text.strip()
        if line.inside or not content:
            continue
        depth = width(indent_of(line.text))
        if depth > base or (depth == base and not inner):
            continue
        partial = number == len(lines) - 1 and not finished
        if depth == base and _is_clause(content, _CLAUSES, partial):
            continue
        if content[0] in ")]}" and line.below > lines[number - 1].below:
            return Reach(number + 1, number + 1 < len(lines) or finished)
        return Reach(number, True)
    return Reach(len(lines), False)


def _statement_end(lines: tuple[Line, ...], start: int) -> int:
    """The line where the statement that starts on `start` ends, brackets counted."""
    for number in range(start, len(lines) - 1):
        line = lines[number]
        if not lines[number + 1].inside and not line.text.endswith("\\"):
            return number
    return max(len(lines) - 1, start)


def _is_clause(content: str, clauses: tuple[str, ...], partial: bool) -> bool:
    word = re.match(r"\w*", content)
    found = word[0] if word else ""
    if found in clauses:
        return True
    return partial and found == content and any(clause.startswith(found) for clause in clauses)


def _by_brackets(
    lines: tuple[Line, ...], typed: bool, among_definitions: bool, finished: bool
) -> Reach:
    ends_with_own = typed or among_definitions
    for number, line in enumerate(lines):
        if line.open or line.in_string:
            continue
        left = line.below > 0
        over = ends_with_own and line.inside and number > 0
        if not left and not over:
            continue
        after = number + 1
        if not left and after < len(lines):
            content = lines[after].text.lstrip()
            partial = after == len(lines) - 1 and not finished
            if _is_clause(content, _BRACE_CLAUSES, partial) and (content or partial):
                continue
        return Reach(after, after < len(lines) or finished)
    return Reach(len(lines), False)
