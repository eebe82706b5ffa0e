"""`inkling bench index`: the index on a folder of the user's, each figure by the real thing.

The process, the cache format and the rules are those of an editor's server; the cache is an empty
temporary one. Invariant: nothing is written below the folder. What needs changing files is done
in a copy of some of them (`index_changes`). Files are in the system's cache when they are read
again, so that a restart's times are those of a machine that has just worked on the folder.
"""

import asyncio
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from inkling.cli.bench.figures import percentile
from inkling.cli.bench.machine import anonymous_mb, ended_s, resident_mb
from inkling.cli.bench.recall import (
    Cursor,
    Read,
    cursors,
    reader,
    shown_at,
    siblings_of,
    yardstick,
)
from inkling.index.client import IndexClient
from inkling.index.compact import PATTERN
from inkling.index.reading import MANY
from inkling.index.segment import Segment
from inkling.index.store import Store
from inkling.index.view import View
from inkling.index.wire import Counted, Counts, Defined, Problem, Question, Serve, Snippets, Symbols
from inkling.text.store import Change, DocumentStore

BUDGET = 6_000
"""Bytes of context that a question asks for."""
PATIENCE_S = 60.0
KEYS = 2_000
MOST_LINES = 20_000

Say = Callable[[str], None]
"""Told what is done next, for people who wait."""
Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What a cold start came to know, read from its cache by this process, too."""

    view: View
    paths: tuple[str, ...]
    """Of all indexed files, sorted."""
    unique: tuple[str, ...]
    """Of those whose content no other file has: no copy gives an answer away."""
    bytes: int


@asynccontextmanager
async def running(serve: Serve) -> AsyncIterator[IndexClient]:
    """An index process, ended with the block."""
    client = IndexClient(serve)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        await client.close()
        await task


async def ready(client: IndexClient) -> None:
    """Wait until all is indexed."""
    async for news in client.news():
        if not isinstance(news, Problem) and news.phase == "ready":
            return


async def measure(
    root: Path, cache: Path, workers: int, seed: int, places: int, say: Say
) -> tuple[Figures, Counts, Known]:
    """All figures that need no change on disk, what is indexed, and what is known of it."""
    serve = Serve((str(root),), str(cache), watch=False, workers=workers)
    say("cold start")
    figures, counts = await _cold(serve)
    known = _known(cache)
    read = reader(root)
    rate = figures["cold_full_rate"]
    if counts.files and rate is not None:
        figures["cold_full_mb_rate"] = rate * known.bytes / counts.files / 1e6
    say("retrieval, inside")
    chosen = list(cursors(read, known.unique, places, seed))
    figures |= _inside(known, read, chosen)
    say("start again")
    async with running(serve) as client:
        figures |= await _restart(client, root, chosen)
        await asyncio.wait_for(ready(client), PATIENCE_S)
        say("retrieval, asked")
        figures |= await _asked(client, root, chosen)
        say("symbols")
        figures |= await _symbols(client, known, places // 2, seed)
        figures |= memory("rest")
        say("open documents")
        figures |= await _texts(client, root, known, places // 4, seed)
    say("keys")
    figures |= _keys(read, known, seed)
    return figures, counts, known


async def until_found(client: IndexClient, question: Question) -> None:
    """Ask until there is a place. Raises TimeoutError after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        # Nobody tells when a change has arrived.
        while not (await client.ask(question, PATIENCE_S)).places:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def memory(moment: str) -> Figures:
    """Memory of the index process and its workers at this moment, where the system tells."""
    found: Figures = {}
    for name, sizes in (("", resident_mb(os.getpid())), ("anonymous_", anonymous_mb(os.getpid()))):
        mine = [size for role, size in sizes.items() if role.startswith("inkling.index.")]
        found[f"memory_{moment}_{name}mb"] = round(sum(mine), 1) if mine else None
    return found


