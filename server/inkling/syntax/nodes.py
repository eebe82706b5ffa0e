"""Which nodes of a grammar define, import and contain: what an outline is read by. A table.

Kinds are written as the grammar has them, several in one string. A kind that a grammar does
not have (or has no more) is passed over, so another version of a grammar makes an outline
poorer and never wrong; a test holds every kind to the grammars Inkling is installed with.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "class",
    "interface",
    "enum",
    "function",
    "method",
    "variable",
    "field",
    "type",
    "module",
    "macro",
    "constant",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Nodes:
    """How one grammar writes definitions."""

    definitions: tuple[tuple[Kind, str], ...] = ()
    """What the node defines at the top; a function in a class is a method, a variable a field."""
    imports: str = ""
    containers: str = ""
    """What definitions stand in and is not one itself: bodies of classes, branches, lists."""
    wrappers: str = ""
    """What belongs to the one definition in it: decorated, exported, declared by a keyword."""
    leading: str = ""
    """Siblings in front of a definition that belong to it: attributes."""
    names: str = "name"
    """The fields that may hold the name, the likeliest first."""
    name_kinds: str = ""
    """Nodes that are the name, the first of them, where the grammar has no field for it."""
    spaced: bool = False
    """Names are headings and may have blanks in them."""
    follow: tuple[tuple[str, str], ...] = ()
    """Nodes around a name, and the field to go on by; "" is the last node in it, "first" the
    first."""
    bodies: str = ""
    """Bodies that the grammar has no field for; the last node of a definition."""
    named_by_itself: str = ""
    """Definitions that are nothing but their name."""
    several: str = ""
    """Definitions that may have several names."""
    with_body: str = ""
    """Definitions only where they have a body; references else."""
    with_value: str = ""
    """Definitions only where a function or class is assigned."""
    values: tuple[tuple[Kind, str], ...] = ()
    """Values that make a variable something else: a function that is assigned."""
    stand_in: str = ""
    """A name that only says where a value goes: what is assigned has the name, if it has one."""
    callable: str = ""
    """Nodes around a name that make a variable a function."""
    data: str = ""
    """Nodes around a name, inside the former, that make it a variable again: a pointer to one."""
    qualified: str = ""
    """Nodes around a name that make a function a method: it is written outside of its class."""
    patterns: str = ""
    """Where a name is expected, what holds several."""
    rebinding: str = ""
    """Definitions that may come again and again for one variable; the first one counts."""
    extends: str = ""
    """Modules that add to a type which is defined elsewhere: functions in them are methods."""
    value_fields: str = "value right"
    required: bytes = b""
    """What a value starts with that makes a variable an import."""
    imports_if: str = ""
    """Statements and calls that import if they start with `required`."""
    imports_from: str = ""
    """A wrapper with this field imports and defines nothing."""


PYTHON = Nodes(
    definitions=(
        ("class", "class_definition"),
        ("function", "function_definition"),
        ("variable", "assignment"),
        ("type", "type_alias_statement"),
    ),
    imports="import_statement import_from_statement future_import_statement",
    containers="block expression_statement if_statement elif_clause else_clause try_statement"
    " except_clause finally_clause with_statement for_statement"
    " while_statement match_statement case_clause",
    wrappers="decorated_definition",
    names="name left",
    follow=(("type", ""), ("generic_type", "first")),
    patterns="pattern_list tuple_pattern",
    rebinding="assignment",
)

_SCRIPT_CONTAINERS = (
    "statement_block class_body if_statement else_clause try_statement catch_clause finally_clause"
)
_SCRIPT_FOLLOW = (("member_expression", "property"), ("string", ""))
_SCRIPT_VALUES: tuple[tuple[Kind, str], ...] = (
    ("function", "arrow_function function_expression generator_function"),
    ("class", "class"),
)

JAVASCRIPT = Nodes(
    definitions=(
        ("class", "class_declaration"),
        ("function", "function_declaration generator_function_declaration"),
        ("method", "method_definition"),
        ("variable", "variable_declarator assignment_expression"),
        ("field", "field_definition"),
    ),
    imports="import_statement",
    containers=_SCRIPT_CONTAINERS,
    wrappers="export_statement lexical_declaration variable_declaration expression_statement",
    names="name property left",
    follow=_SCRIPT_FOLLOW,
    with_value="assignment_expression",
    values=_SCRIPT_VALUES,
    stand_in="exports",
    required=b"require(",
    imports_from="source",
)

TYPESCRIPT = Nodes(
    definitions=(
        ("class", "class_declaration abstract_class_declaration"),
        ("interface", "interface_declaration"),
        ("enum", "enum_declaration"),
        (
            "function",
            "function_declaration generator_function_declaration function_signature",
        ),
        ("method", "method_definition method_signature abstract_method_signature"),
        ("variable", "variable_declarator assignment_expression"),
        ("field", "public_field_definition property_signature"),
        ("type", "type_alias_declaration"),
        ("module", "module internal_module"),
        ("constant", "property_identifier enum_assignment"),
    ),
    imports="import_statement import_alias",
    containers=f"{_SCRIPT_CONTAINERS} interface_body object_type enum_body",
    wrappers="export_statement lexical_declaration variable_declaration expression_statement"
    " ambient_declaration",
    leading="decorator",
    names="name left",
    follow=(*_SCRIPT_FOLLOW, ("nested_identifier", "property")),
    named_by_itself="property_identifier",
    with_value="assignment_expression",
    values=_SCRIPT_VALUES,
    stand_in="exports",
    required=b"require(",
    imports_from="source",
)

RUST = Nodes(
    definitions=(
        ("class", "struct_item union_item"),
        ("interface", "trait_item"),
        ("enum", "enum_item"),
        ("function", "function_item function_signature_item"),
        ("variable", "static_item"),
        ("constant", "const_item enum_variant"),
        ("field", "field_declaration"),
        ("type", "type_item associated_type"),
        ("module", "mod_item impl_item"),
        ("macro", "macro_definition"),
    ),
    imports="use_declaration extern_crate_declaration",
    containers="declaration_list field_declaration_list enum_variant_list foreign_mod_item",
    leading="attribute_item",
    names="name type",
    follow=(
        ("generic_type", "type"),
        ("scoped_type_identifier", "name"),
        ("reference_type", "type"),
    ),
    extends="impl_item",
)

GO = Nodes(
    definitions=(
        ("function", "function_declaration"),
        ("method", "method_declaration method_elem"),
        ("variable", "var_spec"),
        ("constant", "const_spec"),
        ("field", "field_declaration"),
        ("type", "type_spec type_alias"),
    ),
    imports="import_declaration",
    containers="struct_type interface_type field_declaration_list var_spec_list",
    wrappers="type_declaration const_declaration var_declaration",
    several="const_spec var_spec field_declaration",
    values=(("class", "struct_type"), ("interface", "interface_type")),
    value_fields="type",
)

JAVA = Nodes(
    definitions=(
        ("class", "class_declaration record_declaration"),
        ("interface", "interface_declaration annotation_type_declaration"),
        ("enum", "enum_declaration"),
        (
            "method",
            "method_declaration constructor_declaration compact_constructor_declaration"
            " annotation_type_element_declaration",
        ),
        ("field", "variable_declarator"),
        ("constant", "enum_constant"),
    ),
    imports="import_declaration",
    containers="class_body interface_body enum_body enum_body_declarations annotation_type_body",
    wrappers="field_declaration constant_declaration",
)

_C_DECLARATORS = (
    ("init_declarator", "declarator"),
    ("pointer_declarator", "declarator"),
    ("array_declarator", "declarator"),
    ("function_declarator", "declarator"),
    ("parenthesized_declarator", ""),
    ("attributed_declarator", ""),
)

C = Nodes(
    definitions=(
        ("class", "struct_specifier union_specifier"),
        ("enum", "enum_specifier"),
        ("function", "function_definition"),
        ("variable", "declaration"),
        ("field", "field_declaration"),
        ("type", "type_definition"),
        ("constant", "enumerator"),
        ("macro", "preproc_def preproc_function_def"),
    ),
    imports="preproc_include",
    containers="preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef"
    " linkage_specification declaration_list field_declaration_list enumerator_list",
    names="name declarator",
    follow=_C_DECLARATORS,
    several="declaration field_declaration type_definition",
    with_body="struct_specifier union_specifier enum_specifier",
    callable="function_declarator",
    data="pointer_declarator parenthesized_declarator",
)

CPP = Nodes(
    definitions=(
        ("class", "struct_specifier union_specifier class_specifier"),
        ("enum", "enum_specifier"),
        ("interface", "concept_definition"),
        ("function", "function_definition"),
        ("variable", "declaration"),
        ("field", "field_declaration"),
        ("type", "type_definition alias_declaration"),
        ("constant", "enumerator"),
        ("module", "namespace_definition namespace_alias_definition"),
        ("macro", "preproc_def preproc_function_def"),
    ),
    imports="preproc_include using_declaration",
    containers=C.containers,
    wrappers="template_declaration",
    names="name declarator",
    follow=(
        *_C_DECLARATORS,
        ("reference_declarator", ""),
        ("qualified_identifier", "name"),
        ("nested_namespace_specifier", ""),
        ("template_type", "name"),
        ("template_function", "name"),
        ("destructor_name", ""),
    ),
    several=C.several,
    with_body=f"{C.with_body} class_specifier",
    callable=C.callable,
    data="pointer_declarator parenthesized_declarator reference_declarator",
    qualified="qualified_identifier",
)
