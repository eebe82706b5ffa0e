"""The peer's plug-in: its window, its cache keys and what it shows."""

import pytest

from inkling.cli.bench.llama_vim import LINES_AFTER, LINES_BEFORE, Window, hint, request, window

TEXT = "one\ntwo\n    three = four(five)\nsix\nseven\n"


def test_the_window_splits_at_the_cursor() -> None:
    at = TEXT.index("four")
    assert window(TEXT, at) == Window(
        prefix="one\ntwo\n",
        middle="    three = ",
        suffix="four(five)\nsix\nseven\n\n",
        line_suffix="four(five)",
        indent=4,
    )


def test_the_window_is_limited_in_lines() -> None:
    text = "a\n" * 1000
    found = window(text, 1000)
    assert found.prefix.count("\n") == LINES_BEFORE
    assert found.suffix.count("\n") == LINES_AFTER + 1


def test_a_blank_line_is_asked_from_its_start() -> None:
    found = window("a\n    \nb\n", 6)
    assert (found.prefix, found.middle, found.suffix) == ("a\n", "", "\nb\n\n")


def test_the_window_ahead_reads_as_if_the_hint_was_taken() -> None:
    found = window("x = \nz\n", 4, "one\ny = 2")
    assert (found.prefix, found.middle, found.suffix) == ("x = one\n", "y = 2", "\nz\n\n")


def test_cache_keys_cover_three_scrolled_lines() -> None:
    place = window("a\nb\nc\nd\nx = ", 12)
    assert [before for before, _ in place.places()] == [
        "a\nb\nc\nd\nx = ",
        "b\nc\nd\nx = ",
        "c\nd\nx = ",
        "d\nx = ",
    ]


@pytest.mark.parametrize(
    ("text", "cursor", "content", "shown"),
    [
        ("x = \n", 4, "one\n\n", "one"),
        ("x = \n", 4, "", ""),
        ("x = \n", 4, "  \n", ""),
        ("f()\n", 2, ")", ""),
        ("    \n", 4, "    one\n    two", "one\n    two"),
        ("x = \nx = one\n", 4, "one", ""),
        ("a\nb\nc\n", 1, "\nb\nc", ""),
    ],
)
def test_hints(text: str, cursor: int, content: str, shown: str) -> None:
    assert hint(text, cursor, content) == shown


def test_the_request_has_the_plug_ins_limits() -> None:
    body = request(window(TEXT, 4), 250)
    assert (body["n_predict"], body["t_max_predict_ms"], body["top_p"]) == (128, 250, 0.9)
    assert body["samplers"] == ["top_k", "top_p", "infill"]
    assert (body["id_slot"], body["cache_prompt"], body["input_extra"]) == (0, True, [])
