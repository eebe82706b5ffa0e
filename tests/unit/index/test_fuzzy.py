import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.index.fuzzy import score
from inkling.index.letters import initials, mask, pairs, starts_of_any, wanted_mask, word_starts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("parseHTTPHeader", "pHH"),
        ("read_file2", "rf2"),
        ("HTTPServer", "HS"),
        ("__init__", "i"),
        ("größeÄndern", "gÄ"),
        ("MAX_SIZE", "MS"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_words_begin_where_people_see_them_begin(name, words):
    assert "".join(name[at] for at in word_starts(name)) == words


@given(name=st.text(alphabet="abAB12_$", max_size=10))
def test_names_of_plain_letters_are_read_by_the_same_rules(name):
    assert word_starts(name) == starts_of_any(name)


def test_initials_are_of_names_with_several_words():
    assert initials("DocumentStore") == "ds"
    assert initials("document") == ""


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("store", "store Store storeAll DocumentStore restored stop_or_reset"),
        ("ds", "DS dsn DocumentStore DocumentStoreFile odds"),
        ("docst", "docstring DocumentStore"),
        ("rf", "rf rfc read_file read_first_line surf reform"),
        ("Store", "Store storeAll"),
    ],
)
def test_what_fits_better_comes_first(query, order):
    names = order.split()
    grades = {name: score(query, name) for name in names}
    assert None not in grades.values()
    assert sorted(names, key=lambda name: -grades[name]) == names


@pytest.mark.parametrize(("query", "name"), [("xyz", "xy"), ("abc", "acb"), ("a", "")])
def test_letters_that_are_not_there_do_not_fit(query, name):
    assert score(query, name) is None


NAMES = st.text(alphabet="abCDé_1ß", max_size=8)


@given(query=NAMES, name=NAMES)
def test_a_score_is_a_share_or_nothing(query, name):
    found = score(query, name)
    assert found is None or 0.0 <= found <= 1.0


@given(name=NAMES, keep=st.lists(st.booleans(), min_size=8, max_size=8))
def test_letters_in_their_order_always_fit(name, keep):
    query = "".join(letter for letter, kept in zip(name, keep, strict=False) if kept)
    assert score(query, name) is not None


@given(query=st.text(alphabet="abcdé1", min_size=1, max_size=8), name=NAMES)
def test_the_mask_lets_all_through_that_begins_a_word_and_fits(query, name):
    wanted = wanted_mask(query)
    first = {name[at].lower() for at in word_starts(name)}
    if score(query, name) is not None and query[0].lower() in first and name.lower() != name + "x":
        low = name.lower()
        if len(low) == len(name):
            assert mask(name) & wanted == wanted


@given(before=st.binary(max_size=5), part=st.binary(max_size=5), after=st.binary(max_size=5))
def test_what_holds_a_part_has_the_part_s_pairs(before, part, after):
    assert pairs(before + part + after) & pairs(part) == pairs(part)
