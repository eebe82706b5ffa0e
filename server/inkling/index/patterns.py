"""How lines that define something look: one pattern for each family of languages.

Every alternative names its group for the kind it finds; what the group matches is the name.
Patterns begin with the line feed before the line (a constant first character is found many times
as fast as a line's beginning) and may go on with decorators. Pure data, compiled when first used.
"""

import re
from dataclasses import dataclass
from functools import cache

from inkling.index.record import Kind
from inkling.syntax.nodes import KINDS

# Bounded, so that no line can make a pattern try for long.
_NAME = r"[A-Za-z_\x80-\xff$][\w\x80-\xff$]{0,100}"
_TYPE = r"[A-Za-z_\x80-\xff$][\w.\x80-\xff$]{0,100}"
# Decorators and attributes over a definition. Eight, since the pattern is tried on each of them.
# Possessive, since a line that defines nothing must not be tried at each of its blanks.
_ABOVE = r"(?:[ \t]*+(?:@|\#\[)[^\n]*+\n){0,8}+[ \t]*+"


@dataclass(frozen=True, slots=True)
class Family:
    """How one family of languages defines things."""

    pattern: re.Pattern[bytes]
    kinds: dict[str, Kind]
    """The kind of each of the pattern's groups."""
    braces: bool
    """A definition may end with a closing line (`}`, `end`), which is part of it."""
    continued: bytes
    """Lines that are not indented and yet don't end the definition above them."""
    closers: re.Pattern[bytes]
    """The line that closes a definition."""
    wordless: bool
    """Functions are written without a word that says so, so calls may look like them."""


def _family(
    *alternatives: tuple[str, str],
    braces: bool = True,
    continued: str = r"[#{)]|//|/?\*|where\b|-> |public\b[^\n]{0,9}:|private\b[^\n]{0,9}:"
    r"|protected\b[^\n]{0,9}:|\w+:[ \t\r]*\n|case\b|default\b|template\b[^\n]*\n\s*\{",
    closers: str = r"[}\])]|end\b|fi\b|done\b|esac\b",
    above: str = _ABOVE,
    wordless: bool = False,
) -> Family:
    kinds: dict[str, Kind] = {}
    parts = []
    for number, (kind, part) in enumerate(alternatives):
        group = f"g{number}"
        assert kind in KINDS
        kinds[group] = kind
        parts.append(
            part.replace("NAME", f"(?P<{group}>{_NAME})")
            .replace("ANY", _NAME)
            .replace("TYPE", _TYPE)
        )
    source = rf"\n{above}(?:{'|'.join(parts)})"
    return Family(
        pattern=re.compile(source.encode("latin-1"), re.MULTILINE),
        kinds=kinds,
        braces=braces,
        continued=continued.encode(),
        closers=re.compile(closers.encode()),
        wordless=wordless,
    )


_WORDS = r"(?:(?:%s)[ \t]+)*"


def _python() -> Family:
    return _family(
        ("function", r"(?:async[ \t]+)?def[ \t]+NAME"),
        ("class", r"class[ \t]+NAME"),
        ("type", r"type[ \t]+NAME[ \t]*(?:\[[^\n]*\])?[ \t]*="),
        ("variable", r"(?<![ \t])NAME[ \t]*(?::[^=\n]+)?=(?!=)"),
        # Of classes; `lexical` drops what is in no container.
        (
            "field",
            r"(?<=[ \t])(?!else\b|try\b|except\b|finally\b|lambda\b|return\b)NAME[ \t]*"
            r"(?::[^\n]*[^\n,({\[]|=[^=\n][^\n]*)\r?$",
        ),
        braces=False,
        continued=r"[)\]}]",
        closers=r"(?!)",
    )


