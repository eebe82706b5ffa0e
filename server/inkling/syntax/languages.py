"""The languages Inkling knows: grammar, comments, how blocks are written.

A table and look-ups; a new language is one more row (and its grammar's wheel). Grammars are
imported when first used, by `load_grammar`, and only in a process that parses.

Invariant: `language_of`, which completions go by, knows only languages whose rules are right
for judging a suggestion. The index goes by `language_of_file` and `named`, which know all.
"""

import importlib
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from inkling.syntax import more_nodes, nodes
from inkling.syntax.nodes import Nodes

BlockStyle = Literal["indent", "brace"]
_NOTHING = Nodes()


@dataclass(frozen=True, slots=True)
class Language:
    """One row. `module` and `function` name the grammar: `module.function()` gives it."""

    name: str
    module: str
    function: str
    comment: str
    block_style: BlockStyle
    extensions: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ('"', "'")
    """What starts and ends a string; the longest first. Those of `spanning` go over lines."""
    spanning: tuple[str, ...] = ()
    nodes: Nodes = field(default=_NOTHING, compare=False)
    """What an outline is read by; empty where there is nothing to outline."""
    judged: bool = True
    """Whether suggestions are held to the rules of `scan`, `reach` and `gate`, which know
    languages of braces and of indentation. The wheels of the others are an extra."""
    filenames: tuple[str, ...] = ()


def _braces(
    name: str,
    extensions: str,
    aliases: str = "",
    *,
    module: str = "",
    function: str = "language",
    quotes: tuple[str, ...] = ('"', "'"),
    spanning: tuple[str, ...] = (),
    nodes: Nodes = _NOTHING,
    judged: bool = True,
) -> Language:
    return Language(
        name=name,
        module=module or f"tree_sitter_{name}",
        function=function,
        comment="//",
        block_style="brace",
        extensions=tuple(extensions.split()),
        aliases=tuple(aliases.split()),
        quotes=quotes,
        spanning=spanning,
        nodes=nodes,
        judged=judged,
    )


def _marked(
    name: str,
    extensions: str,
    aliases: str = "",
    *,
    module: str = "",
    comment: str = "#",
    nodes: Nodes,
    filenames: str = "",
) -> Language:
    """A language of the extra that has neither braces around blocks nor indentation that counts,
    or not as the rules for suggestions have it."""
    return Language(
        name=name,
        module=module or f"tree_sitter_{name}",
        function="language",
        comment=comment,
        block_style="indent",
        extensions=tuple(extensions.split()),
        aliases=tuple(aliases.split()),
        nodes=nodes,
        judged=False,
        filenames=tuple(filenames.split()),
    )


_SCRIPT_QUOTES = ('"', "'", "`")
_TS = "tree_sitter_typescript"

