"""The `inkling` command: finds the sub-command, runs it, turns every failure into one sentence.

Sub-commands are imported when they are called, so `inkling serve` starts without what the
others need. Exit codes: 0 done, 1 could not do it, 2 wrong usage, 130 interrupted.
`INKLING_DEBUG=1` shows the traceback behind a sentence, and what is logged.
"""

import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NoReturn

import click

from inkling import __version__

COMMANDS = {
    "demo": ("inkling.cli.demo:demo", "See it work: ghost text in this terminal, with times."),
    "doctor": ("inkling.cli.doctor:doctor", "Check this installation and say what to fix."),
    "setup": ("inkling.cli.models:setup", "Install the engine (llama.cpp) for this machine."),
    "pull": ("inkling.cli.models:pull", "Download a model and check it."),
    "models": ("inkling.cli.models:models", "List the models that Inkling knows."),
    "serve": ("inkling.cli.serve:serve", "Run the language server on stdin and stdout."),
    "complete": ("inkling.cli.complete:complete", "Complete once, at FILE:LINE:COL."),
    "index": ("inkling.cli.index:index", "Index a folder, and look into its index."),
    "bench": ("inkling.cli.bench:bench", "Measure latency and quality on this machine."),
}
"""Name → (where the command is, its line in `inkling --help`), in the order of the help."""

WELCOME = """\
Inline completions from a model on your own machine, in any editor that speaks LSP.

\b
Three things to do first:
  inkling demo      see it work in this terminal (gets the engine and the model)
  inkling doctor    check the installation and measure this machine
  inkling serve     what your editor starts; see README.md, "Connect your editor"
"""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    help=WELCOME,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="inkling")
@click.pass_context
def inkling(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code (click raises SystemExit on EPIPE)."""
    try:
        result = inkling.main(args=list(arguments), prog_name="inkling", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as failure:
        show_traceback_if_asked()
        failure.show()
        return failure.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
    # The boundary of the process: whatever a command did not foresee still ends in a sentence.
    except Exception as problem:
        show_traceback_if_asked()
        click.echo(f"Error: {sentence(problem)}", err=True)
        return 130 if isinstance(problem, _model_errors().Interrupted) else 1


def sentence(problem: Exception) -> str:
    """What to tell about an exception; a model error is a sentence for people already."""
    if isinstance(problem, _model_errors().ModelError):
        return str(problem)
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror}."
    said = " ".join(str(problem).split()) or "no message"
    return (
        f"unexpected {type(problem).__name__}: {said}\n"
        "Run the command again with INKLING_DEBUG=1 to see where; `inkling doctor` checks the rest."
    )


def _model_errors() -> ModuleType:
    return import_module("inkling.models.errors")


def show_traceback_if_asked() -> None:
    if _debugging():
        traceback.print_exc()


def keep_log_lines_out() -> None:
    """Of what a command prints; `serve` sets up a log file after this."""
    if _debugging():
        logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    else:
        # Without any handler Python would print warnings to stderr.
        logging.getLogger().addHandler(logging.NullHandler())


def _debugging() -> bool:
    return os.environ.get("INKLING_DEBUG", "") not in ("", "0")


def main() -> NoReturn:
    """Entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a character (Windows code pages, LANG=C) shows "?", never fails.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    keep_log_lines_out()
    sys.exit(run(sys.argv[1:]))
