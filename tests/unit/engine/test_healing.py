import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.engine import healing
from inkling.engine.healing import Choice, Step

from .toy import MARK, PIECES, joined, token, tokenize, toy


@pytest.mark.parametrize(
    ("forced", "unit"),
    [
        ("", ""),
        ("se", "se"),
        ("return sel", " sel"),
        ("self.fo", ".fo"),
        ("self.", "."),
        ("x = ", " "),
        ("x =  ", " "),
        ("x ==", " =="),
        ("print(", "("),
        ("foo(a, b_2", " b_2"),
        ("naïve é", " é"),
        ("a\nb", "b"),
        ("return\n    ", " "),
        ("größe", "größe"),
    ],
)
def test_the_cut_takes_back_the_last_unit(forced: str, unit: str) -> None:
    at = healing.cut(forced)

    assert forced.encode()[at:].decode() == unit


@given(st.text(max_size=400))
def test_the_cut_is_always_between_characters(forced: str) -> None:
    data = forced.encode()

    assert data[: healing.cut(forced)].decode() + data[healing.cut(forced) :].decode() == forced


def scores(seed: int) -> healing.Scores:
    return np.random.default_rng(seed).normal(size=len(PIECES)).astype(np.float32)


def heal(rest: bytes, seed: int, known: int) -> list[Step]:
    """Choose until `rest` is said, by scores that depend on what was said."""
    steps: list[Step] = []
    while rest:
        step = healing.choose(scores(seed + len(rest)), toy(), rest, known)
        steps.append(step)
        rest = rest[len(PIECES[step.token]) :]
    return steps


@given(st.text(min_size=1, max_size=12), st.integers(0, 1000))
def test_healed_text_always_continues_what_was_typed(typed: str, seed: int) -> None:
    data = typed.encode()

    assert joined([step.token for step in heal(data, seed, len(data))]).startswith(data)


@given(st.sampled_from([b"self.foo_bar(x)", b"print(x)", b"return x == y"]), st.integers(0, 50))
def test_no_special_token_is_chosen_while_healing(text: bytes, seed: int) -> None:
    high = scores(seed)
    high[MARK] = 100.0

    assert healing.choose(high, toy(), text, len(text)).token != MARK


@given(
    st.sampled_from([b"self.foo_bar(x)", b"printer", b"returned", "éé".encode()]),
    st.integers(0, 200),
    st.data(),
)
def test_a_choice_stands_when_more_of_what_it_says_is_typed(
    text: bytes, seed: int, data: st.DataObject
) -> None:
    short = text[: data.draw(st.integers(1, len(text)))]
    first = healing.choose(scores(seed), toy(), short, len(short))
    said = PIECES[first.token]
    longer = text if text.startswith(said) else said

    assert healing.choose(scores(seed), toy(), longer, len(longer)).token == first.token


def test_a_free_choice_needs_nothing_and_a_forced_one_needs_all() -> None:
    high = np.zeros(len(PIECES), dtype=np.float32)
    high[token(b"print")] = 5.0
    high[token(b"self")] = 3.0

    free = healing.choose(high, toy(), b"pr", 2).choice
    forced = healing.choose(high, toy(), b"se", 2).choice

    assert free is not None and free.needed == 0
    assert forced is not None and forced.needed == 2
    assert forced.probability == pytest.approx(np.exp(3) / (np.exp(3) + 1))


def test_nothing_to_choose_from_is_an_error() -> None:
    from inkling.engine.vocabulary import vocabulary

    with pytest.raises(LookupError):
        healing.choose(np.zeros(1, dtype=np.float32), vocabulary([b"a"], [0]), b"b", 1)


def given_tokens(forced: str) -> tuple[int, dict[int, int]]:
    start = healing.cut(forced)
    given: dict[int, int] = {}
    offset = 0
    for one in tokenize(forced.encode()[:start]):
        given[offset] = one
        offset += len(PIECES[one])
    return start, given


def kept(trail: list[Step], forced: str) -> int:
    start, given = given_tokens(forced)
    return healing.keep(trail, forced.encode(), start, given, PIECES)


def free(*words: bytes) -> list[Step]:
    return [Step(token(word), Choice(0.5, 0)) for word in words]


def test_typing_through_keeps_all_that_was_chosen() -> None:
    trail = free(b"self", b".foo", b"_bar", b"(x", b")")

    for size in range(len(b"self.foo_bar(x)") + 1):
        assert kept(trail, "self.foo_bar(x)"[:size]) == 5, size


def test_a_disagreeing_key_keeps_what_still_agrees() -> None:
    trail = free(b"self", b".foo", b"_bar", b"(x")

    assert kept(trail, "self.foo_baz") == 2
    assert kept(trail, "print") == 0


def test_a_choice_that_knew_more_than_is_typed_now_is_taken_back() -> None:
    trail = [Step(token(b"self"), Choice(0.5, 4)), *free(b".foo")]

    assert kept(trail, "sel") == 0
    assert kept(trail, "self") == 2


def test_given_tokens_stand_before_the_cut_only() -> None:
    trail = [Step(token(b"self")), Step(token(b".foo"))]

    assert kept(trail, "self.foo") == 1
    assert kept(trail, "self.foo_bar(") == 2


def test_an_odd_split_is_not_kept_once_the_word_is_complete() -> None:
    trail = [
        Step(token(b"pri"), Choice(0.5, 5)),
        Step(token(b"nt"), Choice(0.5, 5)),
    ]

    assert kept(trail, "print(") == 0


@given(st.sampled_from(["self.foo_bar(x)", "print(x) == é", "return  x.foo"]), st.data())
def test_what_is_kept_and_given_is_the_forced_text_up_to_the_cut(
    text: str, data: st.DataObject
) -> None:
    words = data.draw(st.lists(st.sampled_from(tokenize(text.encode())), max_size=4))
    needs = data.draw(st.lists(st.integers(0, 8), min_size=len(words), max_size=len(words)))
    trail = [
        Step(word, Choice(1.0, need) if need < 8 else None)
        for word, need in zip(words, needs, strict=True)
    ]
    forced = text[: data.draw(st.integers(0, len(text)))]
    start, given = given_tokens(forced)
    stands = [step.token for step in trail[: kept(trail, forced)]]
    end = len(joined(stands))
    path = stands + [one for at, one in given.items() if at >= end]

    assert healing.agrees(forced.encode(), joined(path))
    assert len(joined(path)) >= start


def test_alternatives_are_different_continuations_beyond_the_rest() -> None:
    high = np.zeros(len(PIECES), dtype=np.float32)
    for score, word in enumerate((b"x", b"re", b"print", b"pri", b"return")):
        high[token(word)] = 10.0 + score / 4

    steps = healing.alternatives(high, toy(), b"", token(b"return"), 2)

    assert [PIECES[step.token] for step in steps] == [b"pri", b"x"]


def test_what_is_improbable_is_no_alternative() -> None:
    high = np.zeros(len(PIECES), dtype=np.float32)
    high[token(b"return")], high[token(b"print")], high[token(b"x")] = 20.0, 18.0, 15.0

    steps = healing.alternatives(high, toy(), b"", token(b"return"), 3)

    assert [PIECES[step.token] for step in steps] == [b"print"]


def test_alternatives_agree_with_what_is_typed() -> None:
    steps = healing.alternatives(scores(3), toy(), b".f", token(b".foo"), 3)

    assert all(PIECES[step.token].startswith(b".f") for step in steps)
    assert not steps or PIECES[steps[0].token] != b".f"
