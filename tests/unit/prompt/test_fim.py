"""The order of a prompt's parts, with blocks of other files and without."""

import pytest

from inkling.context.blocks import Backdrop, Block
from inkling.engine.api import FimTokens, ModelInfo
from inkling.prompt.fim import completion_head

PLAIN = FimTokens(prefix=1, suffix=2, middle=3)
REPOSITORY = FimTokens(prefix=1, suffix=2, middle=3, repository=4, file_separator=5)
BACKDROP = Backdrop(
    repository="shop",
    path="src/app.py",
    comment="//",
    blocks=(
        Block("src/db.py", "def connect():\n    pass\n", "defines connect()"),
        Block("src/money.py", "\nRATE = 2\n", "similar code"),
    ),
)
COMMENTS = "// src/db.py\n// def connect():\n//     pass\n\n// src/money.py\n//\n// RATE = 2\n\n"


def model(name: str, fim: FimTokens | None) -> ModelInfo:
    return ModelInfo(name=name, architecture="x", context_tokens=1, vocabulary_size=1, fim=fim)


@pytest.mark.parametrize(
    ("name", "fim", "expected"),
    [
        (
            "Qwen2.5-Coder-0.5B",
            REPOSITORY,
            (
                *(4, "shop\n"),
                *(5, "src/db.py\ndef connect():\n    pass\n"),
                *(5, "src/money.py\n\nRATE = 2\n"),
                *(5, "src/app.py\n"),
                *(1, "before", 2, "after", 3),
            ),
        ),
        (
            "StarCoder2-3B",
            REPOSITORY,
            (
                *(4, "shop\n"),
                *(5, "src/db.py\ndef connect():\n    pass\n"),
                *(5, "src/money.py\n\nRATE = 2\n"),
                *(5, 1, "src/app.py\nbefore", 2, "after", 3),
            ),
        ),
        ("DeepSeek-Coder-1.3B", PLAIN, (1, COMMENTS + "before", 2, "after", 3)),
        ("Seed-Coder-8B", PLAIN, (2, "after", 1, COMMENTS + "before", 3)),
        ("SmolLM2-135M", None, (COMMENTS + "before",)),
    ],
)
def test_blocks_come_first_in_the_form_the_family_knows(name, fim, expected):
    assert completion_head(model(name, fim), "before", "after", BACKDROP) == expected


@pytest.mark.parametrize("fim", [REPOSITORY, PLAIN])
def test_without_blocks_the_prompt_is_that_of_one_file(fim):
    alone = completion_head(model("Qwen2.5-Coder-0.5B", fim), "before", "after")
    empty = Backdrop("shop", "src/app.py")
    assert alone == (1, "before", 2, "after", 3)
    assert completion_head(model("Qwen2.5-Coder-0.5B", fim), "before", "after", empty) == alone


def test_one_token_of_the_two_is_not_enough():
    half = FimTokens(prefix=1, suffix=2, middle=3, file_separator=5)
    head = completion_head(model("CodeGemma-2B", half), "before", "after", BACKDROP)
    assert head == (1, COMMENTS + "before", 2, "after", 3)


def test_the_text_after_the_cursor_is_the_last_text():
    """What the engine moves along when the cursor goes to another line."""
    for fim in (REPOSITORY, PLAIN):
        head = completion_head(model("Qwen2.5-Coder-0.5B", fim), "before", "after", BACKDROP)
        assert [piece for piece in head if isinstance(piece, str)][-1] == "after"


def test_markers_in_a_block_stay_text():
    block = Block("a.py", 'MIDDLE = "<|fim_middle|>"\n', "")
    head = completion_head(
        model("Qwen2.5-Coder-0.5B", REPOSITORY), "", "", Backdrop("r", "b.py", blocks=(block,))
    )
    assert [piece for piece in head if isinstance(piece, int)] == [4, 5, 5, 1, 2, 3]


def test_a_comment_that_does_not_end_with_its_line_is_ended():
    block = Block("a.html", "<p>\n", "")
    head = completion_head(model("m", None), "", "", Backdrop("r", "b.html", "<!--", (block,)))
    assert head == ("<!-- a.html -->\n<!-- <p> -->\n\n",)
