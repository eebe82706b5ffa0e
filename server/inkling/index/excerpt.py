"""Reads the files that snippets come from, each once, and only as they were indexed."""

from collections.abc import Callable

from inkling.index.view import View


class Sources:
    """Contents of one request. Owner: one call of `retrieve`."""

    def __init__(self, view: View, read: Callable[[str], bytes | None]) -> None:
        self._view = view
        self._read = read
        self._known: dict[str, bytes | None] = {}

    def data(self, path: str, *, as_indexed: bool = True) -> bytes | None:
        """A file's content; None where it is gone.

        With `as_indexed`, None also where it has another size than when it was indexed: places
        in it would not be what they were. (The watcher will have it indexed anew at once.)
        """
        if path not in self._known:
            self._known[path] = self._read(path)
        data = self._known[path]
        if data is None or (as_indexed and len(data) != self._view.size(path)):
            return None
        return data

    def line_end(self, path: str, start: int, end: int) -> int:
        """Behind the last whole line between `start` and `end`; `start` where there is none."""
        data = self.data(path) or b""
        return max(start, data.rfind(b"\n", start, end) + 1)

    def imports(self, path: str) -> list[tuple[int, int]]:
        """Byte ranges of the file's imports."""
        return self._view.imports(path)


def head_of(sources: Sources, path: str, limit: int) -> tuple[int, int] | None:
    """The lines at the head of a file that import things, at most `limit` bytes of them.

    Where the file's imports are not known: its beginning, without what is only comment or blank.
    None where there is nothing to show.
    """
    data = sources.data(path)
    if data is None:
        return None
    ranges = sources.imports(path)
    start = data.rfind(b"\n", 0, ranges[0][0]) + 1 if ranges else _first_code(data)
    # Imports further down belong to what is around them.
    last = start
    for begin, end in ranges:
        if begin - last > 200:
            break
        last = end
    end = last if ranges else len(data)
    end = min(end, start + limit)
    if end < len(data) and data[end - 1 : end] != b"\n":
        after = data.find(b"\n", end)
        end = after + 1 if 0 <= after < start + limit else data.rfind(b"\n", start, end) + 1
    return (start, end) if end > start else None


_COMMENTS = (b"#!", b"# ", b"#\n", b"//", b"/*", b"*", b'"""', b"'''", b"--", b";;")


def _first_code(data: bytes) -> int:
    """Where a file's first line stands that is neither blank nor begins like a comment."""
    at = 0
    for line in data[:20_000].splitlines(keepends=True):
        text = line.strip()
        if text and not text.startswith(_COMMENTS):
            return at
        at += len(line)
    return 0
