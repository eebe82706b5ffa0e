from hypothesis import given
from hypothesis import strategies as st

from inkling.index.chunks import LONGEST, cut, names_of, pieces, survey
from inkling.index.lexical import lexical_definitions

LINE = st.sampled_from(
    [
        "",
        "    x = 1",
        "def f():",
        "class A:",
        "    def g(self):",
        "        return 'é' * 9",
        "y" * 1700,
    ]
    + [f"value_{n} = {n}  # some words to make it longer" for n in range(5)]
)
TEXT = st.lists(LINE, max_size=200).map("\n".join) | st.text(max_size=300)


def test_names_are_words_of_two_to_eighty_characters():
    data = b"if x: foo_1(bar, 0xff, 12ab, $dollar, _u) " + b"a" * 81 + b" " + b"b" * 80
    assert names_of(data) == ("_u", "bar", "b" * 80, "dollar", "foo_1", "if")


def test_names_may_have_letters_of_any_script():
    assert names_of("größe = naïve — 変数".encode()) == ("größe", "naïve", "変数")


def test_bytes_that_are_no_text_hurt_nobody():
    assert names_of(b"ab\xff\xfecd \x80 ef") == ("ab", "cd", "ef")


def may_be_left_out(line):
    return not line.strip() or len(line) > LONGEST


@given(text=TEXT)
def test_pieces_lie_in_order_on_lines_and_are_short(text):
    data = text.encode()
    found = pieces(data, lexical_definitions(data, "python"))
    at = 0
    for start, end in found:
        # What is left out is blank lines and lines longer than a piece may be.
        assert all(may_be_left_out(line) for line in data[at:start].splitlines(keepends=True))
        assert start == 0 or data[start - 1 : start] == b"\n"
        assert 0 < end - start <= LONGEST
        at = end
    assert all(may_be_left_out(line) for line in data[at:].splitlines(keepends=True))


@given(text=TEXT)
def test_reading_once_gives_what_reading_twice_gives(text):
    data = text.encode()
    definitions = lexical_definitions(data, "python")
    names = names_of(data)
    assert survey(data, definitions) == (names, cut(data, definitions, names))


def test_a_short_function_stays_whole():
    body = "".join(f"    step_{n} = do_something({n})\n" for n in range(30))
    text = f"def one():\n{body}\n\ndef two():\n{body}\n\ndef three():\n{body}"
    data = text.encode()
    found = [data[start:end] for start, end in pieces(data, lexical_definitions(data, "python"))]
    assert [part[: part.index(b"(")] for part in found] == [b"def one", b"def two", b"def three"]


def test_a_long_class_is_cut_at_its_methods():
    methods = "".join(
        f"    def method_{n}(self):\n" + "        call_something_else()\n" * 30 for n in range(4)
    )
    data = f"class Long:\n{methods}".encode()
    found = [data[start:end] for start, end in pieces(data, lexical_definitions(data, "python"))]
    assert [b"def method_" in part for part in found] == [True] * 4 or len(found) == 5
    assert sum(part.lstrip().startswith(b"def method_") for part in found) >= 3
