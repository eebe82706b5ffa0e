"""The doctor's checks on what can be wrong: each says what to fix and none raises."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from inkling.cli import checks, trials
from inkling.cli.machine import Machine, this_machine
from inkling.engine.api import Calibration, FimTokens, ModelInfo
from inkling.models.engine_probe import EngineStatus

GOOD = Machine("Linux", "some processor", 4, ("avx", "avx2"), 16 * 10**9, 8 * 10**9)
MODEL = ModelInfo("m", "qwen2", 4096, 100, FimTokens(1, 2, 3), Calibration(100.0, 30.0, 1))


def test_this_machine_can_be_asked() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.processor
    assert machine.memory is None or machine.memory > 0


def test_a_good_machine_needs_nothing() -> None:
    for check in (
        checks.check_python(),
        checks.check_processor(GOOD),
        checks.check_memory(GOOD),
        *trials.about_model(MODEL, 2),
    ):
        assert (check.state, check.fix) == ("ok", "")


@pytest.mark.parametrize(
    "machine",
    [
        replace(GOOD, memory=None, free_memory=None),
        replace(GOOD, features=()),
    ],
)
def test_what_a_system_does_not_tell_is_no_fault(machine: Machine) -> None:
    assert checks.check_memory(machine).state == "ok"
    assert checks.check_processor(machine).state == "ok"


def test_a_weak_machine_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    without = checks.check_processor(replace(GOOD, features=("avx",)))
    full = checks.check_memory(replace(GOOD, free_memory=10**8))
    assert (without.state, full.state) == ("warn", "warn")
    assert without.fix
    assert full.fix


@pytest.mark.parametrize("state", ["missing", "other-version", "foreign", "broken"])
def test_an_engine_that_is_not_ready_must_be_set_up(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = EngineStatus(state, "1", None, "Something is wrong.")  # type: ignore[arg-type]
    monkeypatch.setattr(checks, "engine_status", lambda: status)
    check = checks.check_engine()
    assert (check.state, check.said, check.fix) == (
        "fail",
        "Something is wrong.",
        "Run `inkling setup`.",
    )


def test_models_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path))
    not_gguf = tmp_path / "a.gguf"
    not_gguf.write_bytes(b"PK\x03\x04")
    for name in ("qwen2.5-coder-0.5b", "no-such-model", str(tmp_path / "b.gguf"), str(not_gguf)):
        check = checks.check_model_file(name)
        assert check.state == "fail"
        assert check.fix


def test_only_a_model_of_the_catalogue_can_be_pulled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "own.gguf"
    damaged.write_bytes(b"\x8f\x01random")
    own = checks.check_model_file(str(damaged))
    assert "Get your file again" in own.fix
    assert "inkling pull" not in own.fix
    monkeypatch.setattr(checks, "resolve", lambda name: damaged)
    ours = checks.check_model_file("qwen2.5-coder-0.5b")
    assert ours.fix == "Delete the file, then run `inkling pull qwen2.5-coder-0.5b`."


def test_a_user_s_own_model_is_named_as_such(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and more")
    check = checks.check_model_file(str(own))
    assert check.state == "ok"
    assert "your own file" in check.said


def test_a_damaged_model_is_found_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF, but not that one")
    monkeypatch.setattr(checks, "resolve", lambda name: damaged)
    check = checks.check_model_file("qwen2.5-coder-0.5b")
    assert check.state == "fail"
    assert "Delete the file" in check.fix


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("INKLING_CACHE_DIR", str(file / "below"))
    check = checks.check_cache()
    assert check.state == "fail"
    assert "INKLING_CACHE_DIR" in check.fix


def test_models_without_fim_tokens_and_slow_ones_are_warned_of() -> None:
    slow = msgspec.structs.replace(MODEL, fim=None, calibration=Calibration(20.0, 3.0, 2))
    load, fim, speed = trials.about_model(slow, 4)
    assert (load.state, fim.state, speed.state) == ("ok", "warn", "warn")
    assert "2 threads" in speed.said


@pytest.mark.parametrize(
    ("threads", "state", "said"),
    [(None, "ok", "another program"), (3, "warn", "busy; on 3 threads"), (1, "warn", "1 thread ")],
)
def test_why_nothing_was_measured_is_told(threads: int | None, state: str, said: str) -> None:
    unmeasured = msgspec.structs.replace(MODEL, calibration=None)
    *_, speed = trials.about_model(unmeasured, threads)
    assert speed.state == state
    assert said in speed.said
