"""Code with ghost text: what is shown, numbered, cut and marked."""

import io

import pytest
from rich.console import Console

from inkling.cli.render import code_view, ghost_marks, shows_styles

SOURCE = "".join(f"line {number}\n" for number in range(1, 31))


def shown(*args: str, **options: object) -> list[str]:
    view = code_view(*args, **{"marks": ("<", ">"), **options})  # type: ignore[arg-type]
    return view.plain.split("\n")


def test_the_ghost_stands_at_the_cursor_with_the_lines_around_it() -> None:
    cut = SOURCE.index("15") + 1
    assert shown(SOURCE[:cut], "GHOST", SOURCE[cut:], above=1, below=1) == [
        "14  line 14",
        "15  line 1<GHOST>5",
        "16  line 16",
    ]


def test_a_ghost_of_several_lines_pushes_the_rest_down() -> None:
    cut = SOURCE.index("line 3\n")
    assert shown(SOURCE[:cut], "a\nb\n", SOURCE[cut:], above=1, below=0) == [
        "2  line 2",
        "3  <a",
        "4  b",
        "5  >line 3",
    ]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("x", ""), ("", "x"), ("x\n", "")])
def test_the_edges_of_a_document(before: str, after: str) -> None:
    assert "<g>" in "\n".join(shown(before, "g", after))


def test_long_lines_are_cut_but_never_the_ghost() -> None:
    rows = shown("a" * 90 + "\n", "g" * 40, "\n" + "b" * 90, width=20)
    assert rows == [
        "1  aaaaaaaaaaaaaaaa…",
        "2  <gggggggggggggggg",
        "   ggggggggggggggggg",
        "   ggggggg>",
        "3  bbbbbbbbbbbbbbbb…",
    ]


def test_unknown_lexers_are_plain_text() -> None:
    assert shown("a", "g", "b", lexer="no-such-language") == ["1  a<g>b"]


@pytest.mark.parametrize("lexer", ["go", "python", "text", "no-such-language"])
@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        (
            "type S struct {\n\titems []int\n}\n\nfunc (s *S) Peek() int",
            "\n\treturn 1\n",
            ["4  ", "5  func (s *S) Peek() int< {}>", "6      return 1"],
        ),
        ("\tif a {\n\t\tb", "\tc\n", ["1      if a {", "2          b< {}>  c", "3  "]),
        ("a\r\nb\r\nc", "d\r\ne\r\n", ["2  b", "3  c< {}>d", "4  e"]),
        ("a\rb", "\rc", ["1  a", "2  b< {}>", "3  c"]),
        ("\ufeffab", "c\n", ["1  ab< {}>c", "2  "]),
        ("a\nx = '🦑🧑🏽‍🚀é'", " # 🦑\n", ["1  a", "2  x = '🦑🧑🏽‍🚀é'< {}> # 🦑", "3  "]),
        ("a\x0cb\x1b[31m", "c", ["1  a b [31m< {}>c"]),
        ("\n\n", "\n\n", ["2  ", "3  < {}>", "4  "]),
    ],
)
def test_the_ghost_is_at_the_cursor_whatever_the_file_holds(
    before: str, after: str, rows: list[str], lexer: str
) -> None:
    assert shown(before, " {}", after, lexer=lexer, above=1, below=1) == rows


def test_a_ghost_with_the_file_s_own_line_ends_counts_its_lines() -> None:
    rows = shown("a\r\n", "b\r\n\tc", "\r\nd\r\n", above=1, below=1)
    assert rows == ["1  a", "2  <b", "3      c>", "4  d"]


def test_marks_stand_in_for_colours() -> None:
    plain = Console(file=io.StringIO())
    colours = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    none = Console(file=io.StringIO(), force_terminal=True, no_color=True)
    assert (shows_styles(plain), shows_styles(colours), shows_styles(none)) == (False, True, False)
    assert ghost_marks(colours) == ("", "")
    assert all(ghost_marks(plain)) and all(ghost_marks(none))
