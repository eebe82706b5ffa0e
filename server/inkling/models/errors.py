"""What can go wrong between the user and a model, one class for each cause.

Invariant: `str(error)` is for people: what happened, then what to do, in one or two sentences.
"""

from collections.abc import Sequence
from pathlib import Path


class ModelError(Exception):
    """Base of this room's errors."""


class CatalogueError(ModelError):
    """A catalogue file is not what it must be: a fault of the installation, not of the user."""


class UnknownModel(ModelError):
    """No catalogue entry of that name, and no file at that path."""

    def __init__(self, wanted: str, close: Sequence[str] = (), *, is_path: bool = False) -> None:
        self.wanted = wanted
        self.close = tuple(close)
        if is_path:
            text = f"There is no model file at {wanted}."
        elif close:
            text = f"There is no model called {wanted!r}; did you mean {' or '.join(close)}?"
        else:
            text = f"There is no model called {wanted!r}; `inkling models` lists them all."
        super().__init__(text)


class PullError(ModelError):
    """A download that did not end with a model."""


class NoNetwork(PullError):
    """No source could be reached."""

    def __init__(self, title: str, tried: Sequence[str]) -> None:
        super().__init__(
            f"Could not reach {' or '.join(tried)} to fetch {title}. "
            "Check the connection (and HTTPS_PROXY, if you need one), then run the same command: "
            "it goes on where it was."
        )


class SourceFailed(PullError):
    """One source could not deliver; the next one is tried. `network` is True where the source
    could not even be reached."""

    def __init__(self, source: str, reason: str, *, network: bool = False) -> None:
        self.source = source
        self.reason = reason
        self.network = network
        super().__init__(f"{source}: {reason}")


class NoSource(PullError):
    """Every source was tried, and at least one was reached but refused."""

    def __init__(self, title: str, failures: Sequence[SourceFailed]) -> None:
        told = "; ".join(str(failure) for failure in failures)
        super().__init__(f"No source has {title}. Tried {told}.")


class WrongHash(PullError):
    """What arrived is not what the catalogue names; it was thrown away."""

    def __init__(self, title: str, expected: str, actual: str, source: str) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{title} from {source} is damaged: its sha256 is {actual[:12]}…, not "
            f"{expected[:12]}…. It was thrown away; run the same command to fetch it anew."
        )


class DiskFull(PullError):
    """Not enough room, seen before or during the download. Sizes in bytes; 0 is unknown."""

    def __init__(self, directory: Path, needed: int = 0, free: int = 0) -> None:
        self.needed = needed
        self.free = free
        told = (
            f"{needed / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free"
            if needed
            else "no room is left"
        )
        super().__init__(
            f"The disk of {directory} is full: {told}. Free some, or set INKLING_CACHE_DIR to a "
            "directory on another disk, then run the same command: it goes on where it was."
        )


class ReadOnlyCache(PullError):
    """The cache directory cannot be created or written."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"Cannot write to the model directory {directory} ({reason}). "
            "Set INKLING_CACHE_DIR to a directory that you can write."
        )


class Interrupted(PullError):
    """Stopped by the user; finished parts stay."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"Stopped. What has arrived of {title} is kept: the same command goes on from there."
        )


class SetupError(ModelError):
    """The engine's native library could not be installed. `log` keeps the whole output."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        self.log = log
        super().__init__(message)
