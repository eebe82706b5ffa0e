"""A slow, obvious model of an LSP document: a str, re-split for every question."""

from dataclasses import dataclass

TERMINATORS = ("\r\n", "\n", "\r")


def units(text: str, encoding: str) -> int:
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    if encoding == "utf-16":
        return sum(2 if ord(character) > 0xFFFF else 1 for character in text)
    return len(text)


def joined(text: str) -> str:
    """Two surrogate halves side by side are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def lines(text: str) -> list[tuple[int, str]]:
    """Start index and content of every line."""
    found, start, index = [], 0, 0
    while index < len(text):
        for terminator in TERMINATORS:
            if text.startswith(terminator, index):
                found.append((start, text[start:index]))
                index += len(terminator)
                start = index
                break
        else:
            index += 1
    return [*found, (start, text[start:])]


def index_at(text: str, line: int, character: int, encoding: str) -> int:
    rows = lines(text)
    if line < 0:
        return 0
    if line >= len(rows):
        return len(text)
    start, content = rows[line]
    for index in range(len(content)):
        if units(content[: index + 1], encoding) > character:
            return start + index
    return start + len(content)


def position_at(text: str, index: int, encoding: str) -> tuple[int, int]:
    rows = lines(text)
    row = max(row for row, (start, _) in enumerate(rows) if start <= index)
    start, content = rows[row]
    return row, units(content[: index - start], encoding)


@dataclass
class Reference:
    text: str
    encoding: str

    def __post_init__(self) -> None:
        self.text = joined(self.text)

    def change(self, text: str, span: tuple[int, int, int, int] | None) -> None:
        if span is None:
            self.text = joined(text)
            return
        one = index_at(self.text, span[0], span[1], self.encoding)
        other = index_at(self.text, span[2], span[3], self.encoding)
        first, last = min(one, other), max(one, other)
        self.text = joined(self.text[:first] + joined(text) + self.text[last:])

    @property
    def data(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")
