"""What a pull and a set-up tell of themselves while they work: immutable records, in order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Step = Literal["waiting", "checking", "downloading", "verifying", "installing", "done"]


@dataclass(frozen=True, slots=True)
class PullProgress:
    """`done` and `total` are bytes of the model file; `total` is None while it is unknown.

    `note` is a sentence for people, given once. The last record has `step` "done" and `path`.
    """

    model: str
    step: Step
    done: int = 0
    total: int | None = None
    source: str = ""
    note: str = ""
    path: Path | None = None
