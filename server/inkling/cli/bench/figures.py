"""Figures from samples: percentiles, shares and medians. Pure; milliseconds and counts in, the
same units out. A summary of nothing says so (`count` 0, values None) instead of inventing zeros.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


class Summary(msgspec.Struct, frozen=True):
    """p50, p95 and the largest of `count` samples, in the samples' unit."""

    count: int
    p50: float | None
    p95: float | None
    max: float | None


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the samples lie, linearly interpolated.

    Raises ValueError when there are no samples or `share` is out of range.
    """
    if not samples or not 0.0 <= share <= 1.0:
        raise ValueError("percentile needs samples and a share from 0 to 1")
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summary(samples: Iterable[float]) -> Summary:
    """All there is to say about these samples in one row."""
    values = list(samples)
    if not values:
        return Summary(0, None, None, None)
    return Summary(
        len(values),
        round(percentile(values, 0.5), 3),
        round(percentile(values, 0.95), 3),
        round(max(values), 3),
    )


def share(part: int, whole: int) -> float | None:
    """`part` of `whole` as 0..1; None of nothing."""
    return round(part / whole, 4) if whole else None


def ratio(theirs: float | None, ours: float | None) -> float | None:
    """How many times smaller ours is; None where one side has no figure."""
    if theirs is None or ours is None or ours <= 0:
        return None
    return round(theirs / ours, 2)


def plain(value: object) -> Any:
    """The value as what JSON knows."""
    return msgspec.to_builtins(value)
