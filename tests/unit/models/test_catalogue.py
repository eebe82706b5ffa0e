"""The catalogue: every row is held against what it must be; every way to spoil one is told."""

import re
from collections import Counter
from pathlib import Path

import pytest

from inkling.models.catalogue import (
    ROLES,
    HubSource,
    Model,
    PypiSource,
    catalogue,
    default,
    find,
    parse,
)
from inkling.models.errors import CatalogueError, UnknownModel

FOLDER = Path(__file__).parents[3] / "models" / "catalogue"
GOOD = """
name = "tiny"
title = "Tiny"
family = "tiny"
roles = ["fast"]
licence = "MIT"
context_tokens = 1024
file = "tiny.gguf"

[[sources]]
kind = "hub"
repository = "someone/tiny"
file = "tiny.gguf"
"""


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
class TestEveryRow:
    def test_lies_in_the_file_of_its_name(self, model: Model) -> None:
        assert parse("x", (FOLDER / f"{model.name}.toml").read_bytes()) == model

    def test_can_be_typed(self, model: Model) -> None:
        assert re.fullmatch(r"[a-z0-9.-]+", model.name)
        assert model.file.endswith(".gguf")

    def test_says_what_it_is(self, model: Model) -> None:
        assert model.roles and set(model.default_for) <= set(model.roles)
        assert model.title and model.family and model.licence and model.context_tokens >= 1024

    def test_the_hub_comes_first(self, model: Model) -> None:
        first, *rest = model.sources
        assert isinstance(first, HubSource) and re.fullmatch(r"[\w.-]+/[\w.-]+", first.repository)
        assert not any(isinstance(source, HubSource) for source in rest)

    def test_parts_are_pinned_and_in_order(self, model: Model) -> None:
        for source in model.sources:
            if isinstance(source, PypiSource):
                assert model.sha256 and model.size, "joined parts need a hash to be held against"
                assert source.version and len(set(source.packages)) == len(source.packages)
                numbers = [re.search(r"part(\d+)$", name) for name in source.packages]
                if len(numbers) > 1:
                    counted = [int(found[1]) for found in numbers if found]
                    assert counted == list(range(1, len(source.packages) + 1))


def test_every_file_is_a_row() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == {model.name for model in catalogue()}


def test_no_two_rows_share_a_file_name() -> None:
    assert max(Counter(model.file.lower() for model in catalogue()).values()) == 1


def test_defaults() -> None:
    assert default("fast").name == "qwen2.5-coder-0.5b"
    assert default("full").name == "qwen2.5-coder-1.5b"
    for role in ROLES:
        assert sum(role in model.default_for for model in catalogue()) <= 1


def test_find_forgives_case_and_space() -> None:
    assert find(" Qwen2.5-Coder-0.5B ") is find("qwen2.5-coder-0.5b")


@pytest.mark.parametrize(
    ("wanted", "close"),
    [
        ("qwen2.5-coder-0.5", "qwen2.5-coder-0.5b"),
        ("codestrl-22b", "codestral-22b"),
        ("granite", "granite-code-3b"),
    ],
)
def test_an_unknown_name_gets_close_ones(wanted: str, close: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        find(wanted)
    assert close in caught.value.close and close in str(caught.value)


def test_a_name_like_no_other_is_told_where_to_look() -> None:
    with pytest.raises(UnknownModel, match="`inkling models` lists them all"):
        find("zzzz")


def test_the_smallest_row_is_read() -> None:
    assert parse("tiny.toml", GOOD.encode()).sources == (HubSource("someone/tiny", "tiny.gguf"),)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('name = "tiny"', "", "name is missing"),
        ('name = "tiny"', "name = 3", "name must be a str"),
        ('name = "tiny"', 'name = "tiny"\ncolour = "red"', "unknown key 'colour'"),
        ('["fast"]', '["quick"]', "'quick'"),
        ("1024", "true", "context_tokens must be a int"),
        ('"tiny.gguf"\n\n', '"../tiny.gguf"\n\n', "bare file name"),
        ('"tiny.gguf"\n\n', '"tiny.gguf"\nsha256 = "12"\n\n', "64 hexadecimal"),
        ('"hub"', '"ftp"', "'ftp' is neither hub nor pypi"),
        ('repository = "someone/tiny"', "", "repository is missing"),
        ("[[sources]]", "[sources]", "sources must be a list"),
        ("[[sources]]", "[[sources]", "is not TOML"),
    ],
)
def test_a_spoilt_row_is_told(before: str, after: str, told: str) -> None:
    assert before in GOOD
    with pytest.raises(CatalogueError) as caught:
        parse("tiny.toml", GOOD.replace(before, after, 1).encode())
    assert told in str(caught.value) and "models/catalogue/tiny.toml" in str(caught.value)
