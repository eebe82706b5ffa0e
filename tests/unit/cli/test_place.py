"""FILE:LINE:COL and opening the file: every way of getting it wrong is one sentence."""

from pathlib import Path, PurePath

import click
import pytest

from inkling.cli.place import Place, PlaceType, offset_of, open_document


@pytest.mark.parametrize(
    ("argument", "path", "line", "column"),
    [
        ("a.py:1:1", "a.py", 1, 1),
        ("src/a.py:120:7", "src/a.py", 120, 7),
        (r"C:\src\a.py:3:4", r"C:\src\a.py", 3, 4),
        ("C:/src/a.py:3:4", "C:/src/a.py", 3, 4),
        ("odd:name:3.py:3:4", "odd:name:3.py", 3, 4),
        ("./ä ö.py:1:2", "./ä ö.py", 1, 2),
    ],
)
def test_the_last_two_colons_count(argument: str, path: str, line: int, column: int) -> None:
    place = PlaceType().convert(argument, None, None)
    assert place == Place(Path(path), line, column)
    assert PlaceType().convert(place, None, None) is place


@pytest.mark.parametrize(
    "argument", ["", "a.py", "a.py:1", "a.py:1:", ":1:1", "a.py:0:1", "a.py:1:0", "a.py:-1:1"]
)
def test_what_is_not_a_place_is_wrong_usage(argument: str) -> None:
    with pytest.raises(click.UsageError):
        PlaceType().convert(argument, None, None)


def test_a_document_is_what_an_editor_would_open(tmp_path: Path) -> None:
    path = tmp_path / "a b.py"
    path.write_bytes(b"\xef\xbb\xbfx = '\xc3\xa4'\r\n")
    document = open_document(path)
    assert document.data == "x = 'ä'\r\n".encode()
    assert (document.language_id, document.version) == ("python", 1)
    assert PurePath(document.uri).name == "a%20b.py"


def test_an_unknown_language_is_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.unknown"
    path.touch()
    assert open_document(path).language_id == "plaintext"


@pytest.mark.parametrize(
    ("content", "said"), [(b"\x7fELF\0\0", "binary"), (b"x = '\xe4'", "not UTF-8 (byte 5)")]
)
def test_what_is_not_text_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    with pytest.raises(click.ClickException) as caught:
        open_document(path)
    assert said in caught.value.message


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.py"):
        with pytest.raises(click.ClickException) as caught:
            open_document(path)
        assert str(path) in caught.value.message


def test_columns_count_characters(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x\nä😀b\n", encoding="utf-8")
    document = open_document(path)
    offsets = [offset_of(document, Place(path, 2, column)) for column in (1, 2, 3, 4)]
    assert offsets == [2, 4, 8, 9]
    assert offset_of(document, Place(path, 3, 1)) == len(document.data)


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (3, 1, "has 2 lines: there is no line 3"),
        (1, 6, "has 1 character: the last column is 2"),
        (2, 2, "has 0 characters"),
    ],
)
def test_places_outside_the_file_are_said(
    line: int, column: int, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.py"
    path.write_text("x\n", encoding="utf-8")
    with pytest.raises(click.ClickException) as caught:
        offset_of(open_document(path), Place(path, line, column))
    assert said in caught.value.message
