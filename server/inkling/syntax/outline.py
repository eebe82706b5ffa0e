"""What a file defines and imports, read from its tree by a language's table of nodes.

The walk goes statement by statement and never into a function's body, so that its cost is a
small part of the parse's. It goes into ERROR nodes: what is whole inside them is a definition
like any other.

Invariants: definitions come in the order of their starts, a parent before what it contains;
`data[name_start:]` begins with the name, and start <= name_start < head_end <= end. Two trees
of the same text without errors give the same outline, however they came about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import tree_sitter

from inkling.syntax.nodes import Kind
from inkling.syntax.rules import (
    CONTAINS,
    DEFINES,
    FIRST,
    IMPORTS,
    LEADS,
    MAY_IMPORT,
    WRAPS,
    Rules,
    rules_of,
)
from inkling.syntax.tree import Parsed

_TYPES = frozenset(("class", "interface", "enum"))
_OPEN = frozenset((*_TYPES, "module", "type"))
_DEEPEST = 16  # declarators around a name
_QUOTES = "\"'`"
_BEFORE_NAMES = "#@$" + _QUOTES
_LONGEST_NAME = 200  # characters; more is what a broken text makes look like a name


class OutlineEntry(NamedTuple):
    """One definition. Offsets are bytes of the file."""

    kind: Kind
    name: str
    start: int
    """Of all of it: decorators, attributes, modifiers. A comment above is not part of it."""
    end: int
    name_start: int
    head_end: int
    """Where the signature ends and the body begins; without a body `end`, or the end of the
    name's line where what is assigned goes over several."""
    parent: int
    """Index of the definition around it, -1 at the top."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What one tree tells."""

    definitions: tuple[OutlineEntry, ...]
    imports: tuple[tuple[int, int], ...]
    """Byte ranges of statements."""
    errors: bool
    """The tree has ERROR or MISSING nodes."""
    damaged: frozenset[int] = frozenset()
    """Indices of definitions that have errors in them: they may contain more than is known."""


def outline(parsed: Parsed) -> Outline:
    """Read the outline of a parsed file. Never raises."""
    grammar = parsed.grammar
    assert grammar.parser.language is not None  # a Grammar is made with one
    rules = rules_of(grammar.language.nodes, grammar.parser.language)
    root = parsed.tree.root_node
    walk = _Walk(rules, parsed.data, root.has_error)
    walk.run(root)
    return Outline(tuple(walk.found), tuple(walk.imports), root.has_error, frozenset(walk.damaged))


def in_remark(parsed: Parsed, offset: int) -> bool:
    """Whether a byte stands in a comment. Also right in most trees with errors."""
    node = parsed.tree.root_node.descendant_for_byte_range(offset, offset + 1)
    while node is not None and node.is_named:
        if node.type.endswith("comment"):
            return True
        node = node.parent
    return False


# Plain tuples, since the walk makes several for each definition.
_Level = tuple[Iterator[tree_sitter.Node], int, tuple[int, int] | None]
"""Siblings, of which some may be behind the walk already; the index of what they are in; the
range of what wraps the only definition among them."""
_Name = tuple[int, int, bool, bool]
"""Start and end, whether it names something to call, whether it says what it belongs to."""


