"""LSP characters to bytes within one line, and whole positions on immutable text.

A line here is its bytes without the terminator. Terminators are \\n, \\r\\n and \\r only: a
form feed or U+2028 is an ordinary character. All functions clamp rather than fail: a
character past the end is the end, one inside a character is that character's start.
"""

import re
from typing import Literal

from inkling.text.encode import character_start

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""What LSP's `character` counts: bytes, UTF-16 units or code points."""

TERMINATOR = re.compile(rb"\r\n|\n|\r")

_ASTRAL_LEADS = bytes(range(0xF0, 0xF8))
_LONGEST = {"utf-16": 3, "utf-32": 4}  # bytes that one unit can stand for


def byte_in_line(line: bytes | bytearray, character: int, encoding: Encoding) -> int:
    """Bytes from the line's start to `character`. Reads only as far as it must."""
    if character <= 0:
        return 0
    if encoding == "utf-8":
        return character_start(line, character)
    if line[:character].isascii():
        return min(character, len(line))
    head = line[: character_start(line, character * _LONGEST[encoding])]
    text = head.decode("utf-8", "surrogatepass")
    if encoding == "utf-32" or len(head.translate(None, _ASTRAL_LEADS)) == len(head):
        return len(text[:character].encode("utf-8", "surrogatepass"))
    units = text.encode("utf-16-le", "surrogatepass")
    end = 2 * character
    if len(units) > end and _is_high(units[end - 1]) and _is_low(units[end + 1]):
        end -= 2
    kept = units[:end].decode("utf-16-le", "surrogatepass")
    return len(kept.encode("utf-8", "surrogatepass"))


def _is_high(byte: int) -> bool:
    return 0xD8 <= byte <= 0xDB


def _is_low(byte: int) -> bool:
    return 0xDC <= byte <= 0xDF


def character_in_line(line: bytes | bytearray, byte: int, encoding: Encoding) -> int:
    """Units of `encoding` from the line's start to `byte`."""
    byte = character_start(line, byte)
    if encoding == "utf-8":
        return byte
    head = line[:byte]
    if head.isascii():
        return byte
    characters = len(head.decode("utf-8", "surrogatepass"))
    if encoding == "utf-32":
        return characters
    return characters + len(head) - len(head.translate(None, _ASTRAL_LEADS))


def offset_of(data: bytes, line: int, character: int, encoding: Encoding) -> int:
    """Byte offset of a position in text that has no line table: O(text)."""
    if line < 0:
        return 0
    start = 0
    if b"\r" in data:
        for row, match in enumerate(TERMINATOR.finditer(data)):
            if row == line:
                break
            start = match.end()
        else:
            row = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
            if row < line:
                return len(data)
    else:
        for _ in range(line):
            start = data.find(b"\n", start) + 1
            if not start:
                return len(data)
    return start + byte_in_line(data[start : line_end(data, start)], character, encoding)


def position_of(data: bytes, offset: int, encoding: Encoding) -> tuple[int, int]:
    """Line and character of a byte offset in text that has no line table: O(text)."""
    offset = min(max(offset, 0), len(data))
    start = line_start(data, offset)
    line = data.count(b"\n", 0, start)
    if data.find(b"\r", 0, start) >= 0:
        line += data.count(b"\r", 0, start) - data.count(b"\r\n", 0, start)
    end = line_end(data, start)
    return line, character_in_line(data[start:end], min(offset, end) - start, encoding)


def line_start(data: bytes, offset: int) -> int:
    """Start of the line that `offset` is on; between \\r and \\n is still the line they end."""
    if data[offset - 1 : offset + 1] == b"\r\n":
        offset -= 1
    feed = data.rfind(b"\n", 0, offset) + 1
    return max(feed, data.rfind(b"\r", feed, offset) + 1)


def line_end(data: bytes, offset: int) -> int:
    """End of the line that `offset` is on, before its terminator."""
    if data[offset - 1 : offset + 1] == b"\r\n":
        return offset - 1
    feed = data.find(b"\n", offset)
    end = len(data) if feed < 0 else feed
    carriage = data.find(b"\r", offset, end)
    return end if carriage < 0 else carriage
