"""The whole of Inkling for the length of one command, without an editor.

Invariant: whatever happens inside `running`, every process it started has ended after it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from rich.console import Console

from inkling.app import App, build
from inkling.config import Settings, parse
from inkling.engine.api import Engine, Ready, Starting


def settings_from(chosen: dict[str, object]) -> Settings:
    """Settings as a client would send them (camelCase keys); None is "not set"."""
    settings, problems = parse(chosen)
    if problems:
        raise click.UsageError(" ".join(problems))
    return settings


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


async def _until_ready(engine: Engine, console: Console) -> None:
    with console.status("Starting the engine …") as status:
        async for state in engine.states():
            if isinstance(state, Ready):
                return
            if not isinstance(state, Starting):
                # A command does not wait for the supervisor's next try: its user does.
                raise click.ClickException(_capitalised(state.reason))
            percent = "" if state.percent is None else f" {state.percent} %"
            status.update(f"{_capitalised(state.step)}{percent} …")
    raise click.ClickException("The engine stopped before it was ready; run `inkling doctor`.")


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
