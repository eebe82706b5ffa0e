"""Rules that cut generated text down to what belongs at the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.edits.trim import (
    Surroundings,
    cut_at_closed_bracket,
    cut_following_lines,
    cut_repetition,
    cut_tail_overlap,
    trim,
)


@pytest.mark.parametrize(
    ("text", "tail", "expected"),
    [
        ("a, b):", ")", "a, b"),
        ("a, b)", ")", "a, b"),
        ("f(a), b)", ")", "f(a), b"),
        ("a, b", ")", "a, b"),
        ("')', b)", ")", "')', b"),
        ("'it\\'s)', b)", ")", "'it\\'s)', b"),
        ("x]", ")", "x]"),
        ("a, b)", "", "a, b)"),
        ("a, b)", " + c)", "a, b)"),
        ("\n    a,\n    b,\n)", ")", "\n    a,\n    b,\n"),
    ],
)
def test_stops_before_a_bracket_that_is_already_closed(text, tail, expected):
    assert cut_at_closed_bracket(text, tail) == expected


@pytest.mark.parametrize(
    ("text", "tail", "expected"),
    [
        ("name = value", " = value", "name"),
        ("name", ": str", "name"),
        ("value;", ";", "value"),
        ("value", "", "value"),
        ("total += 1", "1", "total += "),
        ("other", "tail", "other"),
        ("foo(x)", ")", "foo(x)"),
        (":  # Split the line", ":", ""),
        ("foo(x))", ")", "foo(x)"),
    ],
)
def test_drops_what_repeats_the_rest_of_the_line(text, tail, expected):
    assert cut_tail_overlap(text, tail) == expected


@pytest.mark.parametrize(
    ("text", "typed", "following", "expected"),
    [
        ("x = 1\nreturn total", "", ("return total",), "x = 1"),
        ("urn total", "ret", ("return total", "}"), ""),
        ("x = 1\nreturn total\nother", "", ("return total", "}"), "x = 1"),
        ("\n    return a\n\n\ndef f():", "with b:", ("    return a", "x = 1"), ""),
        ("\n        return a", "    if b:", ("    return a", "x = 1"), "\n        return a"),
        ("if main:\n    go()", "", ("x = 1", "if main:", "    go()"), ""),
        ("    pass\n", "", ("    pass",), ""),
        ("a()\n}", "", ("}",), "a()"),
        ("}\nelse {\n  b()\n}", "", ("}",), "}\nelse {\n  b()"),
        ("x = 1\ny = 2", "", ("return total",), "x = 1\ny = 2"),
        ("x = 1", "", (), "x = 1"),
    ],
)
def test_stops_where_the_lines_below_begin(text, typed, following, expected):
    around = Surroundings(typed=typed, tail="", following=following)
    assert cut_following_lines(text, around) == expected


@pytest.mark.parametrize(
    ("text", "preceding", "expected"),
    [
        ("self.a = 1\nself.a = 1\nself.a = 1\n", (), "self.a = 1\nself.a = 1"),
        ("abcd()\nefgh()\nabcd()\nefgh()\n", (), "abcd()\nefgh()"),
        ("self.a = 1", ("self.a = 1", "self.a = 1"), ""),
        ("}\n}\n}\n", (), "}\n}\n}\n"),
        ("self.a = 1\nself.b = 2\n", (), "self.a = 1\nself.b = 2\n"),
    ],
)
def test_stops_a_loop(text, preceding, expected):
    around = Surroundings(typed="", tail="", following=(), preceding=preceding)
    assert cut_repetition(text, around) == expected


def test_only_line_feeds_end_lines():
    around = Surroundings(typed="", tail="", following=())
    assert trim("s = 'a\u2028b\x0cc'", around, max_lines=1).text == "s = 'a\u2028b\x0cc'"


def test_names_the_rules_that_cut():
    around = Surroundings(typed="f(", tail=")", following=("return x",))
    assert trim("a)\nreturn x", around, max_lines=5) == trim("a)", around, max_lines=5)
    assert trim("a)", around, max_lines=5).cut_by == ("brackets already closed",)


@given(
    st.text("ab(){}[]'\" \n=;", max_size=60),
    st.text("ab)]}; ", max_size=6),
    st.lists(st.text("ab(){}=", min_size=1, max_size=8), max_size=3),
)
def test_only_ever_cuts_the_end(text, tail, following):
    around = Surroundings(typed="", tail=tail, following=tuple(following))
    result = trim(text, around, max_lines=4).text
    assert text.startswith(result)