def _script() -> Family:
    words = _WORDS % "export|default|declare|abstract|async"
    member = _WORDS % "public|private|protected|static|readonly|async|override|abstract|get|set"
    return _family(
        ("function", rf"{words}function[ \t]*\*?[ \t]*NAME"),
        ("class", rf"{words}class[ \t]+NAME"),
        ("interface", rf"{words}interface[ \t]+NAME"),
        ("enum", rf"{words}(?:const[ \t]+)?enum[ \t]+NAME"),
        ("type", rf"{words}type[ \t]+NAME[ \t]*(?:<[^\n]*>)?[ \t]*="),
        ("module", rf"{words}(?:namespace|module)[ \t]+NAME"),
        (
            "function",
            rf"{words}(?:const|let|var)[ \t]+NAME[^\n=]*=[ \t]*(?:async[ \t]*)?"
            r"(?:function\b|\([^\n]*=>|\w+[ \t]*=>|\([ \t\r]*$)",
        ),
        ("variable", rf"{words}(?:const|let|var)[ \t]+NAME"),
        ("function", r"(?:module\.)?exports\.NAME[ \t]*=[ \t]*(?:async[ \t]+)?function\b"),
        ("variable", r"(?:module\.)?exports\.NAME[ \t]*=(?!=)"),
        ("method", r"ANY(?:\.ANY)*\.NAME[ \t]*=[ \t]*(?:async[ \t]+)?function\b"),
        ("method", rf"{member}[*#]?NAME[ \t]*(?:<[^\n(]*>)?\([^\n]*\)[^\n;={{]*\{{[^\n]*$"),
        ("method", rf"{member}[*#]?NAME[ \t]*(?:<[^\n(]*>)?\([ \t\r]*$"),
        ("method", r"NAME[ \t]*:[ \t]*(?:async[ \t]+)?function\b"),
    )


def _rust() -> Family:
    words = (
        r"(?:pub(?:\([^)\n]*\))?[ \t]+)?"
        r"(?:(?:default|async|unsafe|const|extern[ \t]+\"[^\"\n]*\"|extern)[ \t]+)*"
    )
    return _family(
        ("function", rf"{words}fn[ \t]+NAME"),
        ("class", rf"{words}(?:struct|union)[ \t]+NAME"),
        ("enum", rf"{words}enum[ \t]+NAME"),
        ("interface", rf"{words}trait[ \t]+NAME"),
        ("module", rf"{words}mod[ \t]+NAME"),
        ("type", rf"{words}type[ \t]+NAME"),
        ("constant", rf"{words}(?:const|static(?:[ \t]+mut)?)[ \t]+NAME[ \t]*:"),
        ("constant", r"(?:pub(?:\([^)\n]*\))?[ \t]+)?const[ \t]+NAME[ \t]*:"),
        ("macro", r"macro_rules![ \t]*NAME"),
        # An implementation defines no name of its own, but what is in it are methods of that name.
        (
            "type",
            r"(?:unsafe[ \t]+)?impl\b(?:[^\n{]*\bfor[ \t]+|(?:<[^\n]*?>)?[ \t]+)&?(?:ANY::)*NAME",
        ),
    )


def _go() -> Family:
    return _family(
        ("method", r"func[ \t]*\([^)\n]*\)[ \t]*NAME"),
        ("function", r"func[ \t]+NAME"),
        ("class", r"type[ \t]+NAME(?:\[[^\n]*\])?[ \t]+struct\b"),
        ("interface", r"type[ \t]+NAME(?:\[[^\n]*\])?[ \t]+interface\b"),
        ("type", r"type[ \t]+NAME"),
        ("constant", r"const[ \t]+NAME"),
        ("variable", r"var[ \t]+NAME"),
    )


