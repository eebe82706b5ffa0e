from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.streaming import TextStream


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({min(cut, len(data)) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(st.text(max_size=30), st.text(max_size=5), st.lists(st.integers(0, 120)))
def test_characters_come_whole_however_tokens_split_them(
    text: str, forced: str, cuts: list[int]
) -> None:
    skip = len(forced.encode())
    stream = TextStream(skip)
    out = [stream.feed(piece) for piece in pieces_of((forced + text).encode(), cuts)]

    assert "".join(out) + stream.finish() == text
    assert stream.missing == 0


@given(
    st.text(alphabet="ab\n", max_size=30),
    st.lists(st.text(alphabet="ab\n", min_size=1, max_size=3), max_size=3),
    st.lists(st.integers(0, 40)),
)
def test_text_ends_before_the_first_stop(text: str, stops: list[str], cuts: list[int]) -> None:
    stream = TextStream(0, stops)
    out = ""
    for piece in pieces_of(text.encode(), cuts):
        out += stream.feed(piece)
        if stream.stopped:
            break
    out += stream.finish()
    found = [text.find(stop) for stop in stops if stop in text]

    assert stream.stopped == bool(found)
    if found:
        # A shorter stop may be complete before a longer one that began earlier.
        assert text.startswith(out) and not any(stop in out for stop in stops)
    else:
        assert out == text


def test_half_a_character_at_the_end_is_dropped() -> None:
    stream = TextStream(0)

    assert stream.feed(b"a" + "é".encode()[:1]) == "a"
    assert stream.finish() == ""


def test_the_possible_beginning_of_a_stop_waits() -> None:
    stream = TextStream(0, ["\n\n"])

    assert stream.feed(b"x\n") == "x"
    assert stream.feed(b"y") == "\ny"
    assert stream.feed(b"\n") == ""
    assert stream.finish() == "\n"
