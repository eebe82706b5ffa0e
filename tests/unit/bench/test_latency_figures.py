"""What the latency bench makes of what it saw."""

import pytest

from inkling.cli.bench.latency_run import typing_figures
from inkling.cli.bench.machine import _seconds
from inkling.cli.bench.replay import Moment, Played


def moment(kind: str, seen_ms: float | None = None, window_ms: float = 100.0) -> Moment:
    return Moment("a.py", 0, kind, True, kind == "key", window_ms, seen_ms, None)


@pytest.mark.parametrize(
    ("moments", "waits"),
    [
        ([moment("key", 1.0)], []),
        ([moment("jump"), moment("key", 5.0)], [5.0]),
        ([moment("jump"), moment("key"), moment("slip"), moment("key", 7.0)], [207.0]),
        ([moment("jump"), moment("key"), moment("jump"), moment("key", 5.0)], [5.0]),
        ([moment("jump"), moment("key", 5.0), moment("key", 90.0)], [5.0]),
    ],
)
def test_how_long_a_new_place_takes(moments: list[Moment], waits: list[float]) -> None:
    figures = typing_figures([Played(tuple(moments), 0, 0)])
    assert figures["jumps"] == sum(each.kind == "jump" for each in moments)
    assert figures["jump_to_text_ms"]["count"] == len(waits)
    assert figures["jump_to_text_ms"]["max"] == (max(waits) if waits else None)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("00:00:07", 7), ("01:02:03", 3723), ("2-01:00:00", 176_400), ("3:01.50", 181.5)],
)
def test_processor_time_as_ps_writes_it(time: str, seconds: float) -> None:
    assert _seconds(time) == seconds
