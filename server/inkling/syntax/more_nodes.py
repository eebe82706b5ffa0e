"""What outlines of the languages of the extra `langs` are read by. A table, as `nodes`."""

from inkling.syntax.nodes import Nodes

CSHARP = Nodes(
    definitions=(
        ("class", "class_declaration struct_declaration record_declaration"),
        ("interface", "interface_declaration"),
        ("enum", "enum_declaration"),
        (
            "method",
            "method_declaration constructor_declaration destructor_declaration"
            " local_function_statement",
        ),
        ("field", "property_declaration event_declaration variable_declarator"),
        ("constant", "enum_member_declaration"),
        ("type", "delegate_declaration"),
        ("module", "namespace_declaration file_scoped_namespace_declaration"),
    ),
    imports="using_directive extern_alias_directive",
    containers="declaration_list enum_member_declaration_list variable_declaration"
    " global_statement preproc_if preproc_else preproc_elif preproc_region",
    wrappers="field_declaration event_field_declaration",
    follow=(("qualified_name", "name"),),
)

PHP = Nodes(
    definitions=(
        ("class", "class_declaration trait_declaration"),
        ("interface", "interface_declaration"),
        ("enum", "enum_declaration"),
        ("function", "function_definition"),
        ("method", "method_declaration"),
        ("field", "property_element"),
        ("constant", "const_element enum_case"),
        ("module", "namespace_definition"),
    ),
    imports="namespace_use_declaration",
    containers="declaration_list enum_declaration_list compound_statement if_statement else_clause",
    wrappers="property_declaration const_declaration",
    name_kinds="name",
    follow=(("variable_name", ""), ("namespace_name", "")),
    imports_if="expression_statement",
    required=b"require",
)

KOTLIN = Nodes(
    definitions=(
        ("class", "class_declaration object_declaration companion_object"),
        ("function", "function_declaration"),
        ("method", "secondary_constructor"),
        ("variable", "property_declaration"),
        ("constant", "enum_entry"),
        ("type", "type_alias"),
    ),
    imports="import",
    containers="class_body enum_class_body",
    names="name type",
    name_kinds="identifier variable_declaration",
    follow=(("variable_declaration", "first"),),
    bodies="function_body class_body enum_class_body block",
)

SWIFT = Nodes(
    definitions=(
        ("class", "class_declaration"),
        ("interface", "protocol_declaration"),
        ("function", "function_declaration protocol_function_declaration"),
        ("method", "init_declaration"),
        ("variable", "property_declaration protocol_property_declaration"),
        ("constant", "enum_entry"),
        ("type", "typealias_declaration associatedtype_declaration"),
    ),
    imports="import_declaration",
    containers="class_body enum_class_body protocol_body",
    follow=(("pattern", "bound_identifier"), ("user_type", "")),
    several="enum_entry",
)

RUBY = Nodes(
    definitions=(
        ("class", "class"),
        ("module", "module"),
        ("function", "method singleton_method"),
        ("variable", "assignment"),
    ),
    containers="body_statement begin if unless else then",
    names="name left",
    follow=(("scope_resolution", "name"),),
    extends="module",
    rebinding="assignment",
    imports_if="call",
    required=b"require",
)

BASH = Nodes(
    definitions=(("function", "function_definition"), ("variable", "variable_assignment")),
    containers="if_statement else_clause elif_clause",
    wrappers="declaration_command",
    rebinding="variable_assignment",
    imports_if="command",
    required=b"source ",
)

LUA = Nodes(
    definitions=(
        ("function", "function_declaration"),
        ("variable", "assignment_statement"),
    ),
    wrappers="variable_declaration",
    follow=(
        ("dot_index_expression", "field"),
        ("method_index_expression", "method"),
        ("variable_list", "first"),
    ),
    name_kinds="variable_list",
    qualified="method_index_expression",
    rebinding="assignment_statement",
    required=b"require",
)

HTML = Nodes()
"""What stands in a page is found by its words."""

CSS = Nodes(
    definitions=(("class", "rule_set"), ("function", "keyframes_statement")),
    imports="import_statement",
    containers="media_statement supports_statement block",
    names="",
    name_kinds="selectors keyframes_name",
    follow=(
        ("selectors", "first"),
        ("descendant_selector", ""),
        ("child_selector", ""),
        ("class_selector", ""),
        ("id_selector", ""),
        ("pseudo_class_selector", "first"),
        ("pseudo_element_selector", "first"),
        ("class_name", ""),
    ),
)

JSON = Nodes(
    definitions=(("field", "pair"),),
    containers="object",
    names="key",
    follow=(("string", ""),),
)

YAML = Nodes(
    definitions=(("field", "block_mapping_pair"),),
    containers="document block_node block_mapping",
    names="key",
    follow=(("flow_node", ""), ("plain_scalar", "")),
)

TOML = Nodes(
    definitions=(("module", "table table_array_element"), ("field", "pair")),
    names="",
    name_kinds="bare_key quoted_key dotted_key",
    follow=(("dotted_key", ""),),
)

MARKDOWN = Nodes(
    definitions=(("module", "section"),),
    names="",
    name_kinds="atx_heading setext_heading",
    spaced=True,
    follow=(
        ("atx_heading", "heading_content"),
        ("setext_heading", "heading_content"),
        ("paragraph", "first"),
    ),
)
