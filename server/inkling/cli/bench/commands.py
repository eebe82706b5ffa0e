"""The commands of `inkling bench`: options in, progress on stderr, tables or JSON out."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from inkling.cli.bench import corpus as corpora
from inkling.cli.bench.machine import describe
from inkling.cli.bench.server_side import NEOVIM, VS_CODE, NotReady
from inkling.cli.machine import this_machine
from inkling.config import Settings
from inkling.models.cache import Missing, resolve
from inkling.models.errors import ModelError

ERRORS = Console(stderr=True)
CLIENTS = {"vscode": VS_CODE, "neovim": NEOVIM}
AGAINST = click.Choice(["llama-server"])

model_option = click.option("--model", default=Settings().model, help="Catalogue name or path.")
seed_option = click.option("--seed", default=1, show_default=True, help="What is chosen.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
save_option = click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everything as JSON into this file, too.",
)
against_option = click.option(
    "--against", type=AGAINST, help="The same for llama-server, driven as llama.vim drives it."
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 512), help="For every side. Default: all cores."
)
corpus_option = click.option(
    "--corpus",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use the source files below this directory instead of fetching the pinned ones.",
)


@click.command("corpus")
def bench_corpus() -> None:
    """Fetch the pinned source files that the benches type and complete."""
    _fetch_corpus()
    files = corpora.packaged_files()
    click.echo(f"{len(files)} source files in {corpora.corpus_dir()}")


@click.command()
@json_option
@save_option
@against_option
@seed_option
@click.option("--keys", default=400, show_default=True, help="Keys typed, about.")
@click.option("--places", default=30, show_default=True, help="Places for six keys mid-line.")
@click.option("--aborts", default=20, show_default=True, help="Stops measured, of each kind.")
@model_option
@threads_option
@corpus_option
@click.option(
    "--client",
    type=click.Choice(list(CLIENTS)),
    default="vscode",
    show_default=True,
    help="Whom to pass for: VS Code drops answers that take longer than 750 ms.",
)
@click.option("--backend", type=click.Choice(["llama", "scripted"]), default="llama", hidden=True)
def latency(
    as_json: bool,
    save: Path | None,
    against: str | None,
    seed: int,
    keys: int,
    places: int,
    aborts: int,
    model: str,
    threads: int | None,
    directory: Path | None,
    client: str,
    backend: str,
) -> None:
    """Type real files through the real server and time every event.

    Takes as long as the typing takes, once for each side; keep the machine idle meanwhile.
    """
    from inkling.cli.bench import latency_run as bench
    from inkling.cli.bench.report import show_latency

    path = model_path(model) if backend == "llama" else Path(model)
    count = threads or this_machine().cores
    todo = bench.make_plan(_files(directory, seed), seed, keys, places, aborts)
    options = {"model": str(path), "threads": count, "backend": backend}
    settings = Settings(model=str(path), threads=count, backend=backend)  # type: ignore[arg-type]
    if backend == "scripted":
        del options["model"]
        settings = Settings(backend="scripted")
    peers = {
        "llama.vim, presets": bench.PRESET_BATCH,
        "llama.vim, tuned": bench.TUNED_BATCH,
    }
    names = ["inkling", *(peers if against else ())]
    seconds = sum(todo.seconds(spot) for spot, _ in zip(bench.SPOT_S, names, strict=False)) + aborts
    ERRORS.print(f"{len(todo.traces)} files, about {seconds / 60:.0f} minutes; machine idle?")
    report = _report(model, count, seed) | {
        "client": client,
        "files": [trace.name for trace in todo.traces],
        "sides": {},
    }
    for name in names:
        units = todo.units() + (2 * aborts if name == "inkling" else 0)
        with progress(name, units) as advance:
            if name == "inkling":
                work = bench.run_inkling(todo, settings, options, CLIENTS[client], advance)
            else:
                work = bench.run_peer(todo, name, path, count, peers[name], advance)
            report["sides"][name] = run(work)
    print_report(report, as_json, save, show_latency)


@click.command()
@json_option
@save_option
@against_option
@seed_option
@click.option("--subset", type=click.IntRange(1), help="So many seeded cases of each set.")
@click.option("--set", "chosen", type=click.Choice(["humaneval", "holes", "all"]), default="all")
@click.option(
    "--as",
    "asked",
    type=click.Choice(["by-hand", "key"]),
    default="by-hand",
    show_default=True,
    help="Asked with time for a wide window, or as the first key at a new place is.",
)
@click.option(
    "--repo",
    "repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Holes in this repository's files that use names of its other files, once with and once "
    "without the index.",
)
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Every case.")
@click.option(
    "--floor",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fail (exit 1) where a figure is below this TOML file's.",
)
@model_option
@threads_option
@corpus_option
def quality(
    as_json: bool,
    save: Path | None,
    against: str | None,
    seed: int,
    subset: int | None,
    chosen: str,
    asked: str,
    repository: Path | None,
    table: Path | None,
    floor: Path | None,
    model: str,
    threads: int | None,
    directory: Path | None,
) -> None:
    """Fill holes whose content is known, and count how often it is exactly that.

    HumanEval's single lines are also judged by running its tests on what was suggested: code
    written by the model is executed, in a process of its own with limits, in an empty folder.
    """
    from inkling.cli.bench import quality_run as bench
    from inkling.cli.bench.report import show_quality

    path = model_path(model)
    count = threads or this_machine().cores
    settings = Settings(model=str(path), threads=count)
    if repository is not None:
        cases = bench.cross_file_cases(repository.resolve(), seed, subset)
    else:
        files = _files(directory, seed) if chosen != "humaneval" else []
        cases = bench.make_cases(chosen, files, seed, subset)
    report = _report(model, count, seed) | {"subset": subset, "asked": asked, "sides": {}}
    names = ["inkling"]
    if repository is not None:
        report["repository"] = repository.resolve().name
        names.append(bench.FILE_ALONE)
    rows = []
    for name in [*names, *(["llama-server, tuned"] if against else [])]:
        with progress(name, len(cases)) as advance:
            if name in names:
                asking = replace(settings, workspace_context=name != bench.FILE_ALONE)
                done = run(
                    bench.run_inkling(
                        cases,
                        asking,
                        advance,
                        by_hand=asked == "by-hand",
                        repository=repository.resolve() if repository else None,
                    )
                )
            else:
                done = run(bench.run_peer(cases, path, count, advance))
        with progress(f"{name}: tests", sum(row.kind == "humaneval" for row in done)) as advance:
            done = bench.judge(cases, done, advance)
        rows += [(name, row) for row in done]
        report["sides"][name] = bench.figures(done)
    if table:
        bench.write_csv(table, rows)
    print_report(report, as_json, save, show_quality)
    if floor and (problems := bench.below(floor, report["sides"]["inkling"])):
        raise click.ClickException("; ".join(problems))


def model_path(name: str) -> Path:
    """The model's file. Raises ClickException where it is not here."""
    try:
        found = resolve(name)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    if isinstance(found, Missing):
        raise click.ClickException(f"{name} is not on this machine: run `inkling pull {name}`.")
    return found


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one side to its end; what it can't do becomes one sentence."""
    from inkling.cli.bench.llama_server import ServerDidNotStart

    try:
        return asyncio.run(work)
    except (NotReady, ServerDidNotStart) as problem:
        raise click.ClickException(f"{problem}.".replace("..", ".")) from problem


