"""Percentiles, shares and ratios."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.cli.bench.figures import Summary, percentile, plain, ratio, share, summary


@pytest.mark.parametrize(
    ("samples", "at", "value"),
    [([3.0], 0.95, 3.0), ([1.0, 2.0], 0.5, 1.5), ([4, 1, 3, 2, 5], 0.5, 3), ([0, 10], 0.95, 9.5)],
)
def test_percentile(samples: list[float], at: float, value: float) -> None:
    assert percentile(samples, at) == pytest.approx(value)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentile_lies_within(samples: list[float], at: float) -> None:
    assert min(samples) <= percentile(samples, at) <= max(samples)


@pytest.mark.parametrize(("samples", "at"), [([], 0.5), ([1.0], 1.5)])
def test_percentile_refuses(samples: list[float], at: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(samples, at)


def test_nothing_is_not_zero() -> None:
    assert summary([]) == Summary(0, None, None, None)
    assert share(0, 0) is None
    assert ratio(None, 1.0) is None
    assert ratio(1.0, 0.0) is None


def test_summary_and_ratio() -> None:
    assert plain(summary([2, 1])) == {"count": 2, "p50": 1.5, "p95": 1.95, "max": 2}
    assert ratio(900, 225) == 4.0
    assert share(1, 4) == 0.25
