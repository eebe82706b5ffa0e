"""`pull`, `models`, `setup`: what they print and how they end. The work itself is replaced."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkling.cli import models as commands
from inkling.cli.main import run
from inkling.models.catalogue import HubSource, PypiSource, catalogue, default, find
from inkling.models.engine_probe import EngineStatus
from inkling.models.engine_setup import SetupProgress
from inkling.models.errors import DiskFull, SetupError
from inkling.models.progress import PullProgress


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def test_models_as_json_lists_every_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert [row["name"] for row in rows] == [model.name for model in catalogue()]
    assert not any(row["installed"] or row["path"] for row in rows)


def test_models_shows_what_is_here(own_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = find("codestral-22b")
    (own_cache / "models" / model.file).write_bytes(b"GGUF")
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (here,) = [line for line in lines if line.startswith(model.name)]
    assert here.rstrip().endswith("yes")
    (other,) = [line for line in lines if line.startswith(default("fast").name)]
    assert "fast (default)" in other and "491 MB" in other and other.rstrip().endswith("no")


def test_models_tells_where_each_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for model in catalogue():
        (line,) = [line for line in lines if line.startswith(model.name + " ")]
        kinds = {type(source) for source in model.sources}
        assert (" hub" in line, " PyPI" in line) == (HubSource in kinds, PypiSource in kinds)


def test_pull_tells_each_step_once_and_where_the_file_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[str] = []

    def records(name: str) -> Iterator[PullProgress]:
        asked.append(name)
        yield PullProgress(name, "checking", note="the hub cannot help: not reachable")
        for done in range(5):
            yield PullProgress(name, "downloading", done=done, total=5, source="PyPI")
        yield PullProgress(name, "done", done=5, total=5, path=tmp_path / "model.gguf")

    monkeypatch.setattr(commands, "ensure_model", records)
    assert run(["pull"]) == 0
    printed = capsys.readouterr().out
    assert asked == [default("fast").name]
    assert "The hub cannot help: not reachable." in printed
    assert printed.count("Downloading from PyPI") == 1
    assert str(tmp_path / "model.gguf") in printed.replace("\n", "")


def test_pull_of_an_unknown_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pull", "qwen2.5-coder-05b"]) == 1
    printed = capsys.readouterr()
    assert "did you mean qwen2.5-coder-0.5b" in printed.err and not printed.out


def test_pull_that_cannot_be_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(_: str) -> Iterator[PullProgress]:
        raise DiskFull(tmp_path, 500_000_000, 1_000_000)

    monkeypatch.setattr(commands, "ensure_model", full)
    assert run(["pull"]) == 1
    assert "500 MB are needed and 1 MB are free" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "mode"), [([], "native"), (["--portable"], "portable"), (["--prebuilt"], "prebuilt")]
)
def test_setup_says_what_it_does_and_what_it_did(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    mode: str,
) -> None:
    def records(asked: str) -> Iterator[SetupProgress]:
        assert asked == mode
        yield SetupProgress("checking")
        yield SetupProgress("fetching", note="Compiling llama.cpp, once.")
        yield SetupProgress("building", 1, 2)
        yield SetupProgress("building", 2, 2)
        yield SetupProgress("done", note="It loads.")

    monkeypatch.setattr(commands, "ensure_engine", records)
    assert run(["setup", *flags]) == 0
    printed = capsys.readouterr().out
    assert printed.index("Compiling llama.cpp, once.") < printed.index("It loads.")
    assert printed.count("Compiling ...") == 1


def test_setup_as_json_prints_nothing_else_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = EngineStatus("ready", "1.2.3", "1.2.3", "It loads.")
    steps = [SetupProgress("checking"), SetupProgress("done", note="It loads.")]
    monkeypatch.setattr(commands, "ensure_engine", lambda _: iter(steps))
    monkeypatch.setattr(commands, "engine_status", lambda: ready)
    assert run(["setup", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"state": "ready", "version": "1.2.3", "said": "It loads."}


def test_setup_that_cannot_be_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> Iterator[SetupProgress]:
        raise SetupError("There is no compiler. Install one:\n  sudo apt-get install it")

    monkeypatch.setattr(commands, "ensure_engine", fail)
    assert run(["setup"]) == 1
    assert "sudo apt-get install it" in capsys.readouterr().err


def test_two_ways_at_once_are_a_usage_error() -> None:
    assert run(["setup", "--prebuilt", "--portable"]) == 2
