"""`inkling demo`: the main job in a terminal, with the milliseconds.

Gets the engine and the model first if they are not there. Shows an animation on a terminal and
plain lines elsewhere; both are made of what `story` reports and of nothing else.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from inkling.cli.connect import command_path, connections
from inkling.cli.counting import CountingEngine
from inkling.cli.models import get_engine, get_model
from inkling.cli.render import code_view, ghost_marks, make_console
from inkling.cli.session import chooses_settings, parse_once, running, settings_from
from inkling.cli.story import FILE, Figure, Frame, hole, story
from inkling.config import Settings
from inkling.service.completer import Completer

VIEW_LINES = 5
STILL_S = 0.9
"""How long a frame that counts stands before the next may replace it."""


@click.command()
@click.option("--fast", is_flag=True, help="No pauses for reading.")
@chooses_settings
def demo(fast: bool, model: str | None, chosen: tuple[str, ...]) -> None:
    """See Inkling work in this terminal, on one of its own source files."""
    settings = settings_from(model, chosen)
    console = make_console()
    if settings.backend == "llama":
        get_engine(console)
        get_model(settings.model, console)
    animated = console.is_terminal and not console.is_dumb_terminal
    pause = 0.0 if fast or not animated else 1.0
    figures = asyncio.run(play(settings, console, animated=animated, pause=pause))
    show_figures(figures, console)
    show_connections(console)


async def play(
    settings: Settings, console: Console, *, animated: bool, pause: float
) -> tuple[Figure, ...]:
    """Tell the story once on this console; returns what was measured."""
    began = time.perf_counter()
    async with running(settings, console) as app:
        loaded = Figure("model ready", f"{time.perf_counter() - began:.1f} s")
        console.print(f"\nInkling's own [bold]{FILE}[/], one function without its body.\n")
        await parse_once(app.syntax, *hole())
        engine = CountingEngine(app.engine)
        told = story(Completer(engine, app.syntax, settings), engine, pause=pause)
        tell = _animate if animated else _print_lines
        return (loaded, *await tell(told, console, pause))


async def _animate(
    told: AsyncIterator[Frame | Figure], console: Console, pause: float
) -> tuple[Figure, ...]:
    figures = []
    with Live(console=console, refresh_per_second=30) as live:
        async for item in told:
            if isinstance(item, Figure):
                figures.append(item)
                continue
            live.update(_screen(item, console), refresh=True)
            if not item.growing:
                await asyncio.sleep(STILL_S * pause)
    return tuple(figures)


async def _print_lines(
    told: AsyncIterator[Frame | Figure], console: Console, pause: float
) -> tuple[Figure, ...]:
    figures = []
    async for item in told:
        if isinstance(item, Figure):
            figures.append(item)
        elif not item.growing:
            console.print(_screen(item, console))
            console.print()
    return tuple(figures)


def _screen(frame: Frame, console: Console) -> Group:
    view = code_view(
        frame.before,
        frame.ghost,
        frame.after,
        lexer="python",
        above=VIEW_LINES,
        below=VIEW_LINES,
        width=console.width,
        marks=ghost_marks(console),
    )
    return Group(view, Text("\n\n> " + frame.note, style="bold", end=""))


def show_figures(figures: tuple[Figure, ...], console: Console) -> None:
    """The table at the end."""
    table = Table("What happened", "Time", "", title="Measured in this run", title_justify="left")
    table.columns[1].justify = "right"
    table.columns[1].no_wrap = True
    for figure in figures:
        table.add_row(figure.event, figure.value, figure.detail)
    console.print()
    console.print(table)


def show_connections(console: Console) -> None:
    """What to put into each editor's configuration."""
    console.print("\n[bold]Connect your editor[/] (more languages: editors/ in the sources)\n")
    for editor, recipe in connections(command_path()):
        console.print(Text(editor, style="bold"))
        console.print(Text("  " + recipe.replace("\n", "\n  ") + "\n"), soft_wrap=True)
    console.print("`inkling doctor` checks this installation.", markup=False)
