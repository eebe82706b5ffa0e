"""Counts the parse errors that ghost text would add: a fresh tree-sitter parse of the whole
text without and with it, independent of the server's own check. No state is shared with it.
"""

from functools import cache
from importlib import import_module

import tree_sitter

GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "rust": ("tree_sitter_rust", "language"),
    "go": ("tree_sitter_go", "language"),
    "c": ("tree_sitter_c", "language"),
    "java": ("tree_sitter_java", "language"),
}


def errors(language_id: str, text: str) -> int | None:
    """ERROR and MISSING nodes of a whole parse; None for a language without grammar."""
    if language_id not in GRAMMARS:
        return None
    tree = _parser(language_id).parse(text.encode("utf-8", "surrogatepass"))
    found, stack = 0, [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            found += 1
        if node.has_error:
            stack.extend(node.children)
    return found


def adds_error(language_id: str, before: str, after: str) -> bool | None:
    """Whether the text with the suggestion has more errors than without; None if unknown."""
    without, with_it = errors(language_id, before), errors(language_id, after)
    return None if without is None or with_it is None else with_it > without


@cache
def _parser(language_id: str) -> tree_sitter.Parser:
    module, function = GRAMMARS[language_id]
    language = tree_sitter.Language(getattr(import_module(module), function)())
    return tree_sitter.Parser(language)
