"""From a file's bytes to what the index knows of it, in one of two tiers.

Lexical: identifiers and definitions read by the line, some thousand files a second. Parsed: the
outline of a tree, which is exact; where the tree has errors, definitions that the lines show and
the tree has lost are added. Invariant: no word of a secret is among a record's names. Owner of the
grammars: the process's only thread that makes records.
"""

import re
import time
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

from inkling.index.chunks import survey, words_of
from inkling.index.lexical import lexical_definitions
from inkling.index.record import Definition, FileRecord
from inkling.syntax.languages import Language, language_of_file, named
from inkling.syntax.outline import Outline, in_remark, outline
from inkling.syntax.tree import DeadlinePassed, Grammar, Parsed, worth_parsing
from inkling.text.secrets import redact

BINARY_BYTES = 8192
"""How far into a file a NUL makes it no text."""
_IMPORTS_BYTES = 16 * 1024  # where imports are looked for without a tree
_HEADER_BYTES = 32 * 1024  # how much of a C header is read to tell the language

_IMPORT = (
    rb"[ \t]*((?:import|from|use|using|include|require|require_once|require_relative|@import"
    rb"|extern[ \t]+crate|\#[ \t]*(?:include|import)"
    rb"|(?:const|let|var|local)\b[^=\n]*=[ \t]*require)"
    rb"\b[^\n({]*(?:\([^)]{0,4000}\)|\{[^}]{0,4000}\})?[^\n\r]*)"
)
_FIRST_IMPORT = re.compile(_IMPORT)
_IMPORTS = re.compile(rb"\n" + _IMPORT)  # twice as fast as one that is anchored by ^
_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class[ \t]+[A-Za-z_][\w \t]*[:{;\r\n]|namespace[ \t]+[A-Za-z_{]|template[ \t]*<"
    rb"|using[ \t]+[A-Za-z_]|(?:public|private|protected)[ \t]*:)"
    rb"|^\#[ \t]*include[ \t]*<[a-z_]+>",
    re.MULTILINE,
)


def record_of(path: str, data: bytes, *, parse: bool, deadline_s: float = 1.0) -> FileRecord | None:
    """What there is to know of a file; None where it is no text.

    `path` tells the language. Without `parse`, without a grammar, and where the text is not worth
    parsing or takes longer than `deadline_s` seconds, the record is of the lexical tier. Never
    raises.
    """
    if b"\0" in data[:BINARY_BYTES]:
        return None
    language = language_in(path, data)
    name = language.name if language else ""
    parsed = _parse(language, data, deadline_s) if parse and language else None
    if parsed is None:
        definitions = lexical_definitions(data, name)
        imports = _imports(language, data)
    elif (tree := outline(parsed)).errors:
        definitions = united(
            tree,
            [
                definition
                for definition in lexical_definitions(data, name)
                if not in_remark(parsed, definition.name_start)
            ],
        )
        imports = tree.imports or _imports(language, data)
    else:
        definitions = tuple(Definition(*entry) for entry in tree.definitions)
        # Where the table does not tell them apart, an import looks like any other statement.
        known = language is not None and language.nodes.imports
        imports = tree.imports if known else _imports(language, data)
    names, chunks = survey(data, definitions, _secret_words(data))
    return FileRecord(
        language=name,
        tier="lexical" if parsed is None else "parsed",
        size=len(data),
        names=names,
        definitions=definitions,
        imports=imports,
        chunks=chunks,
    )


def parses(path: str, data: bytes) -> bool:
    """Whether there is more to learn about a text by parsing it."""
    language = language_in(path, data)
    if language is None or not language.nodes.definitions or not worth_parsing(data):
        return False
    return _grammar(language.name) is not None


def language_in(path: str, data: bytes) -> Language | None:
    """The language of a file, by its name; of a C header also by what is in it."""
    language = language_of_file(path)
    if language is not None and language.name == "c" and path.endswith((".h", ".H")):
        return named("cpp") if _CPLUSPLUS.search(data, 0, _HEADER_BYTES) else language
    return language


def united(tree: Outline, lexical: Sequence[Definition]) -> tuple[Definition, ...]:
    """The definitions of a tree with errors and those that only the lines show.

    Where a definition of the tree has no error in it, the tree is right about all of it.
    """
    known = {entry.name_start for entry in tree.definitions}
    whole = [
        (entry.start, entry.end)
        for number, entry in enumerate(tree.definitions)
        if number not in tree.damaged and (entry.parent < 0 or entry.parent in tree.damaged)
    ]
    starts = [start for start, _ in whole]

    def settled(at: int) -> bool:
        place = bisect_right(starts, at) - 1
        return place >= 0 and at < whole[place][1]

    found = [Definition(*entry) for entry in tree.definitions]
    found += [
        definition
        for definition in lexical
        if definition.name_start not in known and not settled(definition.name_start)
    ]
    found.sort(key=lambda definition: (definition.start, -definition.end))
    return tuple(_nested(found))


def _nested(ordered: Sequence[Definition]) -> list[Definition]:
    """The same definitions, each with the innermost one around it as its parent."""
    result: list[Definition] = []
    around: list[int] = []
    for number, definition in enumerate(ordered):
        while around and ordered[around[-1]].end <= definition.start:
            around.pop()
        parent = next(
            (
                place
                for place in reversed(around)
                if ordered[place].end >= definition.end and not _twins(ordered[place], definition)
            ),
            -1,
        )
        result.append(
            Definition(
                definition.kind,
                definition.name,
                definition.start,
                definition.end,
                definition.name_start,
                definition.head_end,
                parent,
            )
        )
        around.append(number)
    return result


def _twins(one: Definition, other: Definition) -> bool:
    """Whether two names were defined by the same statement."""
    return one.start == other.start and one.end == other.end


def _parse(language: Language, data: bytes, deadline_s: float) -> Parsed | None:
    """The file's tree, or None where there can be none."""
    if not language.nodes.definitions or not worth_parsing(data):
        return None
    grammar = _grammar(language.name)
    if grammar is None:
        return None
    try:
        return Parsed.of(grammar, data, time.monotonic() + deadline_s)
    except DeadlinePassed:
        return None


def _secret_words(data: bytes) -> set[str]:
    """Words that stand in secrets alone: passwords, tokens, keys."""
    text = data.decode("utf-8", "replace")
    shown = redact(text)
    if shown is text:
        return set()
    return words_of(data) - words_of(shown.encode())


def _imports(language: Language | None, data: bytes) -> tuple[tuple[int, int], ...]:
    """Import statements as lines show them; none where a language has nothing of the kind."""
    if language is None or not (language.nodes.imports or language.nodes.required):
        return ()
    first = _FIRST_IMPORT.match(data)
    at = 0 if first is None else first.end()
    rest = tuple(match.span(1) for match in _IMPORTS.finditer(data, at, _IMPORTS_BYTES))
    return rest if first is None else (first.span(1), *rest)


@cache
def _grammar(name: str) -> Grammar | None:
    language = named(name)
    try:
        return Grammar.of(language) if language else None
    except (ImportError, ValueError):  # no wheel, or one of another ABI
        return None
