"""A growing file: whatever happened to it in between, what it keeps is what was put in."""

import hashlib
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.models.partial import PartialFile

parts = st.lists(st.binary(max_size=40), min_size=1, max_size=5)


def keys(count: int) -> tuple[str, ...]:
    return tuple(f"part{index}" for index in range(count))


def put(partial: PartialFile, key: str, data: bytes) -> None:
    for _ in partial.append(key, io.BytesIO(data)):
        pass


def taken_up(directory: Path, count: int) -> PartialFile:
    partial = PartialFile(directory)
    for _ in partial.resume(keys(count)):
        pass
    return partial


@given(parts, st.data())
def test_any_damage_keeps_an_honest_prefix(chunks: list[bytes], data: st.DataObject) -> None:
    """Put parts in, damage the file anywhere, go on: the result is what was put in."""
    count = len(chunks)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        partial = taken_up(directory, count)
        finished = data.draw(st.integers(0, count))
        for index in range(finished):
            put(partial, f"part{index}", chunks[index])
        damaged = bytearray((directory / "data").read_bytes())
        kind = data.draw(st.sampled_from(["none", "cut", "grown", "flipped", "no journal"]))
        if kind == "cut" and damaged:
            del damaged[data.draw(st.integers(0, len(damaged) - 1)) :]
        elif kind == "grown":
            damaged += b"half of the next part"
        elif kind == "flipped" and damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1
        elif kind == "no journal":
            (directory / "journal.json").write_text("{not json")
        (directory / "data").write_bytes(damaged)

        again = taken_up(directory, count)
        if kind in ("none", "grown"):
            assert again.size == sum(map(len, chunks[:finished]))
        for index, chunk in enumerate(chunks):
            if not again.has(f"part{index}"):
                put(again, f"part{index}", chunk)
        whole = b"".join(chunks)
        assert again.take().read_bytes() == whole
        assert again.sha256 == hashlib.sha256(whole).hexdigest()
        assert again.size == len(whole)


def test_a_part_that_breaks_off_does_not_count(tmp_path: Path) -> None:
    partial = taken_up(tmp_path / "model", 2)
    put(partial, "part0", b"first")
    steps = partial.append("part1", io.BytesIO(b"x" * (3 << 20)))
    assert next(steps) == 5 + (1 << 20)
    steps.close()
    assert partial.size == 5 and not partial.has("part1")
    put(partial, "part1", b"second")
    assert partial.take().read_bytes() == b"firstsecond"
    assert partial.sha256 == hashlib.sha256(b"firstsecond").hexdigest()


def test_parts_in_another_order_start_anew(tmp_path: Path) -> None:
    partial = taken_up(tmp_path / "model", 2)
    put(partial, "part0", b"first")
    again = PartialFile(tmp_path / "model")
    assert not list(again.resume(("other0", "other1")))
    assert again.size == 0 and again.take().read_bytes() == b""


def test_starting_empties_the_scratch_folder(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "model")
    (partial.scratch / "left.whl").write_bytes(b"half a wheel")
    assert not list(PartialFile(tmp_path / "model").scratch.iterdir())


@pytest.mark.parametrize("times", [1, 2])
def test_discard_leaves_nothing(tmp_path: Path, times: int) -> None:
    partial = taken_up(tmp_path / "model", 1)
    put(partial, "part0", b"first")
    for _ in range(times):
        partial.discard()
    assert not list(tmp_path.iterdir())


def test_tidying_keeps_what_has_arrived_and_nothing_else(tmp_path: Path) -> None:
    partial = taken_up(tmp_path / "model", 1)
    (partial.scratch / "pip.log").write_text("no network")
    (tmp_path / "model" / "hub-0123").touch()
    partial.tidy()
    assert not list(tmp_path.iterdir())

    partial = taken_up(tmp_path / "model", 2)
    put(partial, "part0", b"first")
    partial.tidy()
    assert taken_up(tmp_path / "model", 2).has("part0")

    partial.discard()
    PartialFile(tmp_path / "model")
    (tmp_path / "model" / "hub-0123").write_bytes(b"half of it")
    partial.tidy()
    assert (tmp_path / "model" / "hub-0123").exists()
