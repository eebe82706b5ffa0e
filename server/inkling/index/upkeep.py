"""When segments are built, and of what: what changed goes from memory into small ones, small ones
and ones with many hidden rows go into one. Pure: it says what to do, and the caller has it done
(in a process of its own) and hands the result to `View.add`.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from inkling.index.segment import Segment
from inkling.index.view import View

FILES = 10_000
"""Rows of a segment at most: building one of them takes about 100 MB for a moment."""
_IN_MEMORY = 500
"""Files that may stay in memory."""
_SMALL = 2_000
"""Rows; fewer make a segment small."""
_SMALL_ONES = 4
"""So many small segments may stand side by side: each costs every question some time."""
_HIDDEN = 0.5
"""Share of rows that may be hidden."""


@dataclass(frozen=True, slots=True)
class Job:
    """Build one segment of `paths` from the store, then `view.add(it, instead_of)`."""

    paths: tuple[str, ...]
    instead_of: tuple[Segment, ...]


def next_job(view: View, open_: Collection[str] = ()) -> Job | None:
    """What should be built next; None where all is well.

    `open_` are documents that stay in memory, since each key changes them.
    """
    waiting = [path for path in view.overlay.held if path not in open_]
    if len(waiting) > _IN_MEMORY:
        return Job(tuple(sorted(waiting)[:FILES]), ())
    small = [shown for shown in view.shown if shown.count < _SMALL]
    worn = [
        shown
        for shown in view.shown
        if len(shown.segment) and shown.count < (1 - _HIDDEN) * len(shown.segment)
    ]
    if len(small) <= _SMALL_ONES and not worn:
        return None
    chosen = [shown for shown in view.shown if shown in small or shown in worn]
    paths: list[str] = []
    replaced: list[Segment] = []
    for shown in chosen:
        if paths and len(paths) + shown.count > FILES:
            break
        segment = shown.segment
        paths.extend(segment.path(number) for number in np.flatnonzero(shown.alive).tolist())
        replaced.append(segment)
    return Job(tuple(sorted(set(paths))), tuple(replaced))