LANGUAGES: tuple[Language, ...] = (
    Language(
        name="python",
        module="tree_sitter_python",
        function="language",
        comment="#",
        block_style="indent",
        extensions=(".py", ".pyi", ".pyw"),
        aliases=("python3", "python-ts", "py"),
        quotes=('"""', "'''", '"', "'"),
        spanning=('"""', "'''"),
        nodes=nodes.PYTHON,
    ),
    _braces(
        "javascript",
        ".js .mjs .cjs",
        "js js-ts",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
        nodes=nodes.JAVASCRIPT,
    ),
    _braces(
        "javascriptreact",
        ".jsx",
        "javascript.jsx jsx",
        module="tree_sitter_javascript",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
        nodes=nodes.JAVASCRIPT,
    ),
    _braces(
        "typescript",
        ".ts .mts .cts",
        "ts typescript-ts",
        module=_TS,
        function="language_typescript",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
        nodes=nodes.TYPESCRIPT,
    ),
    _braces(
        "typescriptreact",
        ".tsx",
        "typescript.tsx tsx tsx-ts",
        module=_TS,
        function="language_tsx",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
        nodes=nodes.TYPESCRIPT,
    ),
    _braces("rust", ".rs", "rs rust-ts", quotes=('"',), spanning=('"',), nodes=nodes.RUST),
    _braces("go", ".go", "golang go-ts", quotes=_SCRIPT_QUOTES, spanning=("`",), nodes=nodes.GO),
    _braces(
        "java",
        ".java",
        "java-ts",
        quotes=('"""', '"', "'"),
        spanning=('"""',),
        nodes=nodes.JAVA,
    ),
    _braces("c", ".c .h", "c-ts", nodes=nodes.C),
    _braces(
        "cpp",
        ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .inl",
        "c++ cplusplus c++-ts cpp-ts",
        nodes=nodes.CPP,
    ),
    # The extra `langs`.
    _braces(
        "csharp",
        ".cs .csx",
        "c#",
        module="tree_sitter_c_sharp",
        nodes=more_nodes.CSHARP,
        judged=False,
    ),
    _braces(
        "php",
        ".php .phtml",
        function="language_php",
        nodes=more_nodes.PHP,
        judged=False,
    ),
    _braces("kotlin", ".kt .kts", nodes=more_nodes.KOTLIN, judged=False),
    _braces("swift", ".swift", nodes=more_nodes.SWIFT, judged=False),
    _braces("css", ".css", nodes=more_nodes.CSS, judged=False),
    _braces("json", ".json .jsonc .json5", "jsonc json5", nodes=more_nodes.JSON, judged=False),
    _marked(
        "ruby",
        ".rb .rake .gemspec .ru",
        nodes=more_nodes.RUBY,
        filenames="Gemfile Rakefile Guardfile Vagrantfile",
    ),
    _marked(
        "shellscript",
        ".sh .bash .zsh .ksh",
        "sh bash shell zsh",
        module="tree_sitter_bash",
        nodes=more_nodes.BASH,
        filenames=".bashrc .bash_profile .profile .zshrc",
    ),
    _marked("lua", ".lua", comment="--", nodes=more_nodes.LUA),
    _marked("html", ".html .htm .xhtml", comment="<!--", nodes=more_nodes.HTML),
    _marked("yaml", ".yaml .yml", "yml", nodes=more_nodes.YAML),
    _marked("toml", ".toml", nodes=more_nodes.TOML),
    _marked("markdown", ".md .markdown .mdx", comment="<!--", nodes=more_nodes.MARKDOWN),
)

_BY_NAME = {
    identifier: language
    for language in LANGUAGES
    for identifier in (language.name, *language.aliases)
}
_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}
_BY_FILENAME = {name: language for language in LANGUAGES for name in language.filenames}
_JUDGED_BY_ID = {
    identifier: language
    for language in LANGUAGES
    if language.judged
    for identifier in (language.name, *language.aliases)
}
_JUDGED_BY_EXTENSION = {
    extension: language for extension, language in _BY_EXTENSION.items() if language.judged
}
# Editors that know only one id for a family tell the variant by the file's extension.
_VARIANTS = {("typescript", ".tsx"), ("javascript", ".jsx")}


def language_of(language_id: str, uri: str = "") -> Language | None:
    """The language of a document by what the editor calls it, else by its file extension.

    None where Inkling has no rules to judge suggestions by.
    """
    path = urlsplit(uri).path if "://" in uri else uri
    extension = _extension(path)
    known = _JUDGED_BY_ID.get(language_id.lower())
    if known is None or (known.name, extension) in _VARIANTS:
        return _JUDGED_BY_EXTENSION.get(extension, known)
    return known


def language_of_file(path: str) -> Language | None:
    """The language of a file by its name, judged or not; its wheel may be missing."""
    name = path.rsplit("/", 1)[-1]
    return _BY_FILENAME.get(name) or _BY_EXTENSION.get(_extension(name))


def named(name: str) -> Language | None:
    """The row of that name or alias, judged or not."""
    return _BY_NAME.get(name)


def _extension(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    return name[dot:].lower() if dot >= 0 else ""


def load_grammar(language: Language) -> object:
    """The grammar's pointer for `tree_sitter.Language`. Raises ImportError without its wheel."""
    return getattr(importlib.import_module(language.module), language.function)()
