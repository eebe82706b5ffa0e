"""Where a prompt is anchored and how large it is: quick where nothing is known, else wide."""

import msgspec

from inkling.context.blocks import Backdrop, Block
from inkling.engine.api import Calibration, ModelInfo
from inkling.prompt.anchor import Anchor
from inkling.service.anchors import Anchors
from inkling.service.budget import blocks_bytes, quick_budget, wide_budget
from inkling.text.document import Document, Edit

LINES = [f"    value_{number} = read({number}) + first_{number}" for number in range(2_000)]
TEXT = "\n".join(LINES) + "\n"
SPEED = Calibration(prompt_tokens_per_second=300, decode_tokens_per_second=50, threads=2)
MODEL = ModelInfo("m", "qwen2", 4096, 1000, None, SPEED, prompts_kept=2)
QUICK, WIDE = quick_budget(MODEL), wide_budget(MODEL)


def document(text: str = TEXT, uri: str = "file:///a.py") -> Document:
    return Document(uri, "python", 1, text.encode())


def line(number: int) -> int:
    return sum(len(line) + 1 for line in LINES[:number]) + 4


def size(anchor: Anchor) -> int:
    return len(anchor.prefix) + len(anchor.suffix)


def widely(number: int) -> tuple[Anchors, Anchor]:
    """Anchors with a wide one at a line, asked for by hand and answered."""
    anchors = Anchors()
    wide, _ = anchors.at(document(), line(number), MODEL, patient=True)
    assert anchors.ahead(document(), line(number), MODEL) is None
    return anchors, wide


def test_a_new_place_gets_a_quick_window_and_a_wide_one_once_that_is_evaluated() -> None:
    anchors = Anchors()
    quick, moved = anchors.at(document(), line(1000), MODEL, patient=False)
    assert moved and size(quick) <= QUICK.prefix_bytes + QUICK.suffix_bytes
    ahead = anchors.ahead(document(), line(1000), MODEL)
    assert ahead is not None and size(ahead) > 3 * size(quick)
    assert anchors.at(document(), line(1000), MODEL, patient=False) == (quick, False)
    anchors.arrived(ahead)
    assert anchors.at(document(), line(1000), MODEL, patient=False) == (ahead, False)
    assert anchors.ahead(document(), line(1000), MODEL) is None


def test_who_waits_gets_a_wide_window_at_once() -> None:
    anchors = Anchors()
    wide, _ = anchors.at(document(), line(1000), MODEL, patient=True)
    assert size(wide) > 0.7 * (WIDE.prefix_bytes + WIDE.suffix_bytes)
    assert anchors.ahead(document(), line(1000), MODEL) is None


def test_a_near_line_keeps_the_wide_window_a_far_one_does_not() -> None:
    anchors, wide = widely(1000)
    for near in (1002, 998):
        anchor, moved = anchors.at(document(), line(near), MODEL, patient=False)
        assert moved and anchor.window.start == wide.window.start
        assert size(anchor) > 0.7 * size(wide)
    far, _ = anchors.at(document(), line(100), MODEL, patient=False)
    assert size(far) <= QUICK.prefix_bytes + QUICK.suffix_bytes
    back, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    assert back.window.start == wide.window.start, "the engine has kept it"


def test_what_was_moved_to_another_line_is_evaluated_for_it_once() -> None:
    anchors, _ = widely(1000)
    near, _ = anchors.at(document(), line(1002), MODEL, patient=False)
    ahead = anchors.ahead(document(), line(1002), MODEL)
    assert ahead == near
    anchors.arrived(ahead)
    assert anchors.ahead(document(), line(1002), MODEL) is None


def test_typed_lines_are_taken_into_the_prompt_when_there_is_time() -> None:
    anchors, before = widely(1000)
    typed = "new = 1\n    "
    at = line(1000)
    edit = Edit(at, at, at + len(typed), typed.encode())
    after = document(TEXT[:at] + typed + TEXT[at:])
    anchors.edited(after.uri, (edit,))
    ahead = anchors.ahead(after, edit.new_end, MODEL)
    assert ahead is not None and ahead.prefix == before.prefix + b"    new = 1\n"
    anchors.arrived(ahead)
    assert anchors.at(after, edit.new_end, MODEL, patient=False) == (ahead, False)


