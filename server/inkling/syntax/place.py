"""Where an offset stands in a tree: in code or in text, in a body or among definitions.

Names of node kinds are those of the grammars in `languages`; a kind that is missing here
makes the answer less sharp, never wrong in a way that shows: the parse decides.
"""

from dataclasses import dataclass

import tree_sitter

from inkling.syntax.scan import indent_of
from inkling.syntax.tree import Parsed
from inkling.text.encode import to_text
from inkling.text.position import line_start

_TEXT = frozenset(
    (
        "string", "string_content", "string_literal", "string_fragment", "raw_string_literal",
        "raw_string_content", "interpreted_string_literal", "template_string",
        "multiline_string_fragment", "comment", "line_comment", "block_comment",
    )
)  # fmt: skip
_CODE_IN_TEXT = frozenset(("interpolation", "template_substitution", "string_interpolation"))
_DEFINITIONS = frozenset(
    (
        "class_body", "declaration_list", "field_declaration_list", "interface_body",
        "enum_body", "interface_type", "struct_type", "object_type", "annotation_type_body",
        "module", "program", "source_file", "translation_unit",
    )
)  # fmt: skip
_STATEMENTS = frozenset(
    (
        "block", "statement_block", "compound_statement", "switch_body", "switch_block",
        "constructor_body", "object", "array", "arguments", "argument_list", "parameters",
        "match_block", "dictionary", "list",
    )
)  # fmt: skip
_LONGEST = 4096  # bytes of the cursor's line that are still read as code


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor's line left of the cursor is `indent + typed`, as far as it is worth reading."""

    indent: str
    typed: str
    has_typed: bool
    in_text: bool
    """Inside a string or comment that began on an earlier line."""
    among_definitions: bool
    """Directly in a file, class or the like; not in a body of statements or in brackets."""


def place_of(base: Parsed, offset: int) -> Place:
    """Read the tree and the line at a byte offset."""
    root = base.tree.root_node
    start = line_start(base.data, offset)
    left = to_text(base.data[start:offset])
    indent = indent_of(left)
    typed = left[len(indent) :]
    in_text = _text_begins_before(root, start, offset)
    readable = len(typed) <= _LONGEST and (in_text or not _text_begins_before(root, start, start))
    return Place(
        indent,
        typed if readable else "",
        bool(typed),
        in_text,
        _among_definitions(root, offset),
    )


def _text_begins_before(root: tree_sitter.Node, start: int, offset: int) -> bool:
    """Whether `offset` is strictly inside a string or comment that began before `start`."""
    node = root.descendant_for_byte_range(max(offset - 1, 0), offset)
    while node is not None and node.type not in _CODE_IN_TEXT:
        if node.type in _TEXT and node.start_byte < start and offset < node.end_byte:
            return True
        node = node.parent
    return False


def _among_definitions(root: tree_sitter.Node, offset: int) -> bool:
    node = root.descendant_for_byte_range(offset, offset)
    while node is not None:
        inside = node.start_byte < offset < node.end_byte
        if inside and node.type in _STATEMENTS:
            return False
        if (inside and node.type in _DEFINITIONS) or node == root:
            return not node.is_error
        node = node.parent
    return True
