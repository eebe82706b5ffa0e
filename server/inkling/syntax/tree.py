"""Parsing with a deadline, and counting what is wrong with a tree.

Parses read through a callback, the only form in which tree-sitter honours a deadline; a
parser whose parse was cut short is reset, or its next tree would be a splice.
"""

import time
from dataclasses import dataclass, field

import tree_sitter

from inkling.syntax.judgement import LARGEST
from inkling.syntax.languages import Language, load_grammar
from inkling.text.difference import changed_span

_LONGEST_AVERAGE_LINE = 400  # bytes; denser files are data or minified


class DeadlinePassed(Exception):
    """The parse was stopped because its time was over."""


@dataclass(slots=True)
class Grammar:
    """A language's parser. Owner: the one thread that parses."""

    language: Language
    parser: tree_sitter.Parser

    @classmethod
    def of(cls, language: Language) -> "Grammar":
        """Load the grammar. Raises ImportError where its wheel is missing."""
        grammar = tree_sitter.Language(load_grammar(language))
        return cls(language, tree_sitter.Parser(grammar))

    def parse(
        self, data: bytes, deadline: float, old: tree_sitter.Tree | None = None
    ) -> tree_sitter.Tree:
        """Parse `data`; `old` is a tree already edited to fit it. Raises `DeadlinePassed`.

        `deadline` is on `time.monotonic`'s clock, in seconds.
        """

        def read(byte: int, _point: object) -> bytes:
            # All that is left: where slices end changes what tree-sitter makes of errors.
            return data[byte:]

        def late(_offset: int, _has_error: bool) -> bool:
            return time.monotonic() > deadline

        try:
            if old is None:
                return self.parser.parse(read, progress_callback=late)
            return self.parser.parse(read, old, progress_callback=late)
        except ValueError as error:  # what py-tree-sitter makes of a cancelled parse
            self.parser.reset()
            raise DeadlinePassed from error


@dataclass(slots=True)
class Parsed:
    """One document's text and tree, kept in step. `fresh`: not parsed incrementally."""

    grammar: Grammar
    data: bytes
    tree: tree_sitter.Tree
    fresh: bool
    _errors: int | None = field(default=None)

    @classmethod
    def of(cls, grammar: Grammar, data: bytes, deadline: float) -> "Parsed":
        """Parse from nothing. Raises `DeadlinePassed`."""
        return cls(grammar, data, grammar.parse(data, deadline), True)

    @property
    def errors(self) -> int:
        """ERROR and MISSING nodes of the tree."""
        if self._errors is None:
            self._errors = count_errors(self.tree.root_node)
        return self._errors

    def changed(self, data: bytes, deadline: float) -> "Parsed":
        """The same document with other text, parsed incrementally. Raises `DeadlinePassed`."""
        if data == self.data:
            return self
        return self.spliced(*changed_span(self.data, data), data, deadline)

    def spliced(
        self, start: int, old_end: int, new_end: int, data: bytes, deadline: float
    ) -> "Parsed":
        """As `changed`, where the changed span is known."""
        tree = self.tree.copy()
        tree.edit(
            start,
            old_end,
            new_end,
            _point(self.data, start),
            _point(self.data, old_end),
            _point(data, new_end),
        )
        return Parsed(self.grammar, data, self.grammar.parse(data, deadline, tree), False)

    def refresh(self, deadline: float) -> None:
        """Parse anew unless the tree owes nothing to earlier ones. Raises `DeadlinePassed`."""
        if not self.fresh:
            self.tree = self.grammar.parse(self.data, deadline)
            self.fresh = True
            self._errors = None


def count_errors(root: tree_sitter.Node, leaving_out: tuple[int, int] | None = None) -> int:
    """ERROR and MISSING nodes; looks only into subtrees that have any.

    An ERROR leaf inside another says that it has no error: that is asked as well.

    `leaving_out` is a byte range: what touches it isn't counted.
    """
    count = 0
    pending = [root] if root.has_error else []
    while pending:
        node = pending.pop()
        if (node.is_error or node.is_missing) and not _touches(node, leaving_out):
            count += 1
        pending.extend(child for child in node.children if child.has_error or child.is_error)
    return count


def _touches(node: tree_sitter.Node, span: tuple[int, int] | None) -> bool:
    return span is not None and node.start_byte <= span[1] and span[0] <= node.end_byte


def _point(data: bytes, offset: int) -> tuple[int, int]:
    """Row and byte column as tree-sitter counts them: rows end with \\n only."""
    return data.count(b"\n", 0, offset), offset - (data.rfind(b"\n", 0, offset) + 1)


def worth_parsing(data: bytes) -> bool:
    """Whether a document is source code of a size that can be parsed while someone types."""
    if len(data) > LARGEST or b"\0" in data[:8192]:
        return False
    return len(data) < 16 * 1024 or len(data) < _LONGEST_AVERAGE_LINE * (data.count(b"\n") + 1)
