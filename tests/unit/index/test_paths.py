import pytest

from inkling.index.paths import folder, is_test, nearness, stem


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lib/parser.py", "/parser"),
        ("parser.test.ts", "/parser"),
        ("lib/shop/__init__.py", "/shop"),
        ("src/index.ts", "/src"),
        ("index.ts", "/index"),
        ("Makefile", "/Makefile"),
        (".bashrc", "/bashrc"),
    ],
)
def test_a_file_is_called_what_it_is_imported_by(path, name):
    assert stem(path) == name


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("tests/unit/test_a.py", True),
        ("a_test.go", True),
        ("src/shop.spec.ts", True),
        ("src/ShopTest.java", True),
        ("src/__tests__/a.js", True),
        ("src/latest.py", False),
        ("src/contest/a.py", False),
        ("src/shop.py", False),
    ],
)
def test_tests_are_told_by_their_paths(path, test):
    assert is_test(path) == test


def test_files_of_one_folder_are_nearest():
    paths = ["a/b/y.py", "a/b/c/y.py", "a/y.py", "a/z/y.py", "b/y.py"]
    near = [nearness("a/b/x.py", path) for path in paths]
    assert near[0] == 1.0
    assert near[-1] == 0.0
    assert near == sorted(near, reverse=True)
    assert nearness("x.py", "y.py") == 1.0
    assert folder("x.py") == ""
