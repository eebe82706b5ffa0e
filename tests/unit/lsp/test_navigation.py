"""What navigation does while the index is not there, and what the client is told of it."""

from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from inkling.config import Settings
from inkling.index.wire import Answer, Outlined, Place, Question
from inkling.lsp import navigation
from inkling.lsp.client import Client
from inkling.lsp.session import Session
from inkling.text.uris import path_of, uri_of

PATH = path_of("file:///w/a.py") or ""
PARAMS = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri_of(PATH)))
SYMBOL = Place(PATH, (0, 6), (0, 7), "A", "class", body=((0, 0), (1, 0)))


class Index:
    """Gives these answers, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    async def ask(self, question: Question, deadline_s: float) -> Answer:
        assert deadline_s >= 0
        self.asked.append(question)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def session(index: Index | None, **settings: Any) -> Session:
    async def restart(_: Session) -> None: ...

    made = Session(SimpleNamespace(), restart)  # type: ignore[arg-type]
    made.settings = Settings(**{"navigation": True, **settings})
    made.client = Client(nests_symbols=True, registers_navigation=frozenset(navigation.METHODS))
    if index is not None:
        repository = SimpleNamespace(roots=("/w",), settle=path_of, index=index)
        made.app = SimpleNamespace(repository=repository)  # type: ignore[assignment]
    return made


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(navigation, "OUTLINE_DEADLINE_S", 0.1)
    monkeypatch.setattr(navigation, "_FIRST_PAUSE_S", 0.001)


async def outline(one: Session) -> list[str]:
    return [each.name for each in await navigation.document_symbols(one, PARAMS)]


async def test_an_answer_that_is_not_complete_is_asked_for_again():
    index = Index(
        Answer(1, complete=False, error="The index is not running."),
        Answer(2, places=(SYMBOL,), complete=False),
        Answer(3, places=(SYMBOL, SYMBOL)),
    )
    assert await outline(session(index)) == ["A", "A"]
    assert index.asked == [Outlined(PATH)] * 3


async def test_after_the_deadline_the_answer_is_what_there_is():
    assert await outline(session(Index(Answer(1, places=(SYMBOL,), complete=False)))) == ["A"]
    assert await outline(session(Index(Answer(1, complete=False, error="No.")))) == []


async def test_a_server_that_is_still_starting_answers_empty_after_the_deadline():
    assert await outline(session(None)) == []


async def test_switched_off_nobody_is_asked():
    index = Index(Answer(1, places=(SYMBOL,)))
    assert await outline(session(index, navigation=False)) == []
    assert index.asked == []


async def test_of_a_huge_outline_the_beginning_is_shown(monkeypatch):
    monkeypatch.setattr(navigation, "MOST_SYMBOLS", 3)
    assert await outline(session(Index(Answer(1, places=(SYMBOL,) * 9)))) == ["A"] * 3


def test_each_method_is_registered_once_and_withdrawn_once():
    one = session(None)
    assert [each.method for each in navigation.registrations(one)] == list(navigation.METHODS)
    assert navigation.registrations(one) == []
    assert navigation.withdrawn(one) == []
    one.settings = Settings(navigation=False)
    assert navigation.registrations(one) == []
    assert [each.method for each in navigation.withdrawn(one)] == list(navigation.METHODS)
    assert navigation.withdrawn(one) == []


def test_what_initialize_has_offered_is_not_registered_as_well():
    one = session(None)
    one.navigation_offered = True
    assert navigation.registrations(one) == []
