"""`inkling demo`: the main job in a terminal, with the milliseconds.

Gets the engine and the model first if they are not there. Shows an animation on a terminal and
plain lines elsewhere; both are made of what `story` reports and of nothing else.
"""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

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
from inkling.cli.story import FILE, Figure, Frame, Told, hole, story
from inkling.config import Settings
from inkling.service.completer import Completer

FONT_FACE = re.compile(r" *@font-face \{.*?\}\n", re.DOTALL)
VIEW_LINES = 5
PATIENCE_MS = 1000
"""The user types on when nothing is shown for so long."""
STILL_S = 0.9
"""How long a frame that counts stands before the next may replace it."""


@click.command()
@click.option("--fast", is_flag=True, help="No pauses for reading.")
@click.option("--svg", type=click.Path(dir_okay=False), help="Also draw this run into an SVG file.")
@chooses_settings
def demo(fast: bool, svg: str | None, model: str | None, chosen: tuple[str, ...]) -> None:
    """See Inkling work in this terminal, on one of its own source files."""
    settings = settings_from(model, chosen, answerBudgetMs=PATIENCE_MS)
    console = make_console()
    if settings.backend == "llama":
        get_engine(console)
        get_model(settings.model, console)
    animated = console.is_terminal and not console.is_dumb_terminal
    run = asyncio.run(play(settings, console, animated=animated, fast=fast))
    if svg is not None:
        draw(run, svg)
    show_connections(console)
    show_figures(run.figures, console)  # last, so that it is what stands on the screen


@dataclass(frozen=True, slots=True)
class Run:
    """One telling of the story: the frames that count, and what was measured."""

    frames: tuple[Frame, ...]
    figures: tuple[Figure, ...]


async def play(settings: Settings, console: Console, *, animated: bool, fast: bool) -> Run:
    """Tell the story once on this console."""
    began = time.perf_counter()
    async with running(settings, console) as app:
        await parse_once(app.syntax, *hole())
        loaded = Figure("model ready", f"{time.perf_counter() - began:.1f} s")
        console.print(f"\nInkling's own [bold]{FILE}[/], one function without its body.\n")
        pause = 0.0 if fast or not animated else 1.0
        engine = CountingEngine(app.engine)
        told = story(Completer(engine, app.syntax, settings), engine, pause=pause)
        run = await _tell(told, console, animated=animated, pause=pause)
        return Run(run.frames, (loaded, *run.figures))


async def _tell(
    told: AsyncIterator[Told], console: Console, *, animated: bool, pause: float
) -> Run:
    """Show what is told as it comes; without animation only the frames that count."""
    frames: list[Frame] = []
    figures: list[Figure] = []
    held: Frame | None = None
    screen = Live(console=console, refresh_per_second=30) if animated else nullcontext()
    with screen as live:
        async for item in told:
            if isinstance(item, Figure):
                figures.append(item)
                continue
            counting = _counting(held, item)
            held = item if item.growing else None
            frames += counting
            if live is None:
                for frame in counting:
                    console.print(_screen(frame, console))
                    console.print()
                continue
            live.update(_screen(item, console), refresh=True)
            if not item.growing:
                await asyncio.sleep(STILL_S * pause)
    return Run(tuple(frames), tuple(figures))


def _counting(held: Frame | None, frame: Frame) -> tuple[Frame, ...]:
    """Of an animation the last step counts, if what comes after it shows something else."""
    if frame.growing:
        return ()
    return (held, frame) if held is not None and held.ghost != frame.ghost else (frame,)


def draw(run: Run, path: str) -> None:
    """The run as a picture, with no font from anywhere else than the viewer's machine."""
    console = Console(
        record=True, width=88, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for frame in run.frames[1:]:
        console.print(_screen(frame, console, around=1))
        console.print()
    show_figures(run.figures, console)
    svg = console.export_svg(title="inkling demo")
    Path(path).write_text(FONT_FACE.sub("", svg), encoding="utf-8")


def _screen(frame: Frame, console: Console, *, around: int = VIEW_LINES) -> Group:
    view = code_view(
        frame.before,
        frame.ghost,
        frame.after,
        lexer="python",
        above=around,
        below=around,
        width=console.width,
        marks=ghost_marks(console),
    )
    return Group(view, Text("\n\n> " + frame.note, style="bold"))


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
