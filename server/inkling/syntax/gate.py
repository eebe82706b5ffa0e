"""Which part of a suggestion may be shown: the longest that parses best and adds no error.

Invariant: what is let through has, with its closers, at most as many ERROR and MISSING
nodes under a fresh parse as the document has without it. An incremental tree without errors
counts as a fresh one; where errors remain, both texts are parsed afresh before they are
compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from inkling.syntax.judgement import Judgement
from inkling.syntax.languages import Language
from inkling.syntax.place import Place, place_of
from inkling.syntax.reach import Reach, reach
from inkling.syntax.scan import CLOSERS, Line, indent_of, opens_block, scan, split_lines, width
from inkling.syntax.tree import DeadlinePassed, Parsed, count_errors
from inkling.text.encode import to_bytes, to_text
from inkling.text.position import line_end, line_start

_TERMINATOR = re.compile(r"\r\n|\n|\r")
_ENDINGS = ")]}>;:,\"'`"
_SHORTER = 4  # how many closing characters at a line's end are tried without


@dataclass(frozen=True, slots=True)
class _Candidate:
    kept: str
    closers: str
    if_needed: bool = False
    """Only worth trying where the kept text alone does not pass."""


@dataclass(frozen=True, slots=True)
class _Passed:
    kept: str
    closers: str
    errors: int


@dataclass(frozen=True, slots=True)
class _Bar:
    highest: int
    """Errors that a text may have and still be shown."""
    elsewhere: int
    """Errors away from the cursor's line: no suggestion is expected to have fewer."""


def judge(
    base: Parsed,
    offset: int,
    inserted: str,
    *,
    multiline: bool,
    finished: bool,
    deadline: float,
) -> Judgement:
    """Judge `inserted` at byte `offset` of `base`, which is the document without it.

    Not `finished`: the last line may be only its beginning and is never kept. Closers that take
    lines of their own begin them with a line feed, whatever the document's line ends: the whole
    suggestion gets those afterwards. Raises `DeadlinePassed`.
    """
    language = base.grammar.language
    place = place_of(base, offset)
    lines = _read(place, inserted, language)
    complete = len(lines) if finished else len(lines) - 1
    if multiline:
        limit = reach(
            lines,
            language,
            indent=place.indent,
            typed=place.has_typed,
            among_definitions=place.among_definitions,
            finished=finished,
        )
    else:
        limit = Reach(1, False)
    last = min(limit.lines, complete)
    heads = _block_heads(lines, base, offset, language) if multiline else frozenset()
    counts = [n for n in range(last, 0, -1) if n - 1 not in heads]
    if finished:
        counts += [n for n in range(last, 0, -1) if n - 1 in heads]
    candidates = _candidates(counts, lines, inserted, place, multiline)
    best = _best(base, offset, candidates, deadline)
    if best is not None:
        return Judgement(
            keep=len(to_bytes(best.kept)),
            closers=best.closers,
            closed=limit.closed,
            errors_before=base.errors,
            errors_after=best.errors,
            checked=True,
        )
    return Judgement(
        keep=0,
        closers="",
        closed=limit.closed,
        errors_before=base.errors,
        errors_after=base.errors,
        checked=True,
    )


def _read(place: Place, inserted: str, language: Language) -> tuple[Line, ...]:
    """The cursor's line and what follows it, as code where it is code."""
    if not place.in_text:
        return scan(place.typed + inserted, language)
    text = place.typed + inserted
    return tuple(Line(line, False, (), 0, "s", False, False) for line in split_lines(text))


def _block_heads(
    lines: tuple[Line, ...], base: Parsed, offset: int, language: Language
) -> frozenset[int]:
    """Lines that only begin something and would be shown without its inside."""
    heads = {
        number
        for number, line in enumerate(lines)
        if opens_block(line, language) or (line.open and line.last in CLOSERS)
    }
    if language.block_style == "indent":
        # A head right above lines that are indented further has its body already.
        below = next((line for line in split_lines(_text_below(base, offset)) if line.strip()), "")
        depth = width(indent_of(below))
        heads = {n for n in heads if lines[n].last != ":" or depth <= _depth(lines, n)}
    return frozenset(heads)


