"""The languages Inkling knows: grammar, comments, how blocks are written.

A table and two look-ups; a new language is one more row (and its grammar's wheel). Grammars
are imported when first used, by `load_grammar`, and only in the process that parses.
"""

import importlib
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

BlockStyle = Literal["indent", "brace"]


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


def _braces(
    name: str,
    extensions: str,
    aliases: str = "",
    *,
    module: str = "",
    function: str = "language",
    quotes: tuple[str, ...] = ('"', "'"),
    spanning: tuple[str, ...] = (),
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
    ),
    _braces(
        "javascript",
        ".js .mjs .cjs",
        "js js-ts",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
    ),
    _braces(
        "javascriptreact",
        ".jsx",
        "javascript.jsx jsx",
        module="tree_sitter_javascript",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
    ),
    _braces(
        "typescript",
        ".ts .mts .cts",
        "ts typescript-ts",
        module=_TS,
        function="language_typescript",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
    ),
    _braces(
        "typescriptreact",
        ".tsx",
        "typescript.tsx tsx tsx-ts",
        module=_TS,
        function="language_tsx",
        quotes=_SCRIPT_QUOTES,
        spanning=("`",),
    ),
    _braces("rust", ".rs", "rs rust-ts", quotes=('"',), spanning=('"',)),
    _braces("go", ".go", "golang go-ts", quotes=_SCRIPT_QUOTES, spanning=("`",)),
    _braces("java", ".java", "java-ts", quotes=('"""', '"', "'"), spanning=('"""',)),
    _braces("c", ".c .h", "c-ts"),
    _braces(
        "cpp", ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .inl", "c++ cplusplus c++-ts cpp-ts"
    ),
)

_BY_ID = {
    identifier: language
    for language in LANGUAGES
    for identifier in (language.name, *language.aliases)
}
_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}
# Editors that know only one id for a family tell the variant by the file's extension.
_VARIANTS = {("typescript", ".tsx"), ("javascript", ".jsx")}


def language_of(language_id: str, uri: str = "") -> Language | None:
    """The language of a document by what the editor calls it, else by its file extension.

    None where Inkling has no grammar for it.
    """
    path = urlsplit(uri).path if "://" in uri else uri
    name = path.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    extension = name[dot:].lower() if dot >= 0 else ""
    known = _BY_ID.get(language_id.lower())
    if known is None or (known.name, extension) in _VARIANTS:
        return _BY_EXTENSION.get(extension, known)
    return known


def load_grammar(language: Language) -> object:
    """The grammar's pointer for `tree_sitter.Language`. Raises ImportError without its wheel."""
    return getattr(importlib.import_module(language.module), language.function)()
