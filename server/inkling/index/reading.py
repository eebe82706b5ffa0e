"""Which file of a workspace is read next, and how much of it is wanted. Pure state.

Three queues: what the user has just touched, parsed at once; what was never read, by the line
where there is much of it, so that all of the workspace can be searched within seconds; and what
has been read by the line only, to be parsed. Near files come first: those in folders of open
documents, then what was changed last. Owner: the Workspace.
"""

from collections.abc import Iterable, Mapping

from inkling.index.jobs import Wanted, Wish

MANY = 400
"""Files from which on it is worth reading them by the line first."""
URGENT, LEXICAL, PARSED = 16, 64, 32
"""Files of one batch: about a tenth of a second."""


class ReadingQueue:
    """See the module. A path is in one of the queues at most."""

    def __init__(self) -> None:
        self._urgent: dict[str, None] = {}
        self._unread: dict[str, int] = {}
        self._unparsed: dict[str, int] = {}
        self._by_line = False
        self._near: set[str] = set()
        self._sorted = False
        self.total = 0
        """Files that were put in since all queues were empty last."""

    @property
    def phase(self) -> str:
        """What is under way: "reading", "parsing" or nothing."""
        return "reading" if self._unread or self._urgent else "parsing" if self._unparsed else ""

    @property
    def by_line(self) -> bool:
        """Whether files are read by the line first, and parsed later."""
        return self._by_line

    def __len__(self) -> int:
        return len(self._urgent) + len(self._unread) + len(self._unparsed)

    def touch(self, paths: Iterable[str]) -> None:
        """These have just changed."""
        for path in paths:
            self._count(path)
            self._unread.pop(path, None)
            self._unparsed.pop(path, None)
            self._urgent[path] = None

    def add(self, files: Mapping[str, int]) -> None:
        """These were never read as they are; path → time of the last change, in ns."""
        for path, mtime_ns in files.items():
            if path not in self._urgent:
                self._count(path)
                self._unparsed.pop(path, None)
                self._unread[path] = mtime_ns
        self._by_line = self._by_line or len(self._unread) > MANY
        self._sorted = False

    def deepen(self, files: Mapping[str, int]) -> None:
        """These are to be parsed when there is time."""
        for path, mtime_ns in files.items():
            if path not in self._urgent and path not in self._unread:
                self._count(path)
                self._unparsed[path] = mtime_ns
        self._sorted = False

    def drop(self, path: str) -> None:
        """The file is gone."""
        for queue in (self._urgent, self._unread, self._unparsed):
            queue.pop(path, None)

    def near(self, folders: Iterable[str]) -> None:
        """The folders of the open documents."""
        self._near = set(folders)
        self._sorted = False

    def take(self) -> list[Wanted]:
        """The next batch; empty if there is nothing to do."""
        self._sort()
        wish: Wish = "parsed"
        if self._urgent:
            paths = _first(self._urgent, URGENT)
        elif self._unread:
            wish = "lexical" if self._by_line else "parsed"
            paths = _first(self._unread, LEXICAL if self._by_line else PARSED)
        else:
            self._by_line = False
            paths = _first(self._unparsed, PARSED)
        if not len(self):
            self.total = 0
        return [Wanted(path, wish) for path in paths]

    def _count(self, path: str) -> None:
        known = path in self._urgent or path in self._unread or path in self._unparsed
        self.total += not known

    def _sort(self) -> None:
        if self._sorted:
            return
        self._sorted = True

        def order(item: tuple[str, int]) -> tuple[bool, int, str]:
            path, mtime_ns = item
            return path.rpartition("/")[0] not in self._near, -mtime_ns, path

        self._unread = dict(sorted(self._unread.items(), key=order))
        self._unparsed = dict(sorted(self._unparsed.items(), key=order))


def _first(queue: dict[str, None] | dict[str, int], count: int) -> list[str]:
    paths = [path for path, _ in zip(queue, range(count), strict=False)]
    for path in paths:
        del queue[path]
    return paths
