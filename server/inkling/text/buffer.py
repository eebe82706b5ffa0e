"""A document's mutable bytes and its line table.

The table of line starts is shifted lazily: entries from `_step` on are `_delta` bytes behind,
so a burst of keys in one place costs O(1) each and only moving to another place costs
O(lines between). Invariant: `start(row)` is exact at all times.
"""

from array import array
from bisect import bisect_right

from inkling.text.document import Edit
from inkling.text.encode import half_after, half_before, to_bytes
from inkling.text.position import TERMINATOR, Encoding, byte_in_line, character_in_line

_RETURN, _FEED = 13, 10


class Buffer:
    """Owner: the one document of the store that holds it. Not thread-safe."""

    __slots__ = ("_data", "_delta", "_starts", "_step")

    def __init__(self, text: bytes) -> None:
        self._data = bytearray(text)
        self._starts = array("q", [0])
        self._starts.extend([match.end() for match in TERMINATOR.finditer(text)])
        self._step = len(self._starts)
        self._delta = 0

    def __len__(self) -> int:
        return len(self._data)

    @property
    def rows(self) -> int:
        """Number of lines, at least 1; text after the last terminator is a line, if empty."""
        return len(self._starts)

    def snapshot(self) -> bytes:
        """A copy of the whole text."""
        return bytes(self._data)

    def start(self, row: int) -> int:
        """Byte offset where a row starts."""
        start = self._starts[row]
        return start + self._delta if row >= self._step else start

    def end(self, row: int) -> int:
        """Byte offset where a row ends, before its terminator."""
        if row + 1 >= len(self._starts):
            return len(self._data)
        end = self.start(row + 1) - 1
        if self._data[end] == _FEED and end > self.start(row) and self._data[end - 1] == _RETURN:
            end -= 1
        return end

    def row_at(self, offset: int) -> int:
        """The row whose start is the last one at or before `offset`."""
        step = self._step
        if step < len(self._starts) and offset >= self._starts[step] + self._delta:
            return bisect_right(self._starts, offset - self._delta, step) - 1
        return bisect_right(self._starts, offset, 0, step) - 1

    def offset_at(self, row: int, character: int, encoding: Encoding) -> int:
        """Byte offset of an LSP position, clamped to the text and to whole characters."""
        if row < 0:
            return 0
        if row >= len(self._starts):
            return len(self._data)
        start = self.start(row)
        # One character is at most four bytes: a long line is not copied for a short prefix.
        end = min(self.end(row), start + 4 * max(character, 0) + 4)
        return start + byte_in_line(self._data[start:end], character, encoding)

    def position_at(self, offset: int, encoding: Encoding) -> tuple[int, int]:
        """LSP line and character of a byte offset, clamped to the text."""
        offset = min(max(offset, 0), len(self._data))
        row = self.row_at(offset)
        start = self.start(row)
        end = min(self.end(row), offset + 4)
        line = self._data[start:end]
        return row, character_in_line(line, min(offset, end) - start, encoding)

    def replace(self, start: int, old_end: int, text: bytes) -> Edit:
        """Replace bytes [start, old_end), both on character boundaries, by `text`.

        Where that makes two surrogate halves meet, the edit is widened to join them.
        """
        data = self._data
        if half_before(data, start) or half_after(data, old_end):
            start, old_end, text = self._join_halves(start, old_end, text)
        shift = len(text) - (old_end - start)
        new_end = start + len(text)
        # A \r before the change and a \n behind it may form or lose a \r\n: include them.
        first = start - 1 if start and data[start - 1] == _RETURN else start
        after = old_end + 1 if old_end < len(data) and data[old_end] == _FEED else old_end
        above = self.row_at(first)
        below = self.row_at(after)
        data[start:old_end] = text
        window = data[first : after + shift]
        breaks = array("q", [first + match.end() for match in TERMINATOR.finditer(window)])
        self._shift_after(below)
        if below > above or breaks:
            self._starts[above + 1 : below + 1] = breaks
            self._step = above + 1 + len(breaks)
        self._delta += shift
        if self._step >= len(self._starts):
            self._delta = 0
        return Edit(start, old_end, new_end, text)

    def _join_halves(self, start: int, old_end: int, text: bytes) -> tuple[int, int, bytes]:
        data = self._data
        if half_before(data, start):
            start -= 3
            text = bytes(data[start : start + 3]) + text
        if half_after(data, old_end):
            text += bytes(data[old_end : old_end + 3])
            old_end += 3
        return start, old_end, to_bytes(text.decode("utf-8", "surrogatepass"))

    def _shift_after(self, row: int) -> None:
        """Make the entries up to and including `row` exact and let the later ones lag."""
        starts, step, delta = self._starts, self._step, self._delta
        edge = row + 1
        if delta:
            if edge > step:
                starts[step:edge] = array("q", [start + delta for start in starts[step:edge]])
            elif edge < step:
                starts[edge:step] = array("q", [start - delta for start in starts[edge:step]])
        self._step = edge
        if edge >= len(starts):
            self._delta = 0
