"""The process that builds segments out of the store's records and ends, its memory with it.

Called with the workspace's folder in the cache; stdin has the paths of the files, each ended by a
NUL. Prints the name of each segment once it is there, one a line.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from inkling.index.segment import build
from inkling.index.store import Store
from inkling.index.worker import give_way

FILES = 10_000
"""Of one segment: a rebuild after many changes does not have to touch all of a large workspace."""
PATTERN = "segment-*.bin"


def main() -> int:
    """Build and print; exit status 1 where the store can't be read or nothing can be written."""
    give_way()
    folder = Path(sys.argv[1])
    paths = [path.decode() for path in sys.stdin.buffer.read().split(b"\0") if path]
    try:
        store = Store.open(folder)
        for start in range(0, len(paths), FILES):
            name = f"segment-{time.time_ns():020}-{os.getpid()}.bin"
            if _build(store, folder / name, paths[start : start + FILES]):
                sys.stdout.write(f"{name}\n")
                sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _build(store: Store, file: Path, paths: Sequence[str]) -> bool:
    count = build(file, store.rows(paths))
    if not count:
        file.unlink(missing_ok=True)
    return count > 0


if __name__ == "__main__":
    sys.exit(main())
