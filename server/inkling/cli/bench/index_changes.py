"""What the index makes of changes on disk, in a temporary copy of some files of a folder.

The copy is watched as Inkling does where the editor does not tell of changes. Nothing is lost
where every file that was written is found in the end, which is waited for as long as more come.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from inkling.cli.bench.index_run import (
    PATIENCE_S,
    Figures,
    Say,
    ready,
    running,
    spread,
    until_found,
)
from inkling.cli.bench.recall import Read
from inkling.index.client import IndexClient
from inkling.index.wire import Counted, Serve, Symbols
from inkling.syntax.languages import language_of_file

COPIED = 1_000
"""Files that are there before anything changes."""
STILL_S = 20.0
"""No further file for so long: those that are missing are lost."""


async def measure(
    read: Read,
    paths: Sequence[str],
    folder: Path,
    workers: int,
    seed: int,
    single: int,
    checkout: int,
    say: Say,
) -> Figures:
    """Figures of changes. `paths` are indexed files, `folder` is an empty one for everything;
    `single` changes come one after the other, `checkout` files are written at once."""
    chance = random.Random(seed)
    order = chance.sample(paths, len(paths))
    root, cache = folder / "copy", folder / "cache"
    root.mkdir()
    await asyncio.to_thread(_copy, read, order[:COPIED], root)
    serve = Serve((str(root),), str(cache), watch=True, workers=workers)
    async with running(serve) as client:
        await asyncio.wait_for(ready(client), 5 * PATIENCE_S)
        say("changes on disk")
        figures = spread("change_to_index", await _changes(client, root, single))
        say(f"{checkout:,} files at once")
        figures |= await _checkout(client, read, order[COPIED:] or order, root, checkout)
    return figures


async def _changes(client: IndexClient, root: Path, count: int) -> list[float]:
    """Milliseconds from a written file to finding what it defines: a new file, the same file
    written again, one in a new folder, in turn."""
    times = []
    for number in range(count):
        name = f"bench_index_change_{number}"
        place = root / f"changed_{number // 3}"
        if number % 3 == 2:
            place.mkdir()
        file = place / "inside.py" if number % 3 == 2 else place.with_suffix(".py")
        text = f"def {name}():\n    return {number}\n"
        began = time.perf_counter()
        file.write_text(text, encoding="utf-8")
        await until_found(client, Symbols(name, 1))
        times.append(1000 * (time.perf_counter() - began))
    return times


async def _checkout(
    client: IndexClient, read: Read, paths: Sequence[str], root: Path, count: int
) -> Figures:
    """Write so many files as fast as that goes, and wait for all of them."""
    if not paths:
        return {}
    texts = [_text(read, paths, number) for number in range(count)]
    before = await _files(client)
    began = time.perf_counter()
    writing = asyncio.create_task(asyncio.to_thread(_write, texts, root))
    last, moved, found = before, began, 0.0
    while last < before + count:
        await asyncio.sleep(0.05)
        now = time.perf_counter()
        files = await _files(client)
        if files != last or not writing.done():
            last, moved = files, now
        elif now - moved > STILL_S:
            break
        found = now - began
    await writing
    return {
        "checkout_s": found,
        "checkout_files": count,
        "checkout_lost": before + count - last,
    }


async def _files(client: IndexClient) -> int:
    answer = await client.ask(Counted(), PATIENCE_S)
    return answer.counts.files if answer.counts else 0


def _text(read: Read, paths: Sequence[str], number: int) -> tuple[str, bytes]:
    """The name and the content of a file that is like none other."""
    path = paths[number % len(paths)]
    language = language_of_file(path)
    comment = language.comment if language is not None else "#"
    name = f"part_{number // 50}/{number}_{path.rpartition('/')[2]}"
    return name, (read(path) or b"") + f"\n{comment} {number}\n".encode()


def _copy(read: Read, paths: Sequence[str], root: Path) -> None:
    _write([(path, data) for path in paths if (data := read(path)) is not None], root)


def _write(texts: Sequence[tuple[str, bytes]], root: Path) -> None:
    for name, data in texts:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
