"""The command line as a whole: lazy imports, exit codes, and one sentence for every failure."""

import os
import subprocess
import sys
from importlib import import_module

import click
import pytest

from inkling import __version__
from inkling.cli import main as cli


def test_help_names_every_command_without_importing_one() -> None:
    code = (
        "import sys; from inkling.cli.main import run; run([]); run(['--version']);"
        "heavy = {'rich', 'pygls', 'numpy', 'huggingface_hub', 'tree_sitter', 'asyncio'};"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in cli.COMMANDS:
        assert f"  {name} " in done.stdout
    assert "Three things to do first" in done.stdout
    assert f"inkling, version {__version__}" in done.stdout
    assert "loaded: []" in done.stdout


@pytest.mark.parametrize(("debug", "shown"), [("", False), ("1", True)])
def test_log_lines_are_kept_out_of_what_is_printed(debug: str, shown: bool) -> None:
    code = (
        "import logging; from inkling.cli.main import keep_log_lines_out; keep_log_lines_out();"
        "logging.getLogger('inkling.syntax.client').warning('the worker ended')"
    )
    environment = {**os.environ, "INKLING_DEBUG": debug}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert ("the worker ended" in done.stderr + done.stdout) is shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_can_be_imported_and_has_help(name: str) -> None:
    module, _, attribute = cli.COMMANDS[name][0].partition(":")
    assert isinstance(getattr(import_module(module), attribute), click.Command)
    assert cli.run([name, "--help"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["--no-such-option"], ["complete"], ["complete", "--no-such-option"]],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert cli.run(arguments) == 2


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (click.ClickException("The disk is full."), 1, "Error: The disk is full."),
        (click.UsageError("No."), 2, "Error: No."),
        (KeyboardInterrupt(), 130, "Stopped."),
        (PermissionError(13, "Permission denied", "f.py"), 1, "Error: f.py: Permission denied."),
        (RuntimeError("a\nb"), 1, "Error: unexpected RuntimeError: a b"),
        (ValueError(), 1, "Error: unexpected ValueError: no message"),
    ],
)
def test_failures_are_one_sentence(
    raised: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def failing() -> None:
        raise raised

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: failing)
    assert cli.run(["models"]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: failing)
    monkeypatch.setenv("INKLING_DEBUG", "1")
    assert cli.run(["models"]) == 1
    assert "Traceback" in capsys.readouterr().err
