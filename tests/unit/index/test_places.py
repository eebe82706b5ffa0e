import pytest

from inkling.index.places import definitions_of, occurrences, references

from .workspace import in_memory, in_segments

FILES = {
    "a/one.py": "def shop(): pass\nshopping = shop()\n",
    "a/two.py": "from one import shop\n",
    "b/three.py": "# größe shop\ndef shop(): pass\n",
    "b/four.py": "nothing()\n",
}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("ab", "ab abc _ab ab2 x.ab(ab)", [0, 17, 20]),
        ("ab", "éab abé ab—ab", [10, 15]),
        ("größe", "größe größer größe", [0, 17]),
        ("ab", "", []),
        ("", "ab", []),
        ("a.b", "a.b axb", [0]),
    ],
)
def test_a_name_occurs_as_a_whole_word(name, text, found):
    data = text.encode()
    places = list(occurrences(name, data))
    assert [start for start, _ in places] == found
    assert all(data[start:end] == name.encode() for start, end in places)


@pytest.fixture(params=["segments", "memory"])
def view(request, tmp_path):
    return in_segments(tmp_path, FILES) if request.param == "segments" else in_memory(FILES)


def read(path):
    text = FILES.get(path)
    return None if text is None else text.encode()


def test_definitions_near_the_asking_file_come_first(view):
    assert [p.path for p in definitions_of(view, "shop", "b/four.py")] == ["b/three.py", "a/one.py"]
    assert [p.path for p in definitions_of(view, "shop", "a/one.py")] == ["a/one.py", "b/three.py"]
    assert definitions_of(view, "none") == []


def test_references_are_every_occurrence_of_the_name_the_own_file_first(view):
    found = [(o.path, o.start) for o in references(view, read, "shop", "a/two.py")]
    assert found == [
        ("a/two.py", 16),
        ("a/one.py", 4),
        ("a/one.py", 28),
        ("b/three.py", 10),
        ("b/three.py", 19),
    ]


@pytest.mark.parametrize("name", ["$scope", "empty?", "#count", "नमस्ते"])
def test_names_that_hold_more_than_letters_are_found_in_other_files(name, tmp_path):
    files = {"a.js": f"x.{name} = 1\n", "b.js": f"({name})\n", "c.js": "scope empty count\n"}
    view = in_segments(tmp_path, files)
    found = references(view, lambda path: files[path].encode(), name, "a.js")
    assert [(o.path, o.start) for o in found] == [("a.js", 2), ("b.js", 1)]


def test_references_end_at_the_limit_or_when_it_is_late(view):
    assert len(list(references(view, read, "shop", limit=2))) == 2
    assert list(references(view, read, "shop", late=lambda: True)) == []


def test_a_file_that_is_gone_has_no_references(view):
    found = references(view, lambda path: None if path.startswith("a/") else read(path), "shop")
    assert {o.path for o in found} == {"b/three.py"}
