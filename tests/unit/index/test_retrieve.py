from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.index.query import wanted
from inkling.index.retrieve import Query, retrieve

from .workspace import in_memory, in_segments, put

SHOP = '''\
import os
from money import Price


class Shop:
    """Sells things."""

    def open_doors(self, hour):
        return self.doors.unlock(hour)


def connect_till(shop, drawer):
    return shop.tills[drawer].connect()
'''
MONEY = """\
from decimal import Decimal


class Price:
    def with_tax(self, rate):
        return Decimal(self.amount) * rate
"""
FILES = {
    "app/shop.py": SHOP,
    "app/money.py": MONEY,
    "app/main.py": "from shop import Shop, connect_till\n\n\ndef main():\n    shop = Shop()\n",
    "app/other.py": "def unrelated():\n    return 1\n",
    "far/away.js": "function Shop() { return connect_till; }\n",
}
DATA = b"from shop import connect_till\n\n\ndef run(shop):\n    connect_till(shop, 0)\n    \n"


@pytest.fixture(params=["segments", "memory"])
def view(request, tmp_path):
    return in_segments(tmp_path, FILES) if request.param == "segments" else in_memory(FILES)


def read(path):
    text = FILES.get(path)
    return None if text is None else text.encode()


def query(**changes):
    given = {"path": "app/run.py", "language": "python", "data": DATA, "offset": len(DATA) - 1}
    return Query(**{**given, **changes})


def test_the_definition_of_a_used_name_comes_with_its_reason(view):
    found = retrieve(view, read, query())
    defining = [s for s in found.snippets if s.reason == "defines connect_till"]
    assert [s.path for s in defining] == ["app/shop.py"]
    assert defining[0].text.startswith("def connect_till(shop, drawer):")
    assert found.complete


def test_a_long_definition_is_shown_by_whole_lines_of_its_signature(view):
    arguments = "".join(f"    größe_number_{n}: int,\n" for n in range(40))
    text = f"def connect_till(\n{arguments}):\n    return 1\n"
    put(view, "app/shop.py", text)
    found = retrieve(view, lambda path: text.encode() if "shop" in path else read(path), query())
    (defining,) = [s for s in found.snippets if s.reason == "defines connect_till"]
    assert text.startswith(defining.text)
    assert defining.text.endswith(": int,\n")
    assert len(defining.text) < 500


def test_what_a_related_file_imports_is_shown(view):
    heads = [s for s in retrieve(view, read, query()).snippets if s.reason.startswith("head")]
    assert any("from money import Price" in s.text for s in heads)


def test_nothing_of_the_document_itself_is_shown(view):
    found = retrieve(view, read, query(path="app/shop.py", data=SHOP.encode(), offset=200))
    assert found.snippets
    assert all(s.path != "app/shop.py" for s in found.snippets)


def test_the_document_itself_may_be_unknown_or_empty(view):
    assert retrieve(view, read, query(path="new.py", data=b"", offset=0)).complete
    assert retrieve(view, read, query(offset=10_000)).complete


@settings(max_examples=50)
@given(budget=st.integers(0, 900), offset=st.integers(0, len(DATA)))
def test_the_budget_is_kept_and_no_place_shown_twice(budget, offset):
    found = retrieve(in_memory(FILES), read, query(budget_bytes=budget, offset=offset))
    assert sum(s.end - s.start for s in found.snippets) <= budget
    places = sorted((s.path, s.start, s.end) for s in found.snippets)
    for (path, _, end), (other, start, _) in pairwise(places):
        assert path != other or end <= start
    assert [s.score for s in found.snippets] == sorted(
        (s.score for s in found.snippets), reverse=True
    )


def test_a_snippet_is_the_file_s_own_text(view):
    for snippet in retrieve(view, read, query()).snippets:
        assert read(snippet.path)[snippet.start : snippet.end].decode() == snippet.text


def test_a_file_that_changed_since_it_was_indexed_is_left_out(view):
    found = retrieve(view, lambda path: b"changed" if "shop" in path else read(path), query())
    assert all(s.path != "app/shop.py" for s in found.snippets)


def test_a_file_that_is_gone_is_left_out(view):
    assert retrieve(view, lambda path: None, query()).snippets == ()


def test_the_answer_is_the_same_each_time(view):
    assert retrieve(view, read, query()) == retrieve(view, read, query())


def test_when_time_is_up_there_is_an_answer_that_says_so(view):
    found = retrieve(view, read, query(), deadline_s=0.0)
    assert found.snippets == ()
    assert not found.complete


def test_what_was_edited_lately_comes_out_and_weighs_names(view):
    edit = "class Price:\n    def with_tax(self, rate):\n"
    found = retrieve(view, read, query(recent=(("app/money.py", edit),)))
    (lately,) = [s for s in found.snippets if s.reason == "edited lately"]
    assert (lately.path, lately.text) == ("app/money.py", edit)
    assert wanted(query(recent=(("app/money.py", edit),)))["with_tax"] > 0.3


def test_secrets_are_never_shown(view):
    key = "AKIAIOSFODNN7EXAMPLE"
    text = f'def connect_till(shop, drawer):\n    token = "{key}"\n    return token\n'
    put(view, "app/shop.py", text)
    files = {**FILES, "app/shop.py": text}
    recent = (("app/shop.py", text),)
    for asked in (query(), query(recent=recent)):
        found = retrieve(view, lambda path: files[path].encode(), asked)
        assert any("connect_till" in s.text for s in found.snippets)
        assert all(key not in s.text for s in found.snippets)


def test_near_names_weigh_more_than_far_ones():
    lines = [f"name_{n}" for n in range(100)]
    data = "\n".join(lines).encode()
    weights = wanted(query(data=data, offset=data.index(b"name_50")))
    order = [weights[f"name_{n}"] for n in (50, 49, 45, 40)]
    assert order == sorted(order, reverse=True)
    assert weights["name_5"] < weights["name_31"]


def test_imports_ask_for_the_files_they_name():
    assert {"/shop", "/test_run", "/run"} <= set(wanted(query()))
