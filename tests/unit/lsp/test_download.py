"""Downloading a model for the user: only after a yes, once, cancellable, told in one message."""

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inkling.engine.absent import AbsentEngine
from inkling.lsp.client import Client
from inkling.lsp.download import LATER, download, offer
from inkling.lsp.link import Link
from inkling.lsp.session import Session
from inkling.lsp.status import STATUS
from inkling.models.errors import PullError
from inkling.models.progress import PullProgress

MODEL: Any = SimpleNamespace(name="tiny", title="Tiny model", size=10 * 2**20)
YES = "Download Tiny model (10 MB)"


class Editor:
    """Stands in for the protocol: takes what is sent, answers what is asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, Any]] = []

    def notify(self, method: str, params: Any) -> None:
        self.sent.append((method, params))

    def send_request(self, method: str, params: Any) -> Any:
        from concurrent.futures import Future

        self.sent.append((method, params))
        future: Future[Any] = Future()
        future.set_result(self.answers.get(method))
        return future

    def messages(self) -> list[str]:
        return [params.message for method, params in self.sent if method == "window/showMessage"]

    def bars(self) -> list[Any]:
        return [params.value for method, params in self.sent if method == "$/progress"]


@pytest.fixture
def pulls(monkeypatch) -> list[list[Any]]:
    """What `pull` does, one list of records and exceptions for each call."""
    planned: list[list[Any]] = []

    def pull(model: object) -> Iterator[PullProgress]:
        for step in planned.pop(0):
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
            else:
                yield step

    monkeypatch.setattr("inkling.models.pull.pull", pull)
    return planned


def app_without(missing: Any) -> Any:
    """As much of an app as the session looks at; `missing` is not on this machine."""
    engine = AbsentEngine("There is no model yet.")
    return SimpleNamespace(missing=missing, engine=engine, completer=SimpleNamespace(working=False))


class Desk:
    """One session with a made-up editor."""

    def __init__(self, **answers: Any) -> None:
        self.editor = Editor(answers)
        self.restarts = 0
        self.session = Session(Link(self.editor), self._restart)  # type: ignore[arg-type]
        self.session.app = app_without(MODEL)
        self.session.client = Client(shows_progress=True, wants_status=True)

    async def _restart(self, session: Session) -> None:
        self.restarts += 1
        session.app = app_without(None)


def progress(done: int, note: str = "") -> PullProgress:
    return PullProgress("tiny", "downloading", done * 2**20, 10 * 2**20, note=note)


async def test_yes_downloads_and_starts_the_engine(pulls):
    pulls.append([progress(3), progress(5, "the hub is slow"), progress(10)])
    desk = Desk(**{"window/showMessageRequest": SimpleNamespace(title=YES)})
    await offer(desk.session)
    (asked,) = (params for method, params in desk.editor.sent if method.endswith("Request"))
    assert [action.title for action in asked.actions] == [YES, LATER]
    assert desk.editor.messages() == ["Inkling: Tiny model is installed."]
    assert desk.restarts == 1
    kinds = [bar.kind for bar in desk.editor.bars()]
    assert kinds[0] == "begin" and kinds[-1] == "end"
    assert desk.editor.bars()[0].cancellable is True
    states = [params for method, params in desk.editor.sent if method == STATUS]
    assert states[0]["state"] == "downloading" and states[0]["percent"] == 30
    assert states[-1]["state"] != "downloading"


@pytest.mark.parametrize("answer", [None, SimpleNamespace(title=LATER), "nonsense"])
async def test_anything_but_yes_fetches_nothing(answer, pulls):
    desk = Desk(**{"window/showMessageRequest": answer})
    await offer(desk.session)
    assert (desk.restarts, desk.editor.messages(), desk.editor.bars()) == (0, [], [])


async def test_the_question_is_put_once(pulls):
    """However often the engine is started again, before the answer and after it."""
    desk = Desk(**{"window/showMessageRequest": SimpleNamespace(title=LATER)})
    await asyncio.gather(offer(desk.session), offer(desk.session))
    await offer(desk.session)
    assert [method for method, _ in desk.editor.sent] == ["window/showMessageRequest"]


async def test_a_yes_to_the_model_before_downloads_nothing(pulls):
    other: Any = SimpleNamespace(name="other", title="Other model", size=0)
    desk = Desk(**{"window/showMessageRequest": SimpleNamespace(title=YES)})
    asking = asyncio.create_task(offer(desk.session))
    await asyncio.sleep(0)  # the question for MODEL is open
    assert len(desk.editor.sent) == 1
    desk.session.app = app_without(other)
    await asyncio.gather(asking, offer(desk.session))
    questions = [params.message for _, params in desk.editor.sent]
    assert ["Tiny model" in questions[0], "Other model" in questions[1]] == [True, True]
    assert (len(questions), desk.restarts, desk.editor.bars()) == (2, 0, [])


async def test_a_failure_is_one_message(pulls):
    pulls.append([progress(1), PullError("The disk is full.")])
    desk = Desk()
    await download(desk.session, MODEL)
    assert desk.editor.messages() == ["Inkling: The disk is full."]
    assert desk.restarts == 0
    assert desk.session.download is None


async def test_the_user_cancels(pulls):
    arrived, gone_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def arrive() -> None:
        loop.call_soon_threadsafe(arrived.set)
        gone_on.wait(30)

    pulls.append([progress(1, "begun"), arrive, progress(2), progress(10)])
    desk = Desk()
    work = asyncio.create_task(download(desk.session, MODEL))
    await arrived.wait()
    (bar,) = desk.session.link.bars.values()
    bar.cancelled.set()
    await work
    gone_on.set()
    assert desk.editor.messages() == [
        "Inkling: the download of Tiny model was cancelled; what has arrived is kept."
    ]
    assert desk.restarts == 0
    assert desk.session.link.bars == {}


async def test_one_download_at_a_time(pulls):
    pulls.append([progress(10)])
    desk = Desk()
    await asyncio.gather(download(desk.session, MODEL), download(desk.session, MODEL))
    assert desk.restarts == 1
