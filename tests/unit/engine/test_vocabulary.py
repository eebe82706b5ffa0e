from hypothesis import given
from hypothesis import strategies as st

from inkling.engine.vocabulary import vocabulary

from .toy import EMPTY, MARK, PIECES, toy

TEXTS = st.binary(min_size=1, max_size=6) | st.sampled_from([piece for piece in PIECES if piece])


@given(TEXTS)
def test_tokens_that_start_with_a_text_are_all_found(text: bytes) -> None:
    expected = {n for n, piece in enumerate(PIECES[:EMPTY]) if piece.startswith(text)}

    assert set(toy().starting_with(text).tolist()) == expected


@given(TEXTS)
def test_agreeing_tokens_have_every_agreeing_text(text: bytes) -> None:
    expected = {
        piece for piece in PIECES[:EMPTY] if piece.startswith(text) or text.startswith(piece)
    }

    assert {PIECES[token] for token in toy().agreeing(text).tolist()} == expected


@given(TEXTS)
def test_marks_and_empty_tokens_never_come_out(text: bytes) -> None:
    assert not {EMPTY, MARK} & set(toy().agreeing(text).tolist())


def test_the_last_text_of_all_has_an_upper_bound() -> None:
    known = vocabulary([b"\xff", b"\xff\xff", b"a"], range(3))

    assert known.starting_with(b"\xff").tolist() == [0, 1]
    assert known.starting_with(b"").tolist() == [2, 0, 1]


def test_an_empty_vocabulary_allows_nothing() -> None:
    assert vocabulary([b""], range(1)).agreeing(b"x").tolist() == []
