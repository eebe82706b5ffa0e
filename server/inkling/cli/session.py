"""The whole of Inkling for the length of one command, without an editor.

Invariant: whatever happens inside `running`, every process it started has ended after it.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import click
from rich.console import Console

from inkling.app import App, build
from inkling.config import Settings, parse
from inkling.engine.api import Engine, Ready, Starting
from inkling.syntax.client import SyntaxClient
from inkling.text.document import Document

PARSE_S = 20.0

Callback = TypeVar("Callback", bound=Callable[..., Any])


def chooses_settings(command: Callback) -> Callback:
    """Give a command the options that `settings_from` reads."""
    command = click.option(
        "--setting",
        "chosen",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting as in README.md, such as maxLines=4; may be repeated.",
    )(command)
    return click.option("--model", help="Catalogue name, or path of a GGUF file.")(command)


def settings_from(model: str | None, chosen: Sequence[str], **defaults: object) -> Settings:
    """The settings of a command line; `defaults` are the command's own, by their JSON keys."""
    layer: dict[str, object] = {}
    for each in chosen:
        key, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"--setting {each}: write KEY=VALUE.")
        layer[key.strip()] = _value(value.strip())
    settings, problems = parse(defaults, layer, {"model": model}, lenient=False)
    if problems:
        raise click.UsageError(" ".join(problems))
    return settings


def _value(written: str) -> object:
    """JSON where it is JSON (numbers, lists, true), else the text itself."""
    try:
        value: object = json.loads(written)
    except ValueError:
        return written
    return value


@asynccontextmanager
async def running(settings: Settings, console: Console) -> AsyncIterator[App]:
    """Everything started and the model ready. `console` shows the waiting, where it is a terminal.

    Raises `click.ClickException` with the engine's own sentence if it can't be used.
    """
    app = build(settings)
    app.start()
    try:
        await _until_ready(app.engine, console)
        yield app
    finally:
        await app.close()


async def parse_once(syntax: SyntaxClient, document: Document, offset: int) -> None:
    """Have the worker started, the grammar loaded and the document parsed before it counts.

    In an editor that happens between opening a file and the first key.
    """
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(
            syntax.judge(
                document, offset, " ", multiline=False, finished=True, deadline_ms=PARSE_S * 1000
            ),
            PARSE_S,
        )


async def _until_ready(engine: Engine, console: Console) -> None:
    with console.status("Starting the engine …") as status:
        async for state in engine.states():
            if isinstance(state, Ready):
                return
            if not isinstance(state, Starting):
                # A command does not wait for the supervisor's next try: its user does.
                raise click.ClickException(state.reason)
            percent = "" if state.percent is None else f" {state.percent} %"
            status.update(f"{state.step[:1].upper()}{state.step[1:]}{percent} …")
    raise click.ClickException("The engine stopped before it was ready; run `inkling doctor`.")