def _depth(lines: tuple[Line, ...], number: int) -> int:
    return width(indent_of(lines[number].text))


def _text_below(base: Parsed, offset: int) -> str:
    return to_text(base.data[offset : offset + 2048]).partition("\n")[2]


def _candidates(
    counts: list[int],
    lines: tuple[Line, ...],
    inserted: str,
    place: Place,
    multiline: bool,
) -> Iterator[_Candidate]:
    """Texts to try, the best first."""
    ends = [match.start() for match in _TERMINATOR.finditer(inserted)] + [len(inserted)]
    starts = [0, *(match.end() for match in _TERMINATOR.finditer(inserted))]
    for count in counts:
        if not inserted[starts[count - 1] : ends[count - 1]].strip():
            continue
        kept = inserted[: ends[count - 1]]
        # Who writes the head of a block goes on inside it: don't close it in their way.
        head = lines[count - 1].last in CLOSERS
        for closers in _closers(lines[:count], place):
            yield _Candidate(kept, closers, if_needed=head and bool(closers))
    if not multiline and counts:
        kept = inserted[: ends[0]].rstrip()
        for _ in range(_SHORTER):
            if not kept or kept[-1] not in _ENDINGS:
                return
            kept = kept[:-1].rstrip()
            if kept:
                yield _Candidate(kept, "")


def _closers(lines: tuple[Line, ...], place: Place) -> Iterator[str]:
    """Nothing; what the new text opened; what the whole line opened."""
    yield ""
    line = lines[-1]
    if not line.open or line.in_string:
        return
    typed = len(place.typed)
    own = [bracket for bracket in line.open if bracket[1] > 0 or bracket[2] >= typed]
    if own:
        yield _closing(own, lines, place)
    if len(own) < len(line.open):
        yield _closing(list(line.open), lines, place)


def _closing(brackets: list[tuple[str, int, int]], lines: tuple[Line, ...], place: Place) -> str:
    """Closers for brackets; one that was opened on an earlier line goes on a line of its own."""
    text = ""
    row = len(lines) - 1
    for opener, number, _column in reversed(brackets):
        if number != row:
            indent = indent_of(lines[number].text) if number else place.indent
            text += "\n" + indent
            row = number
        text += CLOSERS[opener]
    return text


def _best(
    base: Parsed, offset: int, candidates: Iterator[_Candidate], deadline: float
) -> _Passed | None:
    """The candidate with the fewest errors that passes the bar, the first of equals."""
    best: _Passed | None = None
    bar: _Bar | None = None
    try:
        for candidate in candidates:
            if candidate.if_needed and best is not None and best.kept == candidate.kept:
                continue
            result = _with(base, offset, candidate.kept + candidate.closers, deadline)
            if result.errors > base.errors or (best and result.errors >= best.errors):
                continue
            if result.errors:
                bar = bar or _bar(base, offset, deadline)
                result.refresh(deadline)
                if result.errors > bar.highest or (best and result.errors >= best.errors):
                    continue
            best = _Passed(candidate.kept, candidate.closers, result.errors)
            if result.errors <= (bar.elsewhere if bar else 0):
                break
    except DeadlinePassed:
        if best is None:
            raise
    return best


def _bar(base: Parsed, offset: int, deadline: float) -> _Bar:
    """What a suggestion has to reach in a document that has errors of its own.

    Where any name at the cursor would mend what is being typed, so must the suggestion.
    """
    base.refresh(deadline)
    named = _with(base, offset, "_", deadline)
    around = line_start(base.data, offset), line_end(base.data, offset)
    elsewhere = count_errors(base.tree.root_node, leaving_out=around)
    return _Bar(min(base.errors, named.errors), elsewhere)


def _with(base: Parsed, offset: int, text: str, deadline: float) -> Parsed:
    extra = to_bytes(text)
    data = base.data[:offset] + extra + base.data[offset:]
    return base.spliced(offset, offset, offset + len(extra), data, deadline)
