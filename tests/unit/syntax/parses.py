"""An independent judge for the tests: fresh parses, and a recursive count of what is wrong."""

import time
from functools import cache
from pathlib import Path

import tree_sitter

from inkling.syntax.gate import judge
from inkling.syntax.judgement import Judgement
from inkling.syntax.languages import language_of, load_grammar
from inkling.syntax.tree import Grammar, Parsed

SAMPLES = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("samples/*.txt")}


@cache
def parser(name: str) -> tree_sitter.Parser:
    language = language_of(name)
    assert language is not None
    return tree_sitter.Parser(tree_sitter.Language(load_grammar(language)))


@cache
def grammar(name: str) -> Grammar:
    language = language_of(name)
    assert language is not None
    return Grammar.of(language)


def wrong(node: tree_sitter.Node) -> int:
    own = 1 if node.type == "ERROR" or node.is_missing else 0
    return own + sum(wrong(child) for child in node.children)


def errors(name: str, data: bytes) -> int:
    return wrong(parser(name).parse(data).root_node)


def soon() -> float:
    return time.monotonic() + 30.0


def parsed(name: str, data: bytes) -> Parsed:
    return Parsed.of(grammar(name), data, soon())


def judged(
    name: str, marked: str, inserted: str, *, multiline: bool = True, finished: bool = True
) -> tuple[str, Judgement]:
    """Judge at the `|` of `marked`; what would be shown, and the judgement."""
    before, after = marked.split("|")
    data = (before + after).encode()
    base = parsed(name, data)
    judgement = judge(
        base,
        len(before.encode()),
        inserted,
        multiline=multiline,
        finished=finished,
        deadline=soon(),
    )
    kept = inserted.encode()[: judgement.keep].decode()
    shown = kept + judgement.closers
    if kept:
        text = (before + shown + after).encode()
        assert errors(name, text) == judgement.errors_after <= errors(name, data)
    return shown, judgement
