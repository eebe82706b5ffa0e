"""Requests to the client and progress bars, with a client that is slow, silent or unwilling."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from inkling.lsp.link import Link, Refused


class SlowEditor:
    """Keeps every request until the test answers it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.open: list[Future[Any]] = []

    def notify(self, method: str, params: Any) -> None:
        self.sent.append((method, params))

    def send_request(self, method: str, params: Any) -> Future[Any]:
        self.open.append(Future())
        return self.open[-1]

    def bars(self) -> list[tuple[str, Any]]:
        return [(params.value.kind, params.value.message) for _, params in self.sent]


@pytest.fixture
def editor() -> SlowEditor:
    return SlowEditor()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_reports_before_the_bar_is_open_are_not_lost(editor):
    bar = Link(editor).bar("Inkling", shown=True)  # type: ignore[arg-type]
    bar.report("loading", 10)
    bar.report("loading", 20)
    await settle()
    assert editor.sent == []
    editor.open[0].set_result(None)
    await settle()
    assert editor.bars() == [("begin", "loading")]
    assert editor.sent[0][1].value.percentage == 20
    bar.report("loading", 20)
    bar.report("warming up")
    bar.end("done")
    bar.end("done")
    bar.report("too late")
    assert editor.bars()[1:] == [("report", "warming up"), ("end", "done")]


async def test_work_that_ends_before_the_bar_is_open_shows_none(editor):
    bar = Link(editor).bar("Inkling", shown=True)  # type: ignore[arg-type]
    await settle()
    bar.end()
    editor.open[0].set_result(None)
    await settle()
    assert editor.sent == []


async def test_a_client_that_wants_no_bars(editor):
    link = Link(editor)  # type: ignore[arg-type]
    hidden, refused = link.bar("a", shown=False), link.bar("b", shown=True)
    await settle()
    editor.open[0].set_exception(JsonRpcException("no"))
    await settle()
    for bar in (hidden, refused):
        bar.report("x", 1)
        bar.end()
    assert (editor.sent, link.bars) == ([], {})


async def test_a_silent_client_is_not_waited_for_and_may_answer_late(editor):
    link = Link(editor)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        await link.ask("window/showDocument", None, timeout_s=0.01)
    editor.open[0].set_result(None)
    with pytest.raises(Refused, match="no"):
        asking = asyncio.ensure_future(link.ask("x", None))
        await settle()
        editor.open[1].set_exception(JsonRpcException("no"))
        await asking
    given_up = asyncio.ensure_future(link.ask("y", None))
    await settle()
    given_up.cancel()
    await settle()
    editor.open[2].set_exception(JsonRpcException("late"))
    await settle()
