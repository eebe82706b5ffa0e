"""Words under a cursor: each line has a `|` where the cursor stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.text.words import Word, word_at


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("|connect(host)", Word("connect")),
        ("con|nect(host)", Word("connect")),
        ("connect|(host)", Word("connect")),
        ("connect(|host)", Word("host")),
        ("connect(host)|", None),
        ("", None),
        ("|", None),
        ("  |  ", None),
        ("x = 1|2", None),
        ("x = 0x|FF", None),
        ("x2| = 1", Word("x2")),
        ("_|", Word("_")),
        ("self.|x = 1", Word("x", qualifier="self")),
        ("self|.x = 1", Word("self")),
        ("self.user.na|me", Word("name", qualifier="user")),
        ("first().se|cond", Word("second")),
        ("a::|b", Word("b", qualifier="a")),
        ("a|::b", Word("a")),
        ("Vec::<u8>::n|ew()", Word("new")),
        ("node->ne|xt", Word("next", qualifier="node")),
        ("user?.na|me", Word("name", qualifier="user")),
        ("a . b|", Word("b", qualifier="a")),
        ("1.re|al", Word("real", qualifier="1")),
        ("a..b|", Word("b")),
        ("    .the|n(f)", Word("then")),
        ("|@app.route('/')", Word("app")),
        ("@app.ro|ute('/')", Word("route", qualifier="app")),
        ("    |@cached", Word("cached")),
        ("@|cached", Word("cached")),
        ("größ|e = 1", Word("größe")),
        ("имя.пол|я", Word("поля", qualifier="имя")),
        ("変数|を", Word("変数を")),
        ("नमस्|ते = 1", Word("नमस्ते")),
        ("😀nam|e", Word("name")),
        ("price$|x", Word("x")),
    ],
)
def test_the_word_under_the_cursor(line, word):
    before, _, after = line.partition("|")
    assert word_at(before + after, len(before), "python") == word


@pytest.mark.parametrize(
    ("language", "line", "word"),
    [
        ("javascript", "$sco|pe.x", Word("$scope")),
        ("typescriptreact", "|$", Word("$")),
        ("javascript", "this.#cou|nt", Word("#count", qualifier="this")),
        ("ruby", "list.emp|ty?", Word("empty?", qualifier="list")),
        ("ruby", "list.sort|! if x", Word("sort!", qualifier="list")),
        ("ruby", "a|!= b", Word("a")),
        ("python", "# include| this", Word("include")),
    ],
)
def test_what_languages_add_to_a_name(language, line, word):
    before, _, after = line.partition("|")
    assert word_at(before + after, len(before), language) == word


@pytest.mark.parametrize(
    "line",
    [
        '|#include "net/x.h"',
        '#inc|lude "net/x.h"',
        '#include "net|/x.h"',
        '#include "net/x.h"|',
        "  #  import <net/x.|h> // why",
    ],
)
@pytest.mark.parametrize("language", ["c", "cpp", "objective-c"])
def test_an_include_is_a_file_wherever_the_cursor_is(line, language):
    before, _, after = line.partition("|")
    assert word_at(before + after, len(before), language) == Word("net/x.h", "file")


def test_behind_an_include_there_are_names_again():
    line = '#include "x.h" // see connect'
    assert word_at(line, line.index("connect"), "c") == Word("connect")


@given(
    st.text(alphabet='ab1_.:->?!#$@ "<é€😀\u0947', max_size=30),
    st.integers(-2, 40),
    st.sampled_from(["", "c", "ruby", "javascript"]),
)
def test_a_word_stands_in_its_line_next_to_the_cursor(line, at, language):
    word = word_at(line, at, language)
    if word is not None and word.kind == "name":
        starts = [n for n in range(len(line)) if line.startswith(word.text, n)]
        place = min(max(at, 0), len(line))
        assert any(start - 2 <= place <= start + len(word.text) for start in starts)
