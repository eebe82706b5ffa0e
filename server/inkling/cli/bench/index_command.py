"""The command `inkling bench index`: options in, progress on stderr, a table or JSON out."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from inkling.cli.bench.commands import (
    ERRORS,
    json_option,
    print_report,
    save_option,
    seed_option,
)
from inkling.cli.bench.machine import describe
from inkling.cli.bench.report import number
from inkling.engine.machine import usable_cores

VERDICTS = {True: "met", False: "missed", None: ""}


@click.command("index")
@click.argument(
    "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path()
)
@json_option
@save_option
@seed_option
@click.option("--places", default=400, show_default=True, help="Places that context is asked for.")
@click.option("--changes", default=120, show_default=True, help="Single changes, in a copy.")
@click.option(
    "--checkout", default=5_000, show_default=True, help="Files written at once, in a copy."
)
def bench_index(
    directory: Path,
    as_json: bool,
    save: Path | None,
    seed: int,
    places: int,
    changes: int,
    checkout: int,
) -> None:
    """Index DIRECTORY (default: this one) from nothing and time everything the index does.

    The cache is a temporary one, and nothing is written into DIRECTORY: changes on disk are
    measured in a temporary copy of some of its files. Keep the machine idle meanwhile.
    """
    try:
        report = asyncio.run(_measured(directory.resolve(), seed, places, changes, checkout))
    except TimeoutError as error:
        raise click.ClickException(
            "The index did not learn of a change within a minute."
        ) from error
    print_report(report, as_json, save, show_index)


async def _measured(
    root: Path, seed: int, places: int, changes: int, checkout: int
) -> dict[str, Any]:
    from inkling.cli.bench import index_changes, index_run
    from inkling.cli.bench.index_targets import held
    from inkling.cli.bench.recall import reader

    workers = usable_cores()
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="inkling-bench-") as name, _steps() as say:
        cache, copy = Path(name) / "cache", Path(name) / "changes"
        copy.mkdir()
        figures, counts, known = await index_run.measure(root, cache, workers, seed, places, say)
        if not counts.files:
            raise click.ClickException(f"There is no file to index in {root}.")
        figures |= await index_changes.measure(
            reader(root), known.paths, copy, workers, seed, changes, checkout, say
        )
    rounded = {key: _rounded(value) for key, value in figures.items()}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine,
        "seed": seed,
        "workers": workers,
        "tree": {
            "name": root.name,
            "files": counts.files,
            "parsed": counts.parsed,
            "definitions": counts.definitions,
            "mb": round(known.bytes / 1e6, 1),
        },
        "problems": list(counts.problems),
        "figures": held(rounded, counts.files),
    }


def show_index(report: dict[str, Any], console: Console) -> None:
    """Print the report."""
    machine, tree = report["machine"], report["tree"]
    load = f", load {machine['load'][0]} before" if machine["load"] else ""
    console.print(
        f"{machine['processor']}, {machine['cores']} cores{load}; {report['workers']} workers\n"
        f"{tree['name']}: {tree['files']:,} files, {tree['mb']:,} MB, {tree['parsed']:,} parsed, "
        f"{tree['definitions']:,} definitions; seed {report['seed']}",
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "figure", "target", ""):
        table.add_column(column, justify="right" if column else "left")
    for row in report["figures"]:
        sign = "≤" if row["side"] == "at most" else "≥"
        target = "" if row["target"] is None else f"{sign} {number(row['target'])} {row['unit']}"
        table.add_row(
            row["title"], f"{number(row['value'])} {row['unit']}", target, VERDICTS[row["met"]]
        )
    console.print(table)
    for text in report["problems"]:
        console.print(f"[yellow]{text}[/]", highlight=False)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3 if abs(value) < 10 else 1)


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """What is under way, in one line on stderr; nothing where that is no terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda text: bar.update(task, description=text)
