"""The list of tensors in a GGUF file: their names and in what type each is stored.

Reads the header only. Raises `ModelError` for a file that is not what it says.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inkling.engine.errors import ModelError
from inkling.engine.gguf import MAGIC

Q5_0, Q5_1, Q8_0, IQ4_NL = 6, 7, 8, 20
"""Types as `ggml_type` numbers them."""

_SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's entry in the header."""

    name: str
    type: int
    elements: int


def tensors(path: Path) -> tuple[Tensor, ...]:
    """All tensors in the file, in its order."""
    try:
        with path.open("rb") as file:
            return tuple(_read(file))
    except (OSError, struct.error, UnicodeDecodeError, KeyError, MemoryError) as error:
        raise ModelError(f"{path.name} has no readable GGUF header") from error


def _read(file: BinaryIO) -> list[Tensor]:
    magic, version, count, values = struct.unpack("<4sIQQ", file.read(24))
    if magic != MAGIC or version not in (2, 3):
        raise ModelError("this is not a GGUF file of version 2 or 3")
    for _ in range(values):
        _string(file)
        _skip(file, _number(file, "<I"))
    found = []
    for _ in range(count):
        name = _string(file).decode("utf-8")
        elements = 1
        for _ in range(_number(file, "<I")):
            elements *= _number(file, "<Q")
        found.append(Tensor(name, _number(file, "<I"), elements))
        _number(file, "<Q")
    return found


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        _string(file)
    elif kind == _ARRAY:
        of = _number(file, "<I")
        length = _number(file, "<Q")
        if of in _SCALAR_BYTES:
            file.seek(_SCALAR_BYTES[of] * length, 1)
        else:
            for _ in range(length):
                _skip(file, of)
    else:
        file.seek(_SCALAR_BYTES[kind], 1)


def _string(file: BinaryIO) -> bytes:
    length = _number(file, "<Q")
    data = file.read(length) if length < 1 << 24 else b""
    if len(data) != length:
        raise struct.error("cut short")
    return data


def _number(file: BinaryIO, kind: str) -> int:
    return int(struct.unpack(kind, file.read(struct.calcsize(kind)))[0])
