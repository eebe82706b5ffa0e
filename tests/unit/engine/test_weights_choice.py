"""Which weights are loaded, from the header of a GGUF file to the verdict."""

import os
import struct
from pathlib import Path

import pytest

from inkling.engine import calibrate, choice, recipe
from inkling.engine.api import Calibration
from inkling.engine.errors import ModelError
from inkling.engine.recipe import Verdict
from inkling.engine.tensors import IQ4_NL, Q5_0, Q8_0, Tensor, tensors

Q4_K = 12


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(listed: list[tuple[str, int, tuple[int, ...]]]) -> bytes:
    """A GGUF header with one value of each shape that must be skipped."""
    values = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("a.number") + struct.pack("<If", 6, 1.5),
        text("a.flag") + struct.pack("<I?", 7, True),
        text("a.list") + struct.pack("<IIQ", 9, 4, 2) + struct.pack("<II", 1, 2),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("é"),
    ]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(listed), len(values)) + b"".join(values)
    for name, kind, shape in listed:
        head += text(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", size) for size in shape)
        head += struct.pack("<IQ", kind, 0)
    return head


LISTED = [
    ("token_embd.weight", Q5_0, (64, 100)),
    ("output.weight", Q8_0, (64, 100)),
    ("blk.0.ffn_gate.weight", Q5_0, (64, 128)),
    ("blk.0.ffn_up.weight", Q5_0, (64, 128)),
    ("blk.0.ffn_down.weight", Q4_K, (128, 64)),
    ("blk.0.attn_norm.weight", 0, (64,)),
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(LISTED))
    return path


def test_the_header_lists_every_tensor(model: Path) -> None:
    assert tensors(model) == tuple(
        Tensor(name, kind, shape[0] * (shape[1] if len(shape) > 1 else 1))
        for name, kind, shape in LISTED
    )


def test_a_header_cut_anywhere_is_refused(model: Path) -> None:
    data = model.read_bytes()
    for size in range(0, len(data), 7):
        model.write_bytes(data[:size])
        with pytest.raises(ModelError):
            tensors(model)


def test_slow_types_change_and_the_looked_up_embedding_does_not(model: Path) -> None:
    assert recipe.changes(tensors(model)) == {
        "blk.0.ffn_gate.weight": IQ4_NL,
        "blk.0.ffn_up.weight": Q8_0,
    }


def test_an_embedding_that_is_the_output_too_changes() -> None:
    assert recipe.changes([Tensor("token_embd.weight", Q5_0, 100)]) == {"token_embd.weight": Q8_0}


def test_a_model_in_fast_types_is_left_alone() -> None:
    assert recipe.changes([Tensor("a", Q4_K, 900), Tensor("b", Q5_0, 100)]) == {}


SLOW = Calibration(100.0, 30.0, 2)
FAST = Calibration(160.0, 35.0, 2)
ABOUT_THE_SAME = Calibration(110.0, 31.0, 2)


def files(model: Path) -> choice.Files:
    return choice.files(model, model.parent / "cache", (2, 1), "1.0")


def test_the_published_weights_are_used_until_a_copy_is_there(model: Path) -> None:
    where = files(model)
    assert choice.preferred(where) == model

    calibrate.save(where.published_speed, SLOW)
    assert choice.preferred(where) == model

    where.requantized.write_bytes(b"GGUF")
    assert choice.preferred(where) == where.requantized


def test_a_copy_without_anything_to_compare_it_with_is_not_tried(model: Path) -> None:
    where = files(model)
    where.requantized.parent.mkdir()
    where.requantized.write_bytes(b"GGUF")

    assert choice.preferred(where) == model
    assert choice.judge(where, FAST) is None


@pytest.mark.parametrize(("speed", "wins"), [(FAST, True), (ABOUT_THE_SAME, False), (SLOW, False)])
def test_the_faster_weights_win_and_the_loser_goes(
    model: Path, speed: Calibration, wins: bool
) -> None:
    where = files(model)
    calibrate.save(where.published_speed, SLOW)
    where.requantized.write_bytes(b"GGUF")

    verdict = choice.judge(where, speed)

    assert verdict is not None and verdict.requantized is wins
    assert choice.preferred(where) == (where.requantized if wins else model)
    assert where.requantized.exists() is wins
    assert model.exists()


def test_a_damaged_verdict_is_no_verdict(model: Path) -> None:
    where = files(model)
    where.verdict.parent.mkdir()
    where.verdict.write_bytes(b'{"requantized": 7')

    assert recipe.load_verdict(where.verdict) is None


def test_a_judged_or_existing_copy_is_not_made_again(model: Path) -> None:
    where = files(model)
    calibrate.write(where.verdict, b'{"requantized":false,"speed_up":1.0}')
    assert recipe.load_verdict(where.verdict) == Verdict(False, 1.0)
    assert choice.make_copy(where) is None

    where.verdict.unlink()
    where.requantized.write_bytes(b"GGUF")
    assert choice.make_copy(where) is None


def test_every_file_says_what_it_is(model: Path) -> None:
    where = files(model)
    kept = (where.requantized, where.published_speed, where.requantized_speed, where.verdict)

    assert {path.parent for path in kept} == {model.parent / "cache"}
    assert [path.name.partition("-")[0] for path in kept] == ["weights", *3 * ["calibration"]]
    assert len(set(kept)) == len(kept)


def test_another_model_file_has_other_places(model: Path) -> None:
    before = files(model)
    os.utime(model, ns=(1, 1))

    assert files(model) != before
