"""Which pieces of other files stand in a prompt, and in what order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.context.blocks import LEAST_BYTES, Backdrop, Block, choose, differs
from inkling.index.snippet import Snippet

ROOM = 100_000


def snippet(path: str, text: str, score: float = 1.0, reason: str = "similar code") -> Snippet:
    return Snippet(path, 0, len(text.encode()), text, reason, score)


def body(name: str, lines: int = 4) -> str:
    return "".join(f"{name}_{number} = read_{name}({number})\n" for number in range(lines))


def paths(blocks: tuple[Block, ...]) -> list[str]:
    return [block.path for block in blocks]


def test_the_best_block_stands_next_to_the_document():
    found = [
        snippet("b.py", body("b"), 3),
        snippet("a.py", body("a"), 9),
        snippet("c.py", body("c")),
    ]
    assert paths(choose(found, b"", ROOM)) == ["c.py", "b.py", "a.py"]


def test_former_blocks_come_first_in_their_order_and_new_ones_behind():
    former = choose([snippet("b.py", body("b"), 2), snippet("a.py", body("a"), 1)], b"", ROOM)
    assert paths(former) == ["a.py", "b.py"]
    found = [
        snippet("b.py", body("b"), 1),
        snippet("a.py", body("a"), 2),
        snippet("n.py", body("n"), 9),
    ]
    assert paths(choose(found, b"", ROOM, former)) == ["a.py", "b.py", "n.py"]


def test_a_former_block_that_is_not_wanted_any_more_goes():
    former = choose([snippet("b.py", body("b"), 2), snippet("a.py", body("a"), 1)], b"", ROOM)
    assert paths(choose([snippet("b.py", body("b"))], b"", ROOM, former)) == ["b.py"]


def test_a_former_block_whose_file_was_edited_is_shown_as_it_is_now():
    former = choose([snippet("a.py", body("a"))], b"", ROOM)
    (block,) = choose([snippet("a.py", body("changed"))], b"", ROOM, former)
    assert "changed_0" in block.text


def test_a_former_block_that_was_cut_stays_as_it_is():
    found = [snippet("a.py", body("a", 30))]
    former = choose(found, b"", 300)
    assert former[0].size <= 300
    assert choose(found, b"", 300, former) == former
    assert choose(found, b"", ROOM, former) == former


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        (body("a"), False),
        (body("other", 40) + body("a", 3) + body("other", 40), False),
        (body("other", 40) + body("a", 2), True),
        ("    }\n    return\n", True),
    ],
)
def test_what_the_window_shows_is_not_shown_twice(window, shown):
    assert bool(choose([snippet("a.py", body("a"))], window.encode(), ROOM)) is shown


def test_a_copy_in_another_file_and_a_part_of_the_same_one_are_left_out():
    found = [
        snippet("a.py", body("a", 8), 3),
        snippet("copy.py", body("a", 8), 2),
        snippet("a.py", body("a", 1), 1),
    ]
    assert paths(choose(found, b"", ROOM)) == ["a.py"]


def test_what_does_not_fit_is_cut_at_a_line_or_left_out():
    big, small = snippet("big.py", body("big", 50), 2), snippet("small.py", body("small", 3), 1)
    (cut,) = choose([big], b"", 400)
    assert cut.size <= 400 and cut.text.endswith("\n") and body("big", 50).startswith(cut.text)
    assert choose([big], b"", LEAST_BYTES) == ()
    assert paths(choose([big, small], b"", 1_000_000)) == ["small.py", "big.py"]


def test_what_is_left_of_a_block_must_say_something_new_itself():
    text = "shown = " + "1" * 90 + "\nnew = 2\n"
    assert choose([snippet("a.py", text)], text[:99].encode(), 114) == ()
    assert choose([snippet("a.py", text)], text[:99].encode(), ROOM) != ()


@pytest.mark.parametrize("path", [".env", "deploy/server.pem", "home/.ssh/id_ed25519"])
def test_a_secret_file_is_never_shown_whatever_the_source_says(path):
    assert choose([snippet(path, body("a"))], b"", ROOM) == ()


def test_a_secret_is_taken_out_whatever_the_source_has_left_in():
    text = body("a") + 'password = "hunter2-hunter2"\n'
    (block,) = choose([snippet("a.py", text)], b"", ROOM)
    assert "hunter2" not in block.text
    assert choose([snippet("a.py", text)], b"", ROOM, (block,)) == (block,)


def test_neither_a_path_nor_a_reason_can_start_a_line():
    (block,) = choose([snippet("a\nb.py", body("a"), reason="x\r\ny")], b"", ROOM)
    assert "\n" not in block.path + block.reason and "\r" not in block.path + block.reason


def test_lines_end_as_the_model_writes_them():
    (block,) = choose([snippet("a.py", body("a").replace("\n", "\r\n"))], b"", ROOM)
    assert block.text == body("a")


@pytest.mark.parametrize("text", ["", "\n\n", "  \n", "}\n)\n"])
def test_what_says_nothing_is_not_shown(text):
    assert choose([snippet("a.py", text)], b"x = 1\n", ROOM) == ()


@pytest.mark.parametrize(
    ("new", "former", "much"),
    [
        ("ab", "ab", False),
        ("ab", "ba", False),
        ("abc", "ab", False),
        ("bc", "a", True),
        ("a", "", True),
        ("", "a", False),
        ("", "", False),
    ],
)
def test_other_blocks_are_worth_a_new_prompt_if_most_of_them_is_new(new, former, much):
    def blocks(names: str) -> tuple[Block, ...]:
        return tuple(Block(f"{name}.py", body(name), "") for name in names)

    assert differs(blocks(new), blocks(former)) is much


def test_a_backdrop_without_blocks_takes_no_room():
    assert Backdrop("repository", "a.py").size == 0
    block = Block("b.py", body("b"), "")
    assert Backdrop("repository", "a.py", blocks=(block,)).size > block.size


NAMES = st.sampled_from(["a.py", "b.py", "dir/c.py", "é.py", ".env"])
TEXTS = st.lists(
    st.sampled_from(["alpha = 1", "beta = 2", "gamma = 3", "}", "", "ünïcode = 4", "x" * 90]),
    max_size=12,
).map("\n".join)
SNIPPETS = st.lists(st.builds(snippet, NAMES, TEXTS, st.integers(0, 3).map(float)), max_size=6)


@given(SNIPPETS, SNIPPETS, TEXTS, st.integers(0, 600), st.integers(0, 600))
def test_blocks_fit_repeat_nothing_and_come_to_rest(found, earlier, window, budget, before):
    former = choose(earlier, window.encode(), before)
    blocks = choose(found, window.encode(), budget, former)
    assert sum(block.size for block in blocks) <= budget
    assert all(block.path != ".env" and block.text.endswith("\n") for block in blocks)
    assert len({(block.path, block.text) for block in blocks}) == len(blocks)
    kept = [block for block in former if block in blocks]
    assert list(blocks[: len(kept)]) == kept
    assert choose(found, window.encode(), budget, blocks)[: len(blocks)] == blocks
