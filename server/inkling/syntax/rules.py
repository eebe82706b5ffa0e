"""A language's table of nodes in the numbers of its grammar, as the walk of `outline` asks it."""

from dataclasses import dataclass
from functools import lru_cache

import tree_sitter

from inkling.syntax.nodes import Kind, Nodes

ERROR = 65535
"""The kind id of every ERROR node."""
LAST, FIRST = -1, -2
"""Ways on to a name that are no field."""

# What the walk does about a kind of node.
DEFINES, CONTAINS, WRAPS, IMPORTS, MAY_IMPORT, LEADS, REMARKS = range(7)


@dataclass(frozen=True, slots=True)
class Rules:
    """A row's `Nodes` in the ids of its grammar."""

    roles: dict[int, int]
    kinds: dict[int, Kind]
    names: tuple[int, ...]
    name_kinds: frozenset[int]
    spaced: bool
    body: int
    bodies: frozenset[int]
    type: int
    values_in: tuple[int, ...]
    follow: dict[int, int]
    """Or `FIRST` or `LAST` of the named nodes inside."""
    around: frozenset[int]
    """All that stands around a name or several."""
    values: dict[int, Kind]
    itself: frozenset[int]
    several: frozenset[int]
    with_body: frozenset[int]
    with_value: frozenset[int]
    callable: frozenset[int]
    data: frozenset[int]
    qualified: frozenset[int]
    patterns: frozenset[int]
    rebinding: frozenset[int]
    extends: frozenset[int]
    imports_from: int
    stand_in: bytes
    required: bytes


@lru_cache(maxsize=64)
def rules_of(nodes: Nodes, grammar: tree_sitter.Language) -> Rules:
    """The table's names as ids; those the grammar does not have are left out."""

    def ids(kinds: str) -> list[int]:
        found = (grammar.id_for_node_kind(kind, True) for kind in kinds.split())
        return [number for number in found if number]

    def field(name: str) -> int:
        return grammar.field_id_for_name(name) or 0

    def fields(names: str) -> tuple[int, ...]:
        return tuple(number for number in map(field, names.split()) if number)

    special = {"": LAST, "first": FIRST}
    roles = dict.fromkeys(ids(nodes.containers), CONTAINS) | {ERROR: CONTAINS}
    roles |= dict.fromkeys(ids(nodes.wrappers), WRAPS)
    roles |= dict.fromkeys(ids(nodes.imports), IMPORTS)
    roles |= dict.fromkeys(ids(nodes.imports_if), MAY_IMPORT)
    if nodes.leading:
        roles |= dict.fromkeys(ids("comment line_comment block_comment"), REMARKS)
        roles |= dict.fromkeys(ids(nodes.leading), LEADS)
    kinds = {number: kind for kind, names in nodes.definitions for number in ids(names)}
    roles |= dict.fromkeys(kinds, DEFINES)
    follow = {
        number: special[onward] if onward in special else field(onward)
        for kind, onward in nodes.follow
        for number in ids(kind)
    }
    patterns = frozenset(ids(nodes.patterns))
    return Rules(
        roles=roles,
        kinds=kinds,
        names=fields(nodes.names),
        name_kinds=frozenset(ids(nodes.name_kinds)),
        spaced=nodes.spaced,
        body=field("body"),
        bodies=frozenset(ids(nodes.bodies)),
        type=field("type"),
        values_in=fields(nodes.value_fields),
        follow=follow,
        around=patterns | follow.keys(),
        values={number: kind for kind, names in nodes.values for number in ids(names)},
        itself=frozenset(ids(nodes.named_by_itself)),
        several=frozenset(ids(nodes.several)),
        with_body=frozenset(ids(nodes.with_body)),
        with_value=frozenset(ids(nodes.with_value)),
        callable=frozenset(ids(nodes.callable)),
        data=frozenset(ids(nodes.data)),
        qualified=frozenset(ids(nodes.qualified)),
        patterns=patterns,
        rebinding=frozenset(ids(nodes.rebinding)),
        extends=frozenset(ids(nodes.extends)),
        imports_from=field(nodes.imports_from) if nodes.imports_from else 0,
        stand_in=nodes.stand_in.encode(),
        required=nodes.required,
    )
