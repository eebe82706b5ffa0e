"""A piece of another file, as the index hands it out. Light: the server imports it, which has
nothing of the index itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text of a file of the workspace that somebody who writes elsewhere may want to see."""

    path: str
    """Relative to its folder."""
    start: int
    end: int
    text: str
    """Redacted."""
    reason: str
    """One short phrase for people."""
    score: float
