"""The command as a user runs it: real processes, the scripted engine, the real syntax worker."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Script = Callable[..., dict[str, Any]]

ADD = {"answer": "a + b\nprint(add)", "ends_with": "return ", "alternatives": ["b + a", "sum(("]}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = os.environ | {"INKLING_CACHE_DIR": str(tmp_path / "cache"), "COLUMNS": "80"}
    for name in ("NO_COLOR", "FORCE_COLOR", "INKLING_DEBUG"):
        environment.pop(name, None)

    def run_inkling(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "inkling", *map(str, arguments)],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run_inkling


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text("def add(a, b):\n    return \n\n\nadd(1, 2)\n", encoding="utf-8")
    return path


def scripted(options: dict[str, Any]) -> tuple[str, ...]:
    return ("--setting", f"backend={options['backend']}", "--model", options["model"])


def test_complete_shows_the_suggestion_in_its_place(run: Run, source: Path, script: Script) -> None:
    done = run("complete", f"{source}:2:12", *scripted(script(ADD)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2      return «a + b»\n" in done.stdout
    assert "1  def add(a, b):\n" in done.stdout


def test_complete_for_programs(run: Run, source: Path, script: Script) -> None:
    done = run("complete", f"{source}:2:12", "--json", *scripted(script(ADD)))
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    here = {"line": 2, "column": 12}
    assert answer["suggestions"] == [{"text": "a + b", "range": {"start": here, "end": here}}]
    assert answer["why"]["outcome"] == "shown"
    assert answer["why"]["stats"]["decoded_tokens"] > 0
    assert source.read_text(encoding="utf-8").startswith("def add(a, b):\n    return \n")


def test_complete_shows_each_different_candidate_that_parses(
    run: Run, source: Path, script: Script
) -> None:
    done = run("complete", f"{source}:2:12", "--candidates", 3, *scripted(script(ADD)))
    assert "Suggestion 1 of" in done.stdout
    assert "«a + b»" in done.stdout
    assert "«b + a»" in done.stdout


def test_no_suggestion_is_an_answer_with_its_reason(run: Run, source: Path, script: Script) -> None:
    done = run("complete", f"{source}:5:10", *scripted(script(ADD)))
    assert done.returncode == 0
    assert done.stdout.startswith("No suggestion. ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["complete", "nowhere.py:1:1"], 1, "nowhere.py: No such file"),
        (["complete", "nowhere.py"], 2, "FILE:LINE:COL"),
        (["complete", "a.py:1:1", "--setting", "colour=red"], 2, "colour"),
        (["complete", "a.py:1:1", "--setting", "maxLines"], 2, "KEY=VALUE"),
        (["pull", "no-such-model"], 1, "no-such-model"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    run: Run, arguments: list[str], code: int, said: str
) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_missing_model_says_how_to_get_it(run: Run, source: Path) -> None:
    done = run("complete", f"{source}:2:12")
    assert done.returncode == 1
    assert "inkling pull" in done.stderr


def test_doctor_finds_everything_working(run: Run, script: Script) -> None:
    rule = {"answer": "return a + b", "ends_with": "def add(a, b):\n    "}
    done = run("doctor", "--json", *scripted(script(rule)))
    report = json.loads(done.stdout)
    assert [check for check in report["checks"] if check["state"] == "fail"] == []
    assert done.returncode == 0
    (completion,) = [check for check in report["checks"] if check["name"] == "Completion"]
    assert "return a + b" in completion["said"]


def test_doctor_says_what_to_fix(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 1
    assert "FAIL Model" in done.stdout
    assert "Run `inkling pull qwen2.5-coder-0.5b`." in done.stdout
    assert "to fix." in done.stdout


DOCSTRING = 'work: the log, saved KV."""\n    '


def test_demo_without_a_terminal_tells_all_of_it(run: Run, script: Script) -> None:
    options = script(
        {
            "answer": [{"text": "return _override() or something else"}, {"text": "", "gate": "x"}],
            "ends_with": DOCSTRING,
        },
        {"answer": "override = _override()\n", "ends_with": DOCSTRING},
        {"answer": "return override\n", "ends_with": "override = _override()\n    "},
    )
    done = run("demo", "--fast", *scripted(options))
    assert (done.returncode, done.stderr) == (0, "")
    assert "The key 'o' disagrees: stopped after" in done.stdout
    # On a busy machine the syntax check may miss a key; the user then types one more.
    assert re.search(r"\bo\w*«\w+ = _override\(\)»", done.stdout)
    assert " agreeing keys, 0 model calls." in done.stdout
    assert "Tab: accepted." in done.stdout
    assert "Neovim 0.12" in done.stdout
    assert "\x1b" not in done.stdout


def test_ctrl_c_is_one_line(source: Path, script: Script, tmp_path: Path) -> None:
    options = script(ADD, states=[{"state": {"type": "starting", "step": "waiting"}}])
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        interrupt = signal.CTRL_BREAK_EVENT
    else:
        flags, interrupt = 0, signal.SIGINT
    child = subprocess.Popen(
        [sys.executable, "-m", "inkling", "complete", f"{source}:2:12", *scripted(options)],
        env=os.environ | {"INKLING_CACHE_DIR": str(tmp_path), "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=flags,
    )
    assert child.stderr is not None
    seen = b""
    watchdog = threading.Timer(60, child.kill)  # a read from a silent child has no timeout
    watchdog.start()
    while b"Waiting" not in seen:  # the spinner shows the engine's step: it is being waited for
        chunk = child.stderr.read1()
        assert chunk, seen.decode()
        seen += chunk
    watchdog.cancel()
    child.send_signal(interrupt)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert b"Stopped." in err
    assert b"Traceback" not in err
