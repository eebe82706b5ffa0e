"""What the index shall reach, and whether figures do. Pure.

Targets are those for a quiet machine with two cores; some depend on how many files there are.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

MANY = 30_000
"""Files from which on a tree is held to the targets of 100,000 files, not to those of 10,000."""

Figures = Mapping[str, float | None]


class Target(msgspec.Struct, frozen=True):
    """One row. `key` names the figure; `few` and `many` are limits, None where there is none."""

    key: str
    title: str
    unit: str = "ms"
    few: float | None = None
    many: float | None = None
    side: Literal["at most", "at least"] = "at most"


def _least(key: str, title: str, unit: str, limit: float) -> Target:
    return Target(key, title, unit, limit, limit, "at least")


def _most(
    key: str, title: str, limit: float, many: float | None = None, unit: str = "ms"
) -> Target:
    return Target(key, title, unit, limit, limit if many is None else many)


TARGETS = (
    Target("key_to_buffer_p50_ms", "key → buffer, in the largest file, p50"),
    _most("key_to_buffer_p99_ms", "  … p99", 1.0),
    _most("text_to_symbols_p50_ms", "text of an open document → symbols, p50", 5),
    _most("text_to_symbols_p90_ms", "  … p90", 30),
    Target("looked_s", "cold start: folder listed after", "s"),
    Target("cold_lexical_s", "cold: all read by the line after", "s", few=5),
    _least("cold_lexical_rate", "  … files a second and core", "/s", 2_000),
    _most("cold_full_s", "cold: all parsed after", 12, 120, "s"),
    _least("cold_full_rate", "  … files a second and core", "/s", 550),
    Target("cold_processor_s", "  … processor time, all processes", "s"),
    _least("cold_processor_rate", "  … files a processor second", "/s", 550),
    Target("cold_full_mb_rate", "  … megabytes a second and core", "MB/s"),
    _most("restart_context_s", "started again → first context", 1.0, 1.2, "s"),
    _most("restart_validated_s", "  … → compared with the disk", 0.5, 3.8, "s"),
    Target("retrieval_inside_p50_ms", "retrieval, inside the process, p50"),
    _most("retrieval_inside_p99_ms", "  … p99", 8, 25),
    Target("retrieval_asked_p50_ms", "retrieval, asked from the server, p50"),
    _most("retrieval_asked_p99_ms", "  … p99", 8, 25),
    Target("recall", "names of the next lines that are shown", "%", 50, None, "at least"),
    Target("recall_siblings", "  … by similar windows of sibling files", "%"),
    _least("recall_lead", "  … lead over those, in points", "", 15),
    Target("recall_hits", "  … places where one at least is shown", "%"),
    Target("symbols_p50_ms", "workspace/symbol, fuzzy, p50"),
    _most("symbols_p99_ms", "  … p99", 50),
    Target("change_to_index_p50_ms", "file written → found, p50 (in a copy)"),
    _most("change_to_index_p99_ms", "  … p99", 150),
    _most("checkout_s", "many files written → all found", 10, unit="s"),
    Target("checkout_files", "  … so many", ""),
    _most("checkout_lost", "  … lost", 0, unit=""),
    _most("memory_rest_mb", "memory at rest, resident", 120, 400, "MB"),
    Target("memory_rest_anonymous_mb", "  … of it without mapped files", "MB", many=250),
    Target("memory_busy_mb", "memory after a cold start, with workers", "MB"),
    Target("memory_busy_anonymous_mb", "  … of it without mapped files", "MB"),
    Target("cache_mb", "cache on disk", "MB"),
)


def limit_of(target: Target, files: int) -> float | None:
    """What this figure shall reach in a tree of so many files; None where nothing is asked."""
    return target.many if files >= MANY else target.few


def met(target: Target, value: float | None, files: int) -> bool | None:
    """Whether it does; None where there is no figure, or nothing is asked of it."""
    limit = limit_of(target, files)
    if value is None or limit is None:
        return None
    return value <= limit if target.side == "at most" else value >= limit


def held(figures: Figures, files: int) -> list[dict[str, Any]]:
    """All figures in the table's order, each with its target and whether it is met."""
    return [
        {
            "key": target.key,
            "title": target.title,
            "unit": target.unit,
            "value": figures[target.key],
            "target": limit_of(target, files),
            "side": target.side,
            "met": met(target, figures[target.key], files),
        }
        for target in TARGETS
        if figures.get(target.key) is not None
    ]
