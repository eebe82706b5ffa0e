"""What is known of one file, apart from its text. Immutable; offsets are bytes into its content."""

from typing import Literal

import msgspec

from inkling.syntax.nodes import Kind as Kind

EXTRACTOR = 2
"""Raised whenever a record of the same content would come out otherwise; older ones are made
anew."""

Tier = Literal["lexical", "parsed"]


class Definition(msgspec.Struct, frozen=True, array_like=True):
    """One definition."""

    kind: Kind
    name: str
    start: int
    """Of the whole definition, decorators and leading modifiers included."""
    end: int
    name_start: int
    head_end: int
    """Where its signature ends and its body begins; `end` where there is no body."""
    parent: int
    """Index of the enclosing definition, -1 at the top."""


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a file worth showing whole: a definition, or lines between definitions; at most
    about 1,500 bytes."""

    start: int
    end: int
    names: tuple[int, ...]
    """Indices into FileRecord.names."""


class FileRecord(msgspec.Struct, frozen=True, array_like=True):
    """What one file holds."""

    language: str
    """A name of syntax.languages, "" where there is no grammar."""
    tier: Tier
    size: int
    """Bytes."""
    names: tuple[str, ...]
    """Identifiers of the file, sorted, each once. Keywords of no language are left out: how many
    files have a name takes care of them."""
    definitions: tuple[Definition, ...]
    imports: tuple[tuple[int, int], ...]
    """Byte ranges of import statements."""
    chunks: tuple[Chunk, ...]
