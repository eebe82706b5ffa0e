"""`inkling bench latency` as a process: the real server over stdio, with the scripted engine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "inkling", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = bench(
        "latency",
        "--backend=scripted",
        "--json",
        "--keys=12",
        "--places=1",
        "--aborts=1",
        f"--corpus={REPOSITORY / 'server'}",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_ran_is_named(report: dict[str, Any]) -> None:
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["packages"]["pygls"]
    assert (report["seed"], report["client"]) == (1, "vscode")
    assert report["files"]


def test_every_request_is_counted_and_answered(report: dict[str, Any]) -> None:
    side = report["sides"]["inkling"]
    assert side["keys"] >= 12
    assert side["requests"] >= side["keys"]
    assert side["requests_unanswered"] == 0
    assert side["six_keys_answered"] is not None


def test_the_events_have_samples(report: dict[str, Any]) -> None:
    side = report["sides"]["inkling"]
    assert side["non_ai_idle_ms"]["count"] == 40
    assert side["did_change_ms"]["count"] == 80
    assert side["initialize_ms"] > 0
    assert side["suggestions_that_add_a_parse_error"] == 0


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = bench("latency", "--model", str(tmp_path / "none.gguf"), f"--corpus={REPOSITORY}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "none.gguf" in done.stderr


def test_an_empty_corpus_is_one_sentence(tmp_path: Path) -> None:
    done = bench("latency", "--backend=scripted", f"--corpus={tmp_path}")
    assert done.returncode == 1
    assert "no source file" in done.stderr