@contextmanager
def progress(name: str, units: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with the time that is left; nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task(name, total=max(1, units))
        yield lambda count: bar.advance(task, count)


def _files(directory: Path | None, seed: int) -> list[corpora.SourceFile]:
    try:
        if directory is not None:
            return list(corpora.choose(corpora.own_files(directory), seed))
        _fetch_corpus()
        return list(corpora.choose(corpora.packaged_files(), seed))
    except corpora.CorpusMissing as problem:
        raise click.ClickException(f"{problem}.") from problem


def _fetch_corpus() -> None:
    packages = corpora.missing()
    for package in packages:
        ERRORS.print(f"Fetching {package.name} {package.version} ({package.licence})")
        try:
            corpora.fetch(package)
        except corpora.CorpusMissing as problem:
            ERRORS.print(f"{problem}.")


def _report(model: str, threads: int, seed: int) -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe(),
        "model": Path(model).name,
        "threads": threads,
        "seed": seed,
        "corpus": [f"{each.name} {each.version}" for each in corpora.PACKAGES],
    }


def print_report(
    report: dict[str, Any],
    as_json: bool,
    save: Path | None,
    show: Callable[[dict[str, Any], Console], None],
) -> None:
    text = json.dumps(report, indent=1)
    if save:
        save.parent.mkdir(parents=True, exist_ok=True)
        save.write_text(text + "\n", encoding="utf-8")
    if as_json:
        click.echo(text)
    else:
        show(report, Console())