def test_an_edit_before_the_window_moves_what_is_evaluated_ahead() -> None:
    anchors = Anchors()
    anchors.at(document(), line(1000), MODEL, patient=False)
    ahead = anchors.ahead(document(), line(1000), MODEL)
    assert ahead is not None
    edit = Edit(0, 0, 10, b"import os\n")
    after = document("import os\n" + TEXT)
    anchors.edited(after.uri, (edit,))
    anchors.arrived(ahead)
    anchor, moved = anchors.at(after, line(1000) + 10, MODEL, patient=False)
    assert not moved and anchor.prefix == ahead.prefix


def test_a_small_file_is_wide_at_once() -> None:
    anchors = Anchors()
    small = document("a = 1\nb = 2\n")
    anchor, _ = anchors.at(small, 6, MODEL, patient=False)
    assert (anchor.prefix, anchor.suffix) == (b"a = 1\n", b"b = 2\n")
    assert anchors.ahead(small, 6, MODEL) is None


def test_a_file_of_long_tokens_shows_less_and_a_closed_one_nothing() -> None:
    anchors = Anchors()
    first, _ = anchors.at(document(), line(1000), MODEL, patient=True)
    anchors.too_long(first.uri)
    second, _ = anchors.at(document(), line(1000), MODEL, patient=True)
    assert size(second) < 0.7 * size(first)
    ahead, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    anchors.forget(first.uri)
    anchors.arrived(ahead)
    assert anchors.present is None
    third, _ = anchors.at(document(), line(1000), MODEL, patient=True)
    assert size(third) > 0.7 * size(first)


def test_what_arrives_when_the_cursor_is_elsewhere_is_not_used() -> None:
    anchors = Anchors()
    anchors.at(document(), line(1000), MODEL, patient=False)
    ahead = anchors.ahead(document(), line(1000), MODEL)
    assert ahead is not None
    there, _ = anchors.at(document(), line(100), MODEL, patient=False)
    other = anchors.ahead(document(), line(100), MODEL)
    anchors.arrived(ahead)
    assert anchors.present == there
    assert other is not None
    anchors.arrived(other)
    assert anchors.present == other


def test_an_engine_that_has_forgotten_all_gets_a_quick_window_again() -> None:
    anchors, _ = widely(1000)
    anchors.lose()
    quick, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    assert size(quick) <= QUICK.prefix_bytes + QUICK.suffix_bytes


def test_an_engine_that_keeps_one_prompt_gets_no_second_one() -> None:
    anchors = Anchors()
    alone = msgspec.structs.replace(MODEL, prompts_kept=1)
    wide, _ = anchors.at(document(), line(1000), alone, patient=False)
    assert size(wide) > 0.7 * (WIDE.prefix_bytes + WIDE.suffix_bytes)
    assert anchors.ahead(document(), line(1000), alone) is None


def test_what_was_asked_for_by_hand_is_not_counted_on_before_it_is_evaluated() -> None:
    anchors = Anchors()
    anchors.at(document(), line(1000), MODEL, patient=True)
    anchors.at(document(), line(100), MODEL, patient=False)
    back, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    assert size(back) <= QUICK.prefix_bytes + QUICK.suffix_bytes


def test_who_asks_by_hand_after_a_key_gets_a_wide_window() -> None:
    anchors = Anchors()
    quick, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    wide, moved = anchors.at(document(), line(1000), MODEL, patient=True)
    assert moved and size(wide) > 3 * size(quick)


def test_asked_twice_what_is_ahead_is_one_thing() -> None:
    anchors = Anchors()
    anchors.at(document(), line(1000), MODEL, patient=False)
    first = anchors.ahead(document(), line(1000), MODEL)
    assert first is not None
    assert anchors.ahead(document(), line(1000), MODEL) is first
    anchors.arrived(first)
    assert anchors.wide


def test_the_wide_place_is_remembered_over_quick_ones() -> None:
    anchors, wide = widely(1000)
    for far in (100, 400):
        anchors.at(document(), line(far), MODEL, patient=False)
    back, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    assert back.window.start == wide.window.start


def test_a_place_that_needed_no_prompt_gets_one_when_there_is_time() -> None:
    anchors, _ = widely(1000)
    there = anchors.ahead(document(), line(100), MODEL)
    assert there is not None
    anchors.arrived(there)
    assert anchors.at(document(), line(100), MODEL, patient=False) == (there, False)


BACKDROP = Backdrop("shop", "a.py", blocks=(Block("b.py", "def b():\n    pass\n" * 20, "b"),))


