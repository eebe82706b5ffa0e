"""Where the cursor stands, by tables. `|` is the cursor."""

import pytest

from inkling.syntax.languages import LANGUAGES, language_of, load_grammar
from inkling.syntax.scope import line_context
from inkling.text.document import Document


def context(marked, language="python"):
    before, after = marked.split("|")
    document = Document("file:///x", language, 1, (before + after).encode())
    return line_context(document, len(before.encode()))


@pytest.mark.parametrize(
    ("language", "marked", "multiline"),
    [
        ("python", "def f():\n    |\n", True),
        ("python", "def f():|\n", True),
        ("python", "def f(\n    a: int,\n) -> int:|\n", True),
        ("python", "x = 1\n|", True),
        ("python", "|", True),
        ("python", "x = |\n", False),
        ("python", "x:|", False),
        ("python", "lambda x:|", False),
        ("python", "# if x:|", False),
        ("python", "s = 'if x:|'", False),
        ("python", "if a[1:|]", False),
        ("python", "if a[1:|", False),
        ("python", "config = {|\n}", True),
        ("python", "config = {|}", False),
        ("python", "class A:  # the first|", False),
        ("python", "else:|", True),
        ("rust", "fn f<'a>(x: &'a str) {|\n}\n", True),
        ("rust", "let c = '{';|", False),
        ("go", "if err != nil {|\n}", True),
        ("typescriptreact", "const f = () => {|", True),
        ("javascript", "// {|", False),
        ("javascript", "foo(|", False),
        ("java", "class A {\n    |\n}", True),
        ("c", "int main(void) {|", True),
        ("plaintext", "anything {|", True),
        ("plaintext", "anything|", False),
    ],
)
def test_several_lines_only_where_the_syntax_asks_for_them(language, marked, multiline):
    assert context(marked, language).multiline is multiline


@pytest.mark.parametrize(
    ("marked", "indent", "typed", "tail", "closers"),
    [
        ("a\n    foo(|)\n", "    ", "foo(", ")", True),
        ("\tx|", "\t", "x", "", True),
        ("\tx|  ", "\t", "x", "  ", True),
        ("  |  y", "  ", "", "  y", False),
        ("f('|'), g(1)", "", "f('", "'), g(1)", False),
        ("f('|');\r\nz", "", "f('", "');", True),
        ("a\rb|\fc", "", "b", "\fc", False),
    ],
)
def test_what_is_left_and_right_of_the_cursor(marked, indent, typed, tail, closers):
    found = context(marked)
    assert (found.indent, found.typed, found.tail) == (indent, typed, tail)
    assert found.tail_is_closers is closers


def test_cut_characters_do_no_harm():
    document = Document("file:///x", "python", 1, "é😀".encode())
    for offset in range(7):
        found = line_context(document, offset)
        whole = offset in (0, 2, 6)
        assert (found.indent, found.typed + found.tail == "é😀") == ("", whole)
        assert found.typed.startswith("é") == (offset >= 2)
        assert found.tail.endswith("😀") == (offset <= 2)


@pytest.mark.parametrize(
    "language",
    [language for language in LANGUAGES if language.judged],
    ids=lambda language: language.name,
)
def test_every_language_has_its_grammar(language):
    assert load_grammar(language)
    assert language_of(language.name) is language
    assert all(language_of("", f"file:///a/b{end}") for end in language.extensions)


@pytest.mark.parametrize(
    ("identifier", "uri", "name"),
    [
        ("typescript", "file:///a.tsx", "typescriptreact"),
        ("javascript", "file:///a.jsx", "javascriptreact"),
        ("typescript", "file:///a.ts", "typescript"),
        ("plaintext", "untitled:Untitled-1", None),
        ("plaintext", "file:///C%3A/x/a.PY", "python"),
        ("cpp", "file:///a.h", "cpp"),
        ("c++", "", "cpp"),
        ("Python", "", "python"),
        ("", "file:///a.d/readme", None),
    ],
)
def test_a_document_finds_its_language(identifier, uri, name):
    found = language_of(identifier, uri)
    assert (found and found.name) == name
