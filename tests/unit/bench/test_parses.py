"""The independent parse that judges what was shown."""

import pytest

from inkling.cli.bench.parses import GRAMMARS, adds_error, errors


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("x = \n", "x = 1\n", False),
        ("x = 1\n", "x = (1\n", True),
        ("def f(:\n", "def f(:\n    pass\n", False),
    ],
)
def test_python(before: str, after: str, worse: bool) -> None:
    assert adds_error("python", before, after) is worse


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_every_grammar_is_there(language: str) -> None:
    assert errors(language, "") == 0


def test_an_unknown_language_is_not_judged() -> None:
    assert adds_error("prose", "a", "b") is None