def shown_widely(number: int) -> tuple[Anchors, Anchor]:
    """Anchors with a wide one at a line, evaluated ahead, that shows a block."""
    anchors = Anchors()
    anchors.at(document(), line(number), MODEL, patient=False)
    wide = anchors.ahead(document(), line(number), MODEL, BACKDROP)
    assert wide is not None
    anchors.arrived(wide)
    return anchors, wide


def test_blocks_are_asked_for_once_for_a_place() -> None:
    anchors = Anchors()
    quick, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    question = anchors.question(document(), line(1000), MODEL)
    assert question is not None and question.former == ()
    assert question.budget_bytes == blocks_bytes(WIDE)
    assert quick.prefix in question.window
    ahead = anchors.ahead(document(), line(1000), MODEL, BACKDROP)
    assert ahead is not None and ahead.blocks == BACKDROP.blocks
    assert anchors.question(document(), line(1000), MODEL) is None
    anchors.arrived(ahead)
    assert anchors.question(document(), line(1000), MODEL) is None
    again = anchors.question(document(), line(1000), MODEL, anyway=True)
    assert again is not None and again.former == BACKDROP.blocks


def test_a_window_with_blocks_is_smaller_by_their_size() -> None:
    _, wide = shown_widely(1000)
    total = WIDE.prefix_bytes + WIDE.suffix_bytes
    assert 0.8 * total < size(wide) + BACKDROP.size <= total


def test_a_quick_window_has_no_blocks_and_loses_none() -> None:
    anchors, wide = shown_widely(1000)
    far, _ = anchors.at(document(), line(100), MODEL, patient=False)
    assert far.blocks == ()
    back, _ = anchors.at(document(), line(1000), MODEL, patient=False)
    assert (back.blocks, back.window.start) == (wide.blocks, wide.window.start)


def test_near_lines_keep_the_blocks_far_ones_ask_for_others() -> None:
    anchors, _ = shown_widely(1000)
    near, _ = anchors.at(document(), line(1002), MODEL, patient=False)
    assert near.blocks == BACKDROP.blocks
    assert anchors.question(document(), line(1002), MODEL) is None
    anchors.at(document(), line(100), MODEL, patient=False)
    question = anchors.question(document(), line(100), MODEL)
    assert question is not None and question.former == BACKDROP.blocks


def test_blocks_of_one_document_are_none_of_another() -> None:
    anchors, _ = shown_widely(1000)
    other = document(uri="file:///b.py")
    anchor, _ = anchors.at(other, line(1000), MODEL, patient=False)
    assert anchor.blocks == ()
    question = anchors.question(other, line(1000), MODEL)
    assert question is not None and question.former == ()


def test_without_an_answer_what_was_known_stays_and_else_it_is_asked_again() -> None:
    anchors, _ = shown_widely(1000)
    anchors.at(document(), line(100), MODEL, patient=False)
    ahead = anchors.ahead(document(), line(100), MODEL, None)
    assert ahead is not None and ahead.blocks == BACKDROP.blocks
    anchors.lose()
    anchors.at(document(), line(100), MODEL, patient=False)
    ahead = anchors.ahead(document(), line(100), MODEL, None)
    assert ahead is not None and ahead.blocks == ()
    anchors.arrived(ahead)
    assert anchors.question(document(), line(100), MODEL) is not None


def test_who_asks_by_hand_is_shown_the_blocks_and_nobody_asks_again() -> None:
    anchors = Anchors()
    wide, _ = anchors.at(document(), line(1000), MODEL, patient=True, backdrop=BACKDROP)
    assert wide.blocks == BACKDROP.blocks
    assert anchors.question(document(), line(1000), MODEL) is None
    assert anchors.ahead(document(), line(1000), MODEL) is None
    assert anchors.wide


def test_where_there_is_nothing_to_show_no_prompt_changes() -> None:
    anchors, wide = widely(1000)
    assert anchors.question(document(), line(1000), MODEL) is not None
    assert anchors.ahead(document(), line(1000), MODEL, Backdrop("shop", "a.py")) is None
    assert anchors.question(document(), line(1000), MODEL) is None
    assert anchors.present is not None and anchors.present.window == wide.window


def test_other_blocks_at_the_same_place_are_evaluated_ahead() -> None:
    anchors, wide = widely(1000)
    ahead = anchors.ahead(document(), line(1000), MODEL, BACKDROP)
    assert ahead is not None and ahead.blocks == BACKDROP.blocks
    assert anchors.at(document(), line(1000), MODEL, patient=False) == (wide, False)
    anchors.arrived(ahead)
    assert anchors.at(document(), line(1000), MODEL, patient=False) == (ahead, False)