def _java() -> Family:
    words = _WORDS % (
        "public|private|protected|internal|static|final|abstract|sealed|non-sealed|partial|virtual"
        "|override|async|default|synchronized|native|strictfp|readonly|extern|unsafe|open|data"
        "|inner|inline|suspend|operator|infix|lateinit|const|value|annotation|companion|required"
        "|fileprivate|mutating|convenience|weak|lazy|new"
    )
    return _family(
        ("class", rf"{words}(?:class|record|struct|object|actor|extension)[ \t]+NAME"),
        ("interface", rf"{words}(?:@?interface|protocol)[ \t]+NAME"),
        ("enum", rf"{words}enum[ \t]+(?:class[ \t]+)?NAME"),
        ("module", r"namespace[ \t]+(?:ANY\.)*NAME"),
        ("function", rf"{words}(?:fun|func)[ \t]+(?:<[^\n>]*>[ \t]*)?(?:ANY\.)*NAME"),
        ("type", rf"{words}(?:typealias|delegate[ \t]+ANY)[ \t]+NAME"),
        ("variable", rf"{words}(?:va[lr]|let)[ \t]+(?:ANY\.)*NAME"),
        (
            "method",
            rf"{words}(?:<[^\n>]*>[ \t]+)?(?!return\b|new\b|else\b|throw\b)TYPE"
            r"(?:<[^\n(=]*>)?(?:\[\])*\??[ \t]+NAME[ \t]*\([^\n;]*(?:[{,(]|\)|=>[^\n]*)[ \t\r]*$",
        ),
        (
            "method",
            r"(?:(?:public|private|protected|internal)[ \t]+)NAME[ \t]*\([^\n;]*[{,(][ \t\r]*$",
        ),
        (
            "field",
            r"(?:(?:public|private|protected|internal|static|final|readonly|volatile)[ \t]+)+"
            r"TYPE(?:<[^\n(=]*>)?(?:\[\])*\??[ \t]+NAME[ \t]*(?:=|;)",
        ),
    )


def _c() -> Family:
    return _family(
        ("macro", r"\#[ \t]*define[ \t]+NAME"),
        (
            "class",
            r"(?:typedef[ \t]+)?(?:struct|union|class)[ \t]+"
            r"(?:ANY\([^)\n]*\)[ \t]*|[A-Z_]+_API[ \t]+)?"
            r"NAME(?:[ \t]+final)?[ \t]*(?::[^\n;]*)?(?:\{[^\n]*)?[ \t\r]*$",
        ),
        ("enum", r"(?:typedef[ \t]+)?enum[ \t]+(?:class[ \t]+|struct[ \t]+)?NAME[^\n;()]*$"),
        ("module", r"(?:inline[ \t]+)?namespace[ \t]+(?:ANY::)*NAME"),
        ("type", r"typedef[ \t]+[^\n;{]{0,200}?NAME[ \t]*(?:\[[^\n\]]*\])?;"),
        ("type", r"using[ \t]+NAME[ \t]*="),
        # A function's head: what it gives back, its name, its parameters, no semicolon at the end.
        (
            "function",
            r"(?!return\b|else\b|case\b|goto\b|delete\b|throw\b|using\b|typedef\b|\#)"
            r"(?:[A-Za-z_][\w:<>,*&\[\]~]{0,100}[ \t*&]+){1,6}(?:ANY::)*~?NAME[ \t]*"
            r"\([^\n;]*(?:[{,(]|\)[^\n;()]*)"
            r"[ \t\r]*$",
        ),
        ("function", r"(?<![ \t])(?:ANY::)*~?NAME\([^\n;]*(?:[{,]|\))[ \t\r]*(?=\n\{)"),
        ("function", r"(?:ANY::)+~?NAME[ \t]*\([^\n;]*(?:[{,(]|\)[^\n;()]*)[ \t\r]*$"),
        (
            "variable",
            r"(?<![ \t])(?:static|extern|const)[ \t][^\n;(){}=]{0,200}?"
            r"NAME[ \t]*(?:\[[^\n=]*\])?[ \t]*(?:=|;)",
        ),
        wordless=True,
    )


def _ruby() -> Family:
    return _family(
        ("function", r"(?:private[ \t]+|protected[ \t]+)?def[ \t]+(?:self\.|ANY\.)?NAME"),
        ("class", r"class[ \t]+(?:ANY::)*NAME"),
        ("module", r"module[ \t]+(?:ANY::)*NAME"),
        ("constant", r"(?=[A-Z])NAME[ \t]*=(?![=~])"),
        continued=r"\#",
    )


