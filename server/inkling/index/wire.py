"""The records that cross the pipe between `client` and `process`, and their framing.

A frame is a length of four bytes, big-endian, and that many bytes of tagged msgpack. Paths are
those of the machine, absolute, except inside answers: there they are relative to a root.
"""

from typing import BinaryIO, Literal

import msgspec

from inkling.text.position import Encoding

HEADER = 4


class Serve(msgspec.Struct, frozen=True, tag="serve"):
    """The first order: which folders to index, and how. Replaces an earlier one."""

    roots: tuple[str, ...]
    cache: str
    """The folder under which each root has one of its own."""
    excludes: tuple[str, ...] = ()
    """Further ignore patterns, in the syntax of .gitignore."""
    watch: bool = True
    """False where the client tells of changes on disk (`Touched`), or nobody needs to know."""
    workers: int = 1
    encoding: Encoding = "utf-16"
    """In which positions in answers count characters."""


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A document is open and has this text now; it hides the file until `Closed`."""

    path: str
    data: bytes


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    path: str


class Touched(msgspec.Struct, frozen=True, tag="touched"):
    """These files or folders may have changed, appeared or gone."""

    paths: tuple[str, ...]


class Snippets(msgspec.Struct, frozen=True, tag="snippets"):
    """What belongs into a prompt for byte `offset` of a document?"""

    path: str
    language: str
    data: bytes
    offset: int
    budget_bytes: int
    recent: tuple[tuple[str, str], ...] = ()
    """Paths and texts of what was edited lately, newest first."""
    deadline_s: float = 0.05


class Symbols(msgspec.Struct, frozen=True, tag="symbols"):
    """Definitions whose name fits `query`, best first."""

    query: str
    limit: int = 128


class Defined(msgspec.Struct, frozen=True, tag="defined"):
    """Where `name`, seen from `path`, is defined."""

    name: str
    path: str


class Mentioned(msgspec.Struct, frozen=True, tag="mentioned"):
    """Where `name` occurs."""

    name: str
    path: str
    limit: int = 2_000
    deadline_s: float = 1.0
    """What has been found by then is the answer."""


class Outlined(msgspec.Struct, frozen=True, tag="outlined"):
    """The definitions of one file or open document, in their order."""

    path: str


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """How much is indexed, and how far it is."""


Question = Snippets | Symbols | Defined | Mentioned | Outlined | Counted


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Wants one `Answer` with the same id."""

    id: int
    question: Question


Order = Serve | Opened | Closed | Touched | Ask


class Piece(msgspec.Struct, frozen=True):
    """Text of a workspace file for a prompt."""

    path: str
    start: int
    end: int
    text: str
    reason: str
    score: float


class Place(msgspec.Struct, frozen=True):
    """A definition or an occurrence. `path` is absolute; the range is (line, character) pairs,
    from 0, in the encoding of `Serve`, as the text was when it was looked at."""

    path: str
    start: tuple[int, int]
    end: tuple[int, int]
    name: str = ""
    kind: str = ""
    container: str = ""
    body: tuple[tuple[int, int], tuple[int, int]] | None = None
    """The range of the whole definition, where one is meant."""
    parent: int = -1
    """Of an outline: the place in the answer of what encloses it."""


class Counts(msgspec.Struct, frozen=True):
    """Of all roots together."""

    files: int = 0
    parsed: int = 0
    definitions: int = 0
    names: int = 0
    open_documents: int = 0
    waiting: int = 0
    """Files that are still to be read or parsed."""
    quarantined: int = 0
    problems: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """To the question with the same id. What does not apply is empty; `error` is one sentence."""

    id: int
    pieces: tuple[Piece, ...] = ()
    places: tuple[Place, ...] = ()
    counts: Counts | None = None
    complete: bool = True
    """Nothing was left out for lack of time or because files are still unread."""
    error: str = ""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far indexing is. `done` of `total` files in this phase."""

    phase: Literal["looking", "reading", "parsing", "ready"]
    done: int = 0
    total: int = 0


class Problem(msgspec.Struct, frozen=True, tag="problem"):
    """One sentence for people: what is not as it should be. Each is told once."""

    text: str


Report = Answer | Progress | Problem

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def frame(record: Order | Report) -> bytes:
    """A record with its length in front."""
    body = _encoder.encode(record)
    return len(body).to_bytes(HEADER, "big") + body


def decode_report(body: bytes) -> Report:
    """Raises msgspec.MsgspecError where the bytes are something else."""
    return _reports.decode(body)


def read_order(pipe: BinaryIO) -> Order | None:
    """Block until the next order is there; None when the pipe has ended, even mid-frame."""
    header = pipe.read(HEADER)
    if len(header) < HEADER:
        return None
    size = int.from_bytes(header, "big")
    body = pipe.read(size)
    return _orders.decode(body) if len(body) == size else None
