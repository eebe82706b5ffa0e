"""The figures of one completion, which come only when the model has ended."""

from dataclasses import replace
from typing import cast

import pytest

from inkling.cli import complete
from inkling.engine.api import Stats
from inkling.service.completer import Completer
from inkling.service.records import Why

RUNNING = Why(outcome="shown", source="model")
ENDED = replace(RUNNING, stats=Stats(decoded_tokens=7))


class Asked:
    """A completer whose record changes each time it is read, up to the last."""

    def __init__(self, *records: Why) -> None:
        self.records = list(records)

    def why(self) -> Why:
        return self.records.pop(0) if len(self.records) > 1 else self.records[0]


async def test_figures_are_waited_for_while_the_model_goes_on() -> None:
    asked = Asked(RUNNING, RUNNING, ENDED)
    assert await complete.with_figures(cast(Completer, asked)) == ENDED


async def test_a_model_that_goes_on_for_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(complete, "FIGURES_S", 0.0)
    assert await complete.with_figures(cast(Completer, Asked(RUNNING))) == RUNNING


async def test_what_needed_no_model_has_no_figures() -> None:
    assert await complete.with_figures(cast(Completer, Asked(Why()))) == Why()