class _Walk:
    """One reading of one tree. Owner: the call of `outline` that made it."""

    __slots__ = ("_added", "_broken", "_data", "_rules", "_seen", "damaged", "found", "imports")

    def __init__(self, rules: Rules, data: bytes, broken: bool) -> None:
        self._rules = rules
        self._data = data
        self._broken = broken
        self._seen: set[tuple[int, str]] = set()
        self._added: set[int] = set()  # definitions that add to a type elsewhere
        self.found: list[OutlineEntry] = []
        self.imports: list[tuple[int, int]] = []
        self.damaged: list[int] = []

    def run(self, root: tree_sitter.Node) -> None:
        """Read everything under `root`, in the order of the text."""
        role_of = self._rules.roles.get
        stack: list[_Level] = [(iter(root.named_children), -1, None)]
        while stack:
            nodes, parent, outer = level = stack[-1]
            leading = -1
            for sibling in nodes:
                node = sibling
                role = role_of(node.kind_id)
                while role == CONTAINS and node.named_child_count == 1:
                    node = node.named_children[0]
                    role = role_of(node.kind_id)
                inner: _Level | None = None
                if role is None:
                    pass
                elif role == DEFINES:
                    inner = self._define(node, level, leading)
                elif role == CONTAINS:
                    inner = (iter(node.named_children), parent, None)
                elif role == WRAPS:
                    inner = self._unwrap(node, level)
                elif role == IMPORTS:
                    self.imports.append(outer or self._span(node))
                elif role == MAY_IMPORT:
                    if self._requires(node):
                        self.imports.append(outer or self._span(node))
                elif role == LEADS:
                    leading = node.start_byte if leading < 0 else leading
                    continue
                else:
                    continue
                leading = -1
                if inner is not None:
                    stack.append(inner)
                    break
            else:
                stack.pop()

    def _span(self, node: tree_sitter.Node) -> tuple[int, int]:
        """Where a node stands, without the line's end that some grammars give to it."""
        start, end = node.start_byte, node.end_byte
        if end > start and self._data[end - 1] <= 0x20:
            end = start + len(self._data[start:end].rstrip())
        return start, end

    def _unwrap(self, node: tree_sitter.Node, level: _Level) -> _Level | None:
        rules = self._rules
        if rules.imports_from and node.child_by_field_id(rules.imports_from) is not None:
            self.imports.append(self._span(node))
            return None
        inside = node.named_children
        roles = [rules.roles.get(child.kind_id) for child in inside]
        one = roles.count(DEFINES) + roles.count(WRAPS) == 1
        outer = (level[2] or self._span(node)) if one else None
        return iter(inside), level[1], outer

    def _define(self, node: tree_sitter.Node, level: _Level, leading: int) -> _Level | None:
        """Note what `node` defines; what is to be read inside it, if anything is."""
        rules, number = self._rules, node.kind_id
        _, parent, outer = level
        kind = rules.kinds[number]
        body = node.child_by_field_id(rules.body) if rules.body else None
        if body is None:
            if number in rules.with_body:
                return None
            if (
                rules.bodies
                and (inside := node.named_children)
                and inside[-1].kind_id in rules.bodies
            ):
                body = inside[-1]
        start, end = outer or self._span(node)
        holder = node
        if rules.values and body is None and kind in ("variable", "field", "type"):
            value = self._value(node)
            if value is not None and value.kind_id in rules.values:
                holder, kind = value, rules.values[value.kind_id]
                body = value.child_by_field_id(rules.body)
            elif value is not None and self._requires(value):
                self.imports.append((start, end))
                return None
            elif number in rules.with_value:
                return None
        if leading >= 0:
            start = min(start, leading)
        names = self._names(node, number)
        if holder is not node and self._stands_in(names):
            names = self._names(holder, holder.kind_id)
        first = -1
        for name in names:
            index = self._note(node, holder, body, kind, name, (start, end), parent)
            first = index if first < 0 else first
        if number in rules.several and rules.type:
            declared = node.child_by_field_id(rules.type)
            if declared is not None and declared.kind_id in rules.kinds:
                return iter((declared,)), first if first >= 0 else parent, None
            return None
        if kind in _OPEN:
            return iter(holder.named_children), first if first >= 0 else parent, None
        return None

    def _note(
        self,
        node: tree_sitter.Node,
        holder: tree_sitter.Node,
        body: tree_sitter.Node | None,
        kind: Kind,
        name: _Name,
        span: tuple[int, int],
        parent: int,
    ) -> int:
        """Add one definition; its index, or -1 where it is none."""
        at, name_end, called, qualified = name
        known = self._data[at:name_end].decode("utf-8", "replace")
        if not known.isidentifier():
            whole = known.lstrip(_BEFORE_NAMES)
            known = whole.rstrip(_QUOTES)
            if not known or not known.isprintable() or "\ufffd" in known:
                return -1
            if " " in known and not self._rules.spaced:
                return -1
            at = name_end - len(whole.encode())
        if len(known) > _LONGEST_NAME:
            return -1
        if kind in ("variable", "field"):
            if called:
                kind = "function"
            elif len(known) > 1 and known.isupper():
                kind = "constant"
            if node.kind_id in self._rules.rebinding:
                if (parent, known) in self._seen:
                    return -1
                self._seen.add((parent, known))
        if parent >= 0 and (self.found[parent].kind in _TYPES or parent in self._added):
            kind = _IN_TYPE.get(kind, kind)
        elif qualified and kind == "function":
            kind = "method"
        index = len(self.found)
        start, end = span
        head_end = self._head_end(holder, body, kind, name_end, end)
        self.found.append(OutlineEntry(kind, known, start, end, at, head_end, parent))
        if node.kind_id in self._rules.extends:
            self._added.add(index)
        if self._broken and node.has_error:
            self.damaged.append(index)
        return index

    def _head_end(
        self,
        holder: tree_sitter.Node,
        body: tree_sitter.Node | None,
        kind: Kind,
        name_end: int,
        end: int,
    ) -> int:
        data = self._data
        if body is not None:
            at = body.start_byte
            head = data[name_end:at].rstrip()
            if (b"#" in head or b"/" in head) and _ends_in_remark(head):
                ends = (
                    child.end_byte
                    for child in holder.children
                    if child.end_byte <= at and not child.is_extra
                )
                return min(max((*ends, name_end)), end)
            return min(name_end + len(head), end)
        if kind in _TYPES:
            brace = data.find(b"{", name_end, end)
            return end if brace < 0 else name_end + len(data[name_end:brace].rstrip())
        if kind in ("function", "method"):
            return end
        line_end = data.find(b"\n", name_end, end)
        return end if line_end < 0 else name_end + len(data[name_end:line_end].rstrip(b"\r"))

    def _value(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        for number in self._rules.values_in:
            value = node.child_by_field_id(number)
            if value is not None:
                return value
        return None

    def _stands_in(self, names: list[_Name]) -> bool:
        """Whether what is written as the name only says where the value goes."""
        return any(self._data[start:end] == self._rules.stand_in for start, end, _, _ in names)

    def _requires(self, value: tree_sitter.Node) -> bool:
        required = self._rules.required
        return bool(required) and self._data.startswith(required, value.start_byte)

    def _names(self, node: tree_sitter.Node, number: int) -> list[_Name]:
        rules = self._rules
        if number in rules.itself:
            return [(node.start_byte, node.end_byte, False, False)]
        several = number in rules.several
        for field in rules.names:
            if several:
                found = node.children_by_field_id(field)
            else:
                child = node.child_by_field_id(field)
                if child is None:
                    continue
                if child.kind_id not in rules.around:  # what most names are
                    if child.named_child_count:
                        return []
                    return [(child.start_byte, child.end_byte, False, False)]
                found = child.named_children if child.kind_id in rules.patterns else [child]
            if found:
                names = [self._innermost(one) for one in found]
                return [name for name in names if name is not None]
        for child in node.named_children if rules.name_kinds else ():
            if child.kind_id in rules.name_kinds:
                name = self._innermost(child)
                return [] if name is None else [name]
        return []

    def _innermost(self, node: tree_sitter.Node) -> _Name | None:
        """The name itself, from what stands around it; None where there is no plain one."""
        rules = self._rules
        called = qualified = False
        for _ in range(_DEEPEST):
            number = node.kind_id
            onward = rules.follow.get(number)
            if onward is None:
                break
            if number in rules.callable:
                called = True
            elif number in rules.data:
                called = False
            elif number in rules.qualified:
                qualified = True
            if onward < 0:
                inside = node.named_children
                following = inside[0 if onward == FIRST else -1] if inside else None
            else:
                following = node.child_by_field_id(onward)
            if following is None:
                return None
            node = following
        if node.named_child_count:
            return None
        return node.start_byte, node.end_byte, called, qualified


def _ends_in_remark(head: bytes) -> bool:
    """Whether a signature's last line may have a comment at its end."""
    last = head[head.rfind(b"\n") + 1 :]
    return b"#" in last or b"//" in last or last.endswith(b"*/")


_IN_TYPE: dict[Kind, Kind] = {"function": "method", "variable": "field"}
