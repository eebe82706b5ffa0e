"""`inkling index [DIR]`: build or update the index of a folder, and look into it.

The same process, cache and rules as in an editor, for the length of one command.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from inkling.cli.bench.machine import resident_mb
from inkling.cli.place import Place, PlaceType, offset_of, open_document
from inkling.cli.render import make_console
from inkling.dirs import index_dir
from inkling.engine.machine import usable_cores
from inkling.index.client import IndexClient
from inkling.index.wire import (
    Answer,
    Counted,
    Counts,
    Problem,
    Question,
    Serve,
    Snippets,
    Symbols,
)

WAIT_S = 30.0
"""How long an answer may take."""
CONTEXT_BYTES = 6_000
STEPS = {"looking": "Looking for files", "reading": "Reading", "parsing": "Parsing", "ready": ""}


@click.command()
@click.argument(
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--symbol", metavar="NAME", help="Print the definitions whose name fits.")
@click.option(
    "--context",
    "place",
    type=PlaceType(),
    help="Print what a prompt for FILE:LINE:COL would get of other files.",
)
def index(directory: Path, as_json: bool, symbol: str | None, place: Place | None) -> None:
    """Build or update the index of DIRECTORY (default: this one), and print what is in it.

    The index lies in the cache, never in the folder itself. An editor's server keeps it up to
    date while it runs; this command is for looking, and for big folders before the first use.
    """
    asyncio.run(_index(directory.resolve(), as_json, symbol, place))


async def _index(root: Path, as_json: bool, symbol: str | None, place: Place | None) -> None:
    question = _question(symbol, place)
    began = time.perf_counter()
    async with indexing(root, make_console(stderr=True)) as (client, problems):
        took = time.perf_counter() - began
        answer = await client.ask(question or Counted(), WAIT_S)
        memory = resident_mb(os.getpid())
    if answer.error:
        raise click.ClickException(answer.error)
    if as_json:
        record = msgspec.to_builtins(answer) | {"root": str(root), "seconds": round(took, 3)}
        click.echo(json.dumps(record | {"memory_mb": memory, "problems": problems}, indent=2))
    elif question is None:
        _show_counts(root, answer.counts or Counts(), took, memory, problems)
    elif symbol is not None:
        _show_symbols(root, answer)
    else:
        _show_pieces(answer)


def _question(symbol: str | None, place: Place | None) -> Question | None:
    if symbol is not None:
        return Symbols(symbol)
    if place is None:
        return None
    document = open_document(place.path)
    return Snippets(
        path=str(place.path.resolve()),
        language=document.language_id,
        data=document.data,
        offset=offset_of(document, place),
        budget_bytes=CONTEXT_BYTES,
        deadline_s=WAIT_S,
    )


@asynccontextmanager
async def indexing(
    root: Path, console: Console, workers: int | None = None
) -> AsyncIterator[tuple[IndexClient, list[str]]]:
    """The index of `root`, complete, and what was told of problems meanwhile."""
    count = workers or usable_cores()
    serve = Serve((str(root),), str(index_dir()), watch=False, workers=count, encoding="utf-32")
    client = IndexClient(serve)
    running = asyncio.create_task(client.run())
    problems: list[str] = []
    try:
        with _bar(console) as bar:
            task = bar.add_task("Looking for files", total=None)
            async for news in client.news():
                if isinstance(news, Problem):
                    problems.append(news.text)
                    continue
                bar.update(
                    task,
                    description=STEPS[news.phase],
                    completed=news.done,
                    total=news.total or None,
                )
                if news.phase == "ready":
                    break
        yield client, problems
    finally:
        await client.close()
        await running


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _show_counts(
    root: Path, counts: Counts, took: float, memory: dict[str, float], problems: list[str]
) -> None:
    console = make_console()
    console.print(f"[bold]{root}[/]", highlight=False)
    console.print(
        f"{counts.files:,} files, {counts.parsed:,} of them parsed; "
        f"{counts.definitions:,} definitions, {counts.names:,} names",
        highlight=False,
    )
    speed = f", {counts.files / took:,.0f} files/s" if took > 0.5 else ""
    console.print(f"{took:.1f} s{speed}; {sum(memory.values()):.0f} MB of memory", highlight=False)
    for text in dict.fromkeys((*counts.problems, *problems)):
        console.print(f"[yellow]{text}[/]", highlight=False)


def _show_symbols(root: Path, answer: Answer) -> None:
    for place in answer.places:
        path = Path(place.path)
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        within = f" in {place.container}" if place.container else ""
        click.echo(
            f"{shown}:{place.start[0] + 1}:{place.start[1] + 1}: {place.kind} {place.name}{within}"
        )
    if not answer.places:
        click.echo("No definition fits.", err=True)


def _show_pieces(answer: Answer) -> None:
    console = make_console()
    for piece in answer.pieces:
        head = f"── {piece.path}, bytes {piece.start} to {piece.end}: {piece.reason}"
        console.print(head, style="bold", markup=False, highlight=False)
        console.print(piece.text, markup=False, highlight=False, soft_wrap=True)
    if not answer.pieces:
        click.echo("Nothing of other files fits.", err=True)
