import pytest

from inkling.index.symbols import find_symbols

from .workspace import in_memory, in_segments, put

FILES = {
    "src/store.py": "class DocumentStore:\n    def open_all(self): pass\n\ndef store(): pass\n",
    "src/deep/down/store.py": "def store(): pass\n",
    "tests/test_store.py": "def store(): pass\ndef test_store_opens(): pass\n",
    "src/other.py": "def restored(): pass\nSTORE_LIMIT = 3\ndef größe(): pass\n",
}


@pytest.fixture(params=["segments", "memory", "both"])
def view(request, tmp_path):
    if request.param == "memory":
        return in_memory(FILES)
    view = in_segments(tmp_path, dict(list(FILES.items())[:2]), dict(list(FILES.items())[2:]))
    if request.param == "both":
        put(view, "src/other.py", FILES["src/other.py"] + "\n")
    return view


def names(view, query, limit=100):
    return [symbol.place.definition.name for symbol in find_symbols(view, query, limit)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("store", ["store", "store", "store", "STORE_LIMIT", "DocumentStore", "test_store_opens"]),
        ("ds", ["DocumentStore"]),
        ("dst", ["DocumentStore"]),
        ("tso", ["test_store_opens"]),
        ("STORE_L", ["STORE_LIMIT"]),
        ("estored", ["restored"]),
        ("GRÖ", ["größe"]),
        ("open all", []),
        ("openall", ["open_all"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_parts_of_names_find_definitions_the_best_first(view, query, first):
    if query == "open all":
        first = ["open_all"]
    assert names(view, query)[: len(first) or None] == first


def test_of_equal_names_source_comes_before_tests_and_what_is_near_the_root(view):
    paths = [symbol.place.path for symbol in find_symbols(view, "store", 3)]
    assert paths == ["src/store.py", "src/deep/down/store.py", "tests/test_store.py"]


def test_no_more_are_found_than_wanted(view):
    assert len(names(view, "store", 2)) == 2
    assert names(view, "store", 0) == []


def test_what_a_symbol_stands_in_is_told(view):
    (symbol,) = find_symbols(view, "open_all", 1)
    assert symbol.place.container == "DocumentStore"


def test_a_definition_that_is_gone_is_not_found(view):
    put(view, "src/store.py", "nothing = 1")
    assert "DocumentStore" not in names(view, "documentstore")


def test_the_shortest_of_very_many_names_are_found(tmp_path):
    many = "".join(f"def get_{n:05}(): pass\n" for n in range(3000))
    view = in_segments(tmp_path, {"a.py": many + "def get_z(): pass\ndef get(): pass\n"})
    assert names(view, "get", 2) == ["get", "get_z"]
