"""What the doctor tries: a slow machine is given time, and is not called a broken installation."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from inkling.cli import trials
from inkling.service.completer import Completer
from inkling.service.records import Suggestion, Why
from inkling.syntax.client import SyntaxClient
from inkling.syntax.judgement import UNCHECKED, Judgement
from inkling.text.document import Document

GOOD = Judgement(12, "", False, 0, 0, True)
REFUSED = Judgement(0, "", False, 0, 0, True)


class Worker:
    """A syntax client whose answers are given."""

    def __init__(self, *answers: Judgement) -> None:
        self.answers = list(answers)
        self.asked: list[Document] = []

    async def judge(self, document: Document, *_: Any, **__: Any) -> Judgement:
        self.asked.append(document)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Asked:
    """A completer that has something to show the `after`-th time it is asked."""

    def __init__(self, after: int) -> None:
        self.after = after

    async def complete(self, _: object) -> tuple[Suggestion, ...]:
        self.after -= 1
        return () if self.after else (Suggestion("1", "return a + b", 0, 0),)

    def why(self) -> Why:
        return Why(uri="inkling:hole.py", version=1, offset=0, reason="It was not checked.")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """No waiting; the result sets how busy the machine is."""
    monkeypatch.setattr(trials, "PAUSE_S", 0.001)
    monkeypatch.setattr(trials, "SYNTAX_S", 0.02)
    monkeypatch.setattr(trials, "HOLE_S", 0.02)

    def set_busy(busy: bool) -> None:
        monkeypatch.setattr(trials, "is_busy", lambda: busy)

    set_busy(False)
    return set_busy


def syntax(*answers: Judgement) -> SyntaxClient:
    return cast(SyntaxClient, Worker(*answers))


async def test_a_worker_that_was_late_is_asked_again_about_another_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "SYNTAX_S", 20.0)
    worker = Worker(UNCHECKED, UNCHECKED, GOOD)
    check = await trials.try_syntax(cast(SyntaxClient, worker))
    assert check.state == "ok"
    assert len({document.data for document in worker.asked}) == 3
    assert len({document.uri for document in worker.asked}) == 3


@pytest.mark.parametrize(("busy", "state"), [(True, "warn"), (False, "fail")])
async def test_no_answer_is_a_warning_on_a_busy_machine(
    quick: Callable[[bool], None], busy: bool, state: str
) -> None:
    quick(busy)
    for check in (
        await trials.try_syntax(syntax(UNCHECKED)),
        await trials.try_hole(cast(Completer, Asked(after=0))),
    ):
        assert check.state == state
        assert ("the machine is busy" in check.said) is busy
        assert "Install" not in check.fix


async def test_a_worker_that_finds_errors_where_there_are_none_is_broken() -> None:
    check = await trials.try_syntax(syntax(REFUSED))
    assert (check.state, check.fix) == ("fail", "Install Inkling again.")


async def test_a_missing_grammar_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "find_spec", lambda name: None if "rust" in name else object())
    check = await trials.try_syntax(syntax(GOOD))
    assert (check.state, check.said) == ("fail", "no tree-sitter grammar for rust")


async def test_a_hole_that_could_not_be_filled_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "HOLE_S", 20.0)
    check = await trials.try_hole(cast(Completer, Asked(after=3)))
    assert check.state == "ok"
    assert "return a + b" in check.said