async def _cold(serve: Serve) -> tuple[Figures, Counts]:
    """From nothing to everything."""
    began, used = time.perf_counter(), ended_s()
    looked = read = None
    async with running(serve) as client:
        async for news in client.news():
            if isinstance(news, Problem) or news.phase == "looking":
                continue
            now = time.perf_counter() - began
            looked = looked or now
            if news.phase != "reading":
                read = read or now
            if news.phase == "ready":
                break
        full = time.perf_counter() - began
        busy = memory("busy")
        answer = await client.ask(Counted(), PATIENCE_S)
    counts = answer.counts or Counts()
    start = looked or 0.0
    after = ended_s()
    spent = after - used if used is not None and after is not None else None
    lexical = read if counts.files > MANY else None  # fewer are parsed at once
    return {
        "looked_s": looked,
        "cold_lexical_s": lexical,
        "cold_lexical_rate": _rate(counts.files, lexical and lexical - start, serve.workers),
        "cold_full_s": full,
        "cold_full_rate": _rate(counts.files, full - start, serve.workers),
        "cold_processor_s": spent,
        "cold_processor_rate": _rate(counts.files, spent, 1),
        "cache_mb": _size(Path(serve.cache)) / 1e6,
        **busy,
    }, counts


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _rate(files: int, seconds: float | None, workers: int) -> float | None:
    return files / seconds / workers if seconds else None


def _known(cache: Path) -> Known:
    """The view of the only folder in the cache."""
    folder = next(cache.iterdir())
    store = Store.open(folder)
    try:
        links = {path: hash_ for path, _, _, hash_ in store.known()}
        view = View(Segment.open(file) for file in sorted(folder.glob(PATTERN)))
        for path, hash_, record in store.rows(view.settle(links)):
            view.put(path, hash_, record)
    finally:
        store.close()
    paths = tuple(sorted(view.paths()))
    times = Counter(links.values())
    unique = tuple(path for path in paths if times[links[path]] == 1)
    return Known(view, paths, unique, sum(max(0, view.size(path)) for path in paths))


def _inside(known: Known, read: Read, chosen: Sequence[Cursor]) -> Figures:
    """What context shows of the hidden lines, and how long choosing it takes."""
    siblings = siblings_of(known.paths)
    shown = [shown_at(known.view, read, cursor, BUDGET) for cursor in chosen]
    theirs = [
        cursor.recall(yardstick(read, cursor, siblings(cursor.path), BUDGET)) for cursor in chosen
    ]
    if not shown:
        return {}
    recall = 100 * statistics.mean(one.recall for one in shown)
    yard = 100 * statistics.mean(theirs)
    return {
        "recall": recall,
        "recall_hits": 100 * statistics.mean(one.recall > 0 for one in shown),
        "recall_siblings": yard,
        "recall_lead": recall - yard,
        **spread("retrieval_inside", [one.ms for one in shown]),
    }


def spread(name: str, samples: Sequence[float], share: float = 0.99) -> Figures:
    """p50 and one more percentile of milliseconds."""
    if not samples:
        return {}
    return {
        f"{name}_p50_ms": percentile(samples, 0.5),
        f"{name}_p{share * 100:.0f}_ms": percentile(samples, share),
    }


def _question(root: Path, cursor: Cursor) -> Snippets:
    return Snippets(
        str(root / cursor.path), cursor.language, cursor.data, cursor.offset, BUDGET, deadline_s=1.0
    )


async def _restart(client: IndexClient, root: Path, chosen: Sequence[Cursor]) -> Figures:
    """From the start of the process to context, and until the disk has been looked at."""
    if not chosen:
        return {}
    began = time.perf_counter()
    first = None
    turn = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.ask(_question(root, chosen[turn % len(chosen)]), PATIENCE_S)
            now = time.perf_counter() - began
            # An index that knows everything and shows nothing: so it is with this tree.
            if first is None and (answer.pieces or (answer.complete and not answer.error)):
                first = now
            if first is not None and answer.complete:
                return {"restart_context_s": first, "restart_validated_s": now - first}
            turn += not answer.error and not answer.pieces
            await asyncio.sleep(0.005)