def _php() -> Family:
    words = _WORDS % "public|private|protected|static|final|abstract|readonly"
    return _family(
        ("function", rf"{words}function[ \t]+&?NAME"),
        ("class", rf"{words}(?:class|trait)[ \t]+NAME"),
        ("interface", rf"{words}interface[ \t]+NAME"),
        ("enum", rf"{words}enum[ \t]+NAME"),
        ("constant", rf"{words}const[ \t]+(?:ANY[ \t]+)?NAME[ \t]*="),
        ("module", r"namespace[ \t]+(?:ANY\\)*NAME"),
        (
            "field",
            r"(?:(?:public|private|protected|static|readonly)[ \t]+)+(?:\??[\w\\|]+[ \t]+)?NAME",
        ),
    )


def _shell() -> Family:
    return _family(
        ("function", r"function[ \t]+NAME"),
        ("function", r"NAME[ \t]*\([ \t]*\)"),
        ("variable", r"(?<![ \t])(?:export[ \t]+|readonly[ \t]+|declare[ \t]+)?NAME="),
    )


def _lua() -> Family:
    return _family(
        ("function", r"(?:local[ \t]+)?function[ \t]+(?:ANY[.:])*NAME"),
        ("function", r"(?:local[ \t]+)?(?:ANY\.)*NAME[ \t]*=[ \t]*function\b"),
        ("variable", r"(?<![ \t])(?:local[ \t]+)?NAME[ \t]*=(?!=)"),
        continued=r"--",
    )


def _style() -> Family:
    return _family(
        ("class", r"[.\#]NAME"),
        ("variable", r"(?:--|\$|@)NAME[ \t]*:"),
        ("function", r"@(?:mixin|function|keyframes)[ \t]+NAME"),
    )


def _data() -> Family:
    """JSON, YAML, TOML: keys at the margin, sections."""
    return _family(
        ("module", r"\[+(?:ANY\.)*NAME"),
        ("variable", r"(?<![ \t])\"?NAME\"?[ \t]*[:=]"),
        ("variable", r"(?<=  )(?<!   )\"NAME\"[ \t]*:"),
        continued=r"[#{\]}]",
        above=r"[ \t]{0,2}",
    )


def _prose() -> Family:
    """Markdown, HTML: headings and ids aren't names that code refers to."""
    return _family(("field", r"(?!)NAME"))


def _any() -> Family:
    """No language in particular."""
    words = _WORDS % (
        "export|default|pub|public|private|protected|internal|static|final|abstract|async|local"
        "|const|inline|virtual|override|open|data|sealed|partial|unsafe|extern|impl|defp?"
    )
    return _family(
        (
            "function",
            rf"{words}(?:def|defp|fn|fun|func|function|sub|proc|procedure|let rec)[ \t]+NAME",
        ),
        ("class", rf"{words}(?:class|struct|record|object|defmodule)[ \t]+NAME"),
        ("interface", rf"{words}(?:interface|trait|protocol)[ \t]+NAME"),
        ("enum", rf"{words}enum[ \t]+NAME"),
        ("module", rf"{words}(?:module|namespace|package)[ \t]+(?:ANY\.)*NAME"),
        ("type", rf"{words}(?:type|typedef|typealias)[ \t]+NAME"),
        ("macro", r"(?:\#[ \t]*define|macro(?:_rules!)?)[ \t]+NAME"),
        ("function", r"\((?:def|defun|defn|define)[ \t]+\(?NAME"),
    )


_FAMILIES = {
    "python": _python,
    "javascript": _script,
    "javascriptreact": _script,
    "typescript": _script,
    "typescriptreact": _script,
    "rust": _rust,
    "go": _go,
    "java": _java,
    "csharp": _java,
    "c_sharp": _java,
    "kotlin": _java,
    "swift": _java,
    "scala": _java,
    "c": _c,
    "cpp": _c,
    "ruby": _ruby,
    "php": _php,
    "bash": _shell,
    "shellscript": _shell,
    "lua": _lua,
    "css": _style,
    "json": _data,
    "yaml": _data,
    "toml": _data,
    "markdown": _prose,
    "html": _prose,
}


@cache
def family_of(language: str) -> Family:
    """How `language` defines things; what most do where it is not known."""
    return _FAMILIES.get(language, _any)()
