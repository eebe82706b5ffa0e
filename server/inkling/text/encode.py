"""Text to bytes and back without ever failing.

Invariant: documents are stored as UTF-8 in which a lone surrogate (half of a UTF-16 pair,
which JSON can carry) takes three bytes, and two halves that meet are always one character
of four bytes. So a byte string has exactly one reading, whatever a client sends.
"""


def to_bytes(text: str) -> bytes:
    """Encode any str, lone surrogates included."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pairs = text.encode("utf-16-le", "surrogatepass")
        return pairs.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")


def to_text(data: bytes) -> str:
    """Decode for the world outside: the result is always encodable.

    A lone surrogate becomes one U+FFFD, so lengths in UTF-16 units stay; bytes that are
    not UTF-8 at all (a slice that cuts a character) become U+FFFD as `replace` does it.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def character_start(data: bytes | bytearray, offset: int) -> int:
    """The start of the character that the byte at `offset` belongs to; clamps to the data."""
    offset = min(max(offset, 0), len(data))
    lowest = max(offset - 3, 0)
    while lowest < offset < len(data) and data[offset] & 0xC0 == 0x80:
        offset -= 1
    return offset


def half_before(data: bytes | bytearray, offset: int) -> bool:
    """Whether the character that ends at `offset` is a lone high surrogate."""
    return offset >= 3 and data[offset - 3] == 0xED and 0xA0 <= data[offset - 2] <= 0xAF


def half_after(data: bytes | bytearray, offset: int) -> bool:
    """Whether the character that starts at `offset` is a lone low surrogate."""
    return len(data) >= offset + 3 and data[offset] == 0xED and data[offset + 1] >= 0xB0
