"""How much of what comes next does retrieval show? `python tests/bench/retrieval_recall.py DIR`.

Indexes a folder in this process, in one tier, and measures as `inkling bench index` does
(`cli/bench/recall.py`), which takes the whole index and prints more. This is for comparing ways of
retrieving. A file whose content occurs twice is indexed once, so that no copy gives the answer
away.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from inkling.cli.bench.recall import Shown, cursors, reader, shown_at
from inkling.index.extract import record_of
from inkling.index.record import FileRecord
from inkling.index.segment import Segment, build
from inkling.index.store import content_hash
from inkling.index.view import View
from inkling.syntax.languages import language_of

SEGMENT_FILES = 8_000
SKIPPED = {".git", "node_modules", "__pycache__", ".venv"}


def files_of(root: Path, limit: int) -> Iterator[tuple[str, bytes]]:
    seen = set()
    for path in sorted(root.rglob("*")):
        if language_of("", path.name) is None or SKIPPED & set(path.parts) or path.is_symlink():
            continue
        if not path.is_file() or not 0 < path.stat().st_size <= 512_000:
            continue
        data = path.read_bytes()
        hash_ = content_hash(data)
        if hash_ in seen or b"\0" in data[:8192]:
            continue
        seen.add(hash_)
        yield path.relative_to(root).as_posix(), data
        if len(seen) >= limit:
            return


def indexed(root: Path, folder: Path, limit: int, parse: bool) -> View:
    view = View()
    batch: list[tuple[str, bytes, FileRecord]] = []

    def flush() -> None:
        file = folder / f"{len(view.shown)}.segment"
        build(file, batch)
        view.add(Segment.open(file))
        batch.clear()

    for path, data in files_of(root, limit):
        record = record_of(path, data, parse=parse)
        if record is not None:
            batch.append((path, content_hash(data), record))
        if len(batch) == SEGMENT_FILES:
            flush()
    if batch:
        flush()
    return view


def measured(root: Path, view: View, count: int, seed: int, budget: int) -> list[Shown]:
    read = reader(root)
    chosen = cursors(read, sorted(view.paths()), count, seed)
    return [shown_at(view, read, cursor, budget) for cursor in chosen]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cursors", type=int, default=400)
    parser.add_argument("--files", type=int, default=10_000, help="at most so many")
    parser.add_argument("--budget", type=int, default=6000, help="bytes of context")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parse", action="store_true", help="the parsed tier, not the lexical one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        view = indexed(options.folder, Path(folder), options.files, options.parse)
        took = time.perf_counter() - began
        shown = measured(options.folder, view, options.cursors, options.seed, options.budget)
    if not shown:
        print("no place to ask at", file=sys.stderr)
        return 1
    times = sorted(one.ms for one in shown)
    figures = {
        "files": len(view),
        "cursors": len(shown),
        "recall": round(100 * statistics.mean(one.recall for one in shown), 1),
        "hits": round(100 * statistics.mean(one.recall > 0 for one in shown), 1),
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[int(len(times) * 0.99)], 2),
        "bytes": round(statistics.mean(one.size for one in shown)),
        "index_s": round(took, 1),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
