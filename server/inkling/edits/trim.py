"""Cut generated text down to what belongs at the cursor.

Small models repeat what is already below the cursor, close brackets that the editor has
closed, and fall into loops. Every rule is a pure function from text to shorter text; the
caller chains them (`trim`) and learns which rule cut, for `inkling.why`.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

LOOKAHEAD_LINES = 30
"""How many non-blank lines below the cursor a suggestion is compared with."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the cursor, decoded."""

    typed: str
    """The cursor's line left of the cursor, with its indentation."""
    tail: str
    """The cursor's line right of the cursor."""
    following: tuple[str, ...]
    """The next non-blank lines with their indentation, at most LOOKAHEAD_LINES."""
    preceding: tuple[str, ...] = ()
    """The non-blank lines before the cursor's, stripped, nearest last."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    text: str
    cut_by: tuple[str, ...] = ()
    """Names of the rules that shortened the text, in order."""


def trim(text: str, around: Surroundings, *, max_lines: int) -> Trimmed:
    """Apply every rule. Blank results become the empty string."""
    cut_by: list[str] = []

    def after(name: str, shorter: str) -> str:
        if shorter != text:
            cut_by.append(name)
        return shorter

    text = after("brackets already closed", cut_at_closed_bracket(text, around.tail))
    text = after("repeats the rest of the line", cut_tail_overlap(text, around.tail))
    text = after("repeats the lines below", cut_following_lines(text, around))
    text = after("repeats itself", cut_repetition(text, around))
    text = after("too many lines", "\n".join(text.split("\n")[:max_lines]))
    if not text.strip():
        return Trimmed("", tuple(cut_by))
    return Trimmed(text, tuple(cut_by))


def cut_at_closed_bracket(text: str, tail: str) -> str:
    """Stop before a closing bracket that is already there right of the cursor.

    With `foo(|)` and the text `a, b):`, only `a, b` belongs at the cursor.
    """
    first = tail.lstrip()[:1]
    if not first or first not in CLOSERS:
        return text
    depth = 0
    quote = ""
    escaped = False
    for index, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char in (quote, "\n"):
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in OPENERS:
            depth += 1
        elif char in CLOSERS:
            if depth == 0:
                return text[:index] if char == first else text
            depth -= 1
    return text


def cut_tail_overlap(text: str, tail: str) -> str:
    """Drop the end of the first line where it repeats the start of what is right of the cursor."""
    tail = tail.rstrip()
    if not tail:
        return text
    if text.startswith(tail) and tail[0] not in OPENERS:
        return ""  # it says what is there already, and goes on after it
    stripped = text.partition("\n")[0].rstrip()
    for length in range(min(len(stripped), len(tail)), 0, -1):
        if stripped.endswith(tail[:length]) and (length == len(tail) or length > 2):
            shorter = stripped[: len(stripped) - length]
            if len(unclosed_brackets(shorter)) <= len(unclosed_brackets(stripped)):
                return shorter  # else what looks like the tail closes a bracket of the text
    return text


def cut_following_lines(text: str, around: Surroundings) -> str:
    """Stop where the text starts to say what stands below the cursor already.

    That is: the very next line, or two lines that follow each other further down.
    """
    below = [line.rstrip() for line in around.following]
    if not below:
        return text
    lines = text.split("\n")
    said = [line.rstrip() for line in [around.typed + lines[0], *lines[1:]]]
    pairs = {pair for pair in pairwise(below) if all(map(_is_telling, pair))}
    for index, line in enumerate(said):
        if not line.strip():
            continue
        after = [later for later in said[index + 1 :] if later.strip()]
        if line == below[0] and (_is_telling(line) or not after or after[:1] == below[1:2]):
            return "\n".join(lines[:index])
        if after and (line, after[0]) in pairs:
            return "\n".join(lines[:index])
    return text


def _is_telling(line: str) -> bool:
    """Whether a line is unlikely to be wanted twice (unlike `}` or `pass`)."""
    return len(line.strip()) > 3 and bool(re.search(r"\w", line))


def cut_repetition(text: str, around: Surroundings) -> str:
    """Stop a loop: the same line three times, or a block of lines said twice in a row."""
    lines = text.split("\n")
    said = [line.strip() for line in lines]
    said[0] = (around.typed + lines[0]).strip()
    for index in range(len(said)):
        line = said[index]
        if len(line) < 4:
            continue
        history = [*around.preceding[-2:], *[earlier for earlier in said[:index] if earlier]]
        if history[-2:] == [line, line]:
            return "\n".join(lines[:index])
        for size in range(2, (index + 1) // 2 + 1):
            if said[index - size + 1 : index + 1] == said[index - 2 * size + 1 : index - size + 1]:
                return "\n".join(lines[: index - size + 1])
    return text


def unclosed_brackets(text: str) -> str:
    """The closers `text` would need for the brackets it opened, innermost first."""
    stack: list[str] = []
    for char in text:
        if char in OPENERS:
            stack.append(OPENERS[char])
        elif stack and char == stack[-1]:
            stack.pop()
    return "".join(reversed(stack))