async def _asked(client: IndexClient, root: Path, chosen: Sequence[Cursor]) -> Figures:
    times = []
    for cursor in chosen:
        began = time.perf_counter()
        await client.ask(_question(root, cursor), PATIENCE_S)
        times.append(1000 * (time.perf_counter() - began))
    return spread("retrieval_asked", times)


async def _symbols(client: IndexClient, known: Known, count: int, seed: int) -> Figures:
    """What people type to find a definition: its beginning, a part, initials, some letters."""
    times = []
    for query in queries(_definitions(known, count, seed), seed):
        began = time.perf_counter()
        await client.ask(Symbols(query), PATIENCE_S)
        times.append(1000 * (time.perf_counter() - began))
    return spread("symbols", times)


def queries(names: Sequence[str], seed: int) -> list[str]:
    """One query for each name, of four kinds in turn."""
    chance = random.Random(seed)
    found = []
    for number, name in enumerate(names):
        start = chance.randrange(max(1, len(name) - 4))
        letters = sorted(chance.sample(range(len(name)), min(5, len(name))))
        found.append(
            (
                name[: chance.randint(1, 5)],
                name[start : start + 5],
                "".join(letter for letter in name if letter.isupper()) or name[:3],
                "".join(name[at] for at in letters),
            )[number % 4]
        )
    return found


def _definitions(known: Known, count: int, seed: int) -> list[str]:
    """`count` names of things that are defined somewhere, spread over the files."""
    chance = random.Random(seed)
    found: list[str] = []
    for path in chance.sample(known.paths, min(len(known.paths), 5 * count)):
        names = [one.name for one in known.view.definitions(path) or () if len(one.name) > 2]
        if names:
            found.append(chance.choice(names))
        if len(found) == count:
            break
    return found


async def _texts(client: IndexClient, root: Path, known: Known, count: int, seed: int) -> Figures:
    """New texts of open documents, as they are told after a pause in typing, until a definition
    that is only in them is found."""
    chance = random.Random(seed)
    read = reader(root)
    paths = [path for path in known.paths if path.endswith(".py")] or list(known.paths)
    times = []
    for number in range(count if paths else 0):
        path = chance.choice(paths)
        name = f"bench_index_symbol_{number}"
        data = (read(path) or b"") + f"\n\ndef {name}():\n    return {number}\n".encode()
        place = str(root / path)
        began = time.perf_counter()
        client.opened(place, data)
        await until_found(client, Defined(name, place))
        times.append(1000 * (time.perf_counter() - began))
        client.closed(place)
    return spread("text_to_symbols", times, 0.9)


def _keys(read: Read, known: Known, seed: int) -> Figures:
    """Typing into the largest file there is, up to `MOST_LINES`: bursts of keys and new lines."""
    largest = sorted(known.paths, key=known.view.size, reverse=True)[:20]
    texts = ((read(path) or b"").decode("utf-8", "replace") for path in largest)
    text = next((text for text in texts if text.count("\n") <= MOST_LINES), "")
    chance = random.Random(seed)
    store = DocumentStore("utf-16")
    uri = "file:///bench/keys"
    size = len(store.open(uri, "", 1, text).data)
    line = character = 0
    times = []
    for key in range(KEYS):
        if key % 20 == 0:
            line, character = store.position_at(uri, chance.randrange(size + 1))
        typed = "\n" if key % 20 == 19 else chance.choice("etaoin_(")
        change = Change(typed, (line, character, line, character))
        began = time.perf_counter()
        store.change(uri, key + 2, (change,))
        times.append(1000 * (time.perf_counter() - began))
        character += 1
    return spread("key_to_buffer", times)
