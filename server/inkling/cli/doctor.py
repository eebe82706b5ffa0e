"""`inkling doctor`: is everything there, does it work, how fast is it, what needs fixing.

Exit code 1 if something must be fixed; a warning is not that.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

import click
from rich.console import Console
from rich.text import Text

from inkling import __version__
from inkling.app import build
from inkling.cli import checks
from inkling.cli.checks import Check, State
from inkling.cli.machine import this_machine
from inkling.cli.render import make_console
from inkling.cli.session import chooses_settings, settings_from
from inkling.cli.trials import trials, try_syntax
from inkling.config import Settings

_MARKS: dict[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warn": ("warn", "yellow"),
    "fail": ("FAIL", "bold red"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@chooses_settings
def doctor(as_json: bool, model: str | None, chosen: tuple[str, ...]) -> None:
    """Check this installation, measure this machine, say what to fix.

    Starts the engine and the syntax worker, and fills a real hole with the model.
    """
    settings = settings_from(model, chosen)
    console = make_console(stderr=as_json)
    if not as_json:
        console.print(f"Inkling {__version__} on {this_machine().system}\n", markup=False)
    found = asyncio.run(examine(settings, console, show=not as_json))
    failed = [check for check in found if check.state == "fail"]
    if as_json:
        record = {"version": __version__, "ok": not failed, "checks": [asdict(c) for c in found]}
        click.echo(json.dumps(record, indent=2))
    else:
        verdict = f"{len(failed)} to fix." if failed else "Everything works."
        console.print(f"\n{verdict}", style="bold", markup=False)
    raise click.exceptions.Exit(1 if failed else 0)


async def examine(settings: Settings, console: Console, *, show: bool) -> tuple[Check, ...]:
    """Every check; each is shown as it ends."""
    found: list[Check] = []
    for check in installation(settings):
        found.append(check)
        if show:
            show_check(check, console)
    with console.status("Trying the syntax worker and the engine …"):
        async for check in attempts(settings, able=all(check.state != "fail" for check in found)):
            found.append(check)
            if show:
                show_check(check, console)
    return tuple(found)


async def attempts(settings: Settings, *, able: bool) -> AsyncIterator[Check]:
    """What can only be checked by trying; the engine only if it is `able` to work."""
    app = build(settings)
    app.start()
    try:
        yield await try_syntax(app.syntax)
        if able:
            async for check in trials(app, settings):
                yield check
    finally:
        await app.close()


def installation(settings: Settings) -> Iterator[Check]:
    """What can be checked without starting anything."""
    machine = this_machine()
    yield checks.check_python()
    yield checks.check_processor(machine)
    yield checks.check_memory(machine)
    yield checks.check_cache()
    yield checks.check_log()
    if settings.backend == "llama":
        yield checks.check_engine()
        yield checks.check_model_file(settings.model)


def show_check(check: Check, console: Console) -> None:
    """One line, and a second one with what to do."""
    mark, style = _MARKS[check.state]
    line = Text.assemble((f"{mark:<5}", style), (f"{check.name:<11} ", "bold"), check.said)
    console.print(line, soft_wrap=True)
    if check.fix:
        console.print(Text(f"{'':<17}{check.fix}", style=style), soft_wrap=True)
