"""File URIs as editors write them, and the paths they mean."""

import os
from pathlib import Path

import pytest

from inkling.text.uris import path_of, uri_of

POSIX = [
    ("file:///home/me/a.py", "/home/me/a.py"),
    ("file:///home/me/with%20blank/%C3%A4.py", "/home/me/with blank/ä.py"),
    ("file:///home/me/a%23b%3Fc.py", "/home/me/a#b?c.py"),
    ("file://localhost/home/me/a.py", "/home/me/a.py"),
    ("FILE:///a.py", "/a.py"),
]
NONE = [
    "untitled:Untitled-1",
    "vscode-remote://ssh/home/a.py",
    "",
    "file:",
    "/home/me/a.py",
    "a.py",
]


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX systems")
@pytest.mark.parametrize(("uri", "path"), POSIX)
def test_the_path_of_a_file(uri, path):
    assert path_of(uri) == path


@pytest.mark.parametrize("uri", [*NONE, "file://[broken"])
def test_what_is_no_file_has_no_path(uri):
    assert path_of(uri) is None


def test_there_and_back(tmp_path: Path):
    place = tmp_path / "a b#c" / "ü?.py"
    assert path_of(uri_of(str(place))) == str(place)
