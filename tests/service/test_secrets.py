"""No secret reaches a prompt, wherever in the workspace it stands.

For each source of what prompts show: the real index process on real files, the completer and the
scripted engine. Each test holds first that what stands beside the secrets is shown, and why, so
that it can't pass for having looked at nothing.
"""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from index.asking import indexing, ready, until
from inkling.config import Settings
from inkling.engine.script import Rule, Script
from inkling.index.store import FILE as STORE
from inkling.index.store import Store
from inkling.index.wire import Serve, Symbols
from inkling.service.records import CompletionRequest
from inkling.service.repository import Repository
from inkling.text.document import Document
from inkling.text.secret_paths import is_secret_name
from inkling.text.store import Change
from service.editor import Editor

SCRIPT = Script((Rule(ends_with="x = ", answer="1\n"),), otherwise="nothing")
SECRETS = {
    'password = "hunter2-4711"': "hunter2",
    'token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"': "ghp_abcdefghijkl",
    'salt = "q7Zp2LxV9tRw4KsB8mNc3Yd6"': "q7Zp2LxV9tRw",
    'url = "postgres://shop:s3cr3tWord@db/shop"': "s3cr3tWord",
    'headers = {"Authorization": "Bearer 8fK2nVx0QpLr7sTz"}': "8fK2nVx0QpLr",
    'key = """-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'
    '-----END PRIVATE KEY-----"""': "MIIEvQIBADAN",
}
IN_FILES = {
    ".env": "DRAWER_PASSWORD=sesame-of-env\nopen_till=1\n",
    ".env.production": "open_till = sesame-of-production\n",
    "credentials.json": '{"open_till": "sesame-of-credentials", "drawer": 1}\n',
    "deploy/server.pem": "open_till drawer sesame-of-pem\n",
    "deploy/id_ed25519": "open_till drawer sesame-of-id\n",
    "config/secrets.yaml": "open_till: sesame-of-yaml\ndrawer: 1\n",
}
"""Files that are secret by their names, full of what the place asks for."""
SCALES = "def weigh_drawer(drawer):\n    return drawer.weight\n"
DESK = (
    "from till import open_till\nfrom scales import weigh_drawer\n\ndrawer = open_till(1)\nx = |\n"
)


def lines(indent: str = "") -> str:
    """A line, or some, with each secret."""
    return "".join(f"{indent}{line}\n" for line in SECRETS)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """An index that has much to do elsewhere is waited for."""
    monkeypatch.setattr("inkling.service.backdrops.ABANDON_S", 60.0)
    monkeypatch.setattr("inkling.service.backdrops.DEADLINE_S", 30.0)
    monkeypatch.setattr("inkling.service.ahead.IDLE_S", 0.02)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with files that are secret and one that is not."""
    root = tmp_path / "shop"
    for name, text in {**IN_FILES, "scales.py": SCALES}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@asynccontextmanager
async def desk(shop: Path, cache: Path, text: str = DESK):
    """An editor with `desk.py` of the shop, its index complete, and the index's client."""
    async with indexing(shop, cache) as client:
        await ready(client)
        repository = Repository(client, Serve((str(shop),), str(cache)))
        uri = (shop / "desk.py").as_uri()
        editor = Editor(SCRIPT, text, Settings(workspace_context=True), repository, uri)
        editor.repository = repository
        try:
            yield editor, client
        finally:
            repository.close()
            await editor.close()


def prompts(editor: Editor) -> str:
    """All that the model was shown."""
    assert editor.engine.requests
    sent = [(*request.head, request.forced) for request in editor.engine.requests]
    return "\n".join(piece for head in sent for piece in head if isinstance(piece, str))


def hold_no_secret(text: str) -> None:
    for secret in (*SECRETS.values(), "sesame-of-"):
        assert secret not in text, secret


def reasons(editor: Editor) -> dict[str, set[str]]:
    """Why each file was shown."""
    found: dict[str, set[str]] = {}
    for path, reason in editor.completer.why().blocks:
        found.setdefault(path, set()).add(reason)
    return found


async def test_of_an_indexed_file(shop: Path, tmp_path: Path) -> None:
    body = "".join(f"\ndef till_{n}(drawer):\n    weigh_drawer(drawer)\n" for n in range(2))
    (shop / "till.py").write_text(f"def other(drawer):\n    x = 1\n{lines('    ')}{body}")
    async with desk(shop, tmp_path / "cache") as (editor, _):
        await editor.ask(invoked=True)
        assert "similar code" in reasons(editor)["till.py"]
        assert "def other(drawer)" in prompts(editor)
        hold_no_secret(prompts(editor))


async def test_of_a_definition(shop: Path, tmp_path: Path) -> None:
    parameters = ", ".join(
        line for line in SECRETS if line.startswith(("password", "token", "salt"))
    )
    till = f"def open_till(number, {parameters}):\n    return number\n"
    (shop / "till.py").write_text(till)
    async with desk(shop, tmp_path / "cache") as (editor, _):
        await editor.ask(invoked=True)
        assert "defines open_till" in reasons(editor)["till.py"]
        assert "def open_till(number, " in prompts(editor)
        hold_no_secret(prompts(editor))


async def test_of_the_head_of_a_related_file(shop: Path, tmp_path: Path) -> None:
    head = f"import drawers\n{next(iter(SECRETS))}\nfrom scales import weigh_drawer\n"
    filling = "".join(f"filling_{n} = {n}\n" for n in range(200))
    (shop / "till.py").write_text(f"{head}\n\ndrawer = 1\n\n\n{filling}")
    async with desk(shop, tmp_path / "cache") as (editor, _):
        await editor.ask(invoked=True)
        assert "head of a related file" in reasons(editor)["till.py"]
        assert "import drawers" in prompts(editor)
        hold_no_secret(prompts(editor))


async def test_of_the_head_of_a_file_without_imports(shop: Path, tmp_path: Path) -> None:
    (shop / "notes.txt").write_text(f"open_till drawer weigh_drawer\n{lines()}")
    async with desk(shop, tmp_path / "cache") as (editor, _):
        await editor.ask(invoked=True)
        assert "notes.txt" in reasons(editor)
        hold_no_secret(prompts(editor))


async def test_of_an_open_document(shop: Path, tmp_path: Path) -> None:
    async with desk(shop, tmp_path / "cache") as (editor, client):
        text = f"def open_till(drawer):\n    x = 1\n{lines('    ')}    return drawer\n"
        till = Document((shop / "till.py").as_uri(), "python", 1, text.encode())
        editor.repository.opened(till)
        await until(client, Symbols("open_till"), lambda answer: bool(answer.places))
        await editor.ask(invoked=True)
        assert "till.py" in reasons(editor)
        assert "def open_till(drawer)" in prompts(editor)
        hold_no_secret(prompts(editor))


async def test_of_an_open_document_that_is_secret(shop: Path, tmp_path: Path) -> None:
    async with desk(shop, tmp_path / "cache") as (editor, _):
        for name in IN_FILES:
            uri = (shop / name).as_uri()
            text = "def open_till(drawer):\n    drawer = 'sesame-of-editor'\n"
            editor.store.open(uri, "python", 1, text)
            document = editor.store.snapshot(uri)
            editor.repository.opened(document)
            edits = editor.store.change(uri, 2, [Change("# sesame-of-typing ", (0, 0, 0, 0))])
            editor.completer.changed(editor.store.snapshot(uri), edits)
            if is_secret_name(name):  # in others, who opens them may write
                asked = CompletionRequest(editor.store.snapshot(uri), 0, invoked=True)
                assert await editor.completer.complete(asked) == ()
        assert editor.engine.requests == []
        await editor.ask(invoked=True)
        assert "scales.py" in reasons(editor)
        hold_no_secret(prompts(editor))


async def test_of_recent_edits(shop: Path, tmp_path: Path) -> None:
    async with desk(shop, tmp_path / "cache") as (editor, client):
        written = list(SECRETS)
        for number in range(3):  # only short ones are shown, and of them the newest three
            uri = (shop / f"till_{number}.py").as_uri()
            text = "\n".join((f"lately_{number} = 1", *written[number::3]))
            editor.store.open(uri, "python", 1, f"{text}\n")
            edits = editor.store.change(uri, 2, [Change("very_", (0, 0, 0, 0))])
            editor.completer.changed(editor.store.snapshot(uri), edits)
            editor.repository.opened(editor.store.snapshot(uri))
            name = f"very_lately_{number}"
            await until(client, Symbols(name), lambda answer: bool(answer.places))
        await editor.ask(invoked=True)
        for number in range(3):
            assert reasons(editor)[f"till_{number}.py"] == {"edited lately"}
            assert f"very_lately_{number} = 1" in prompts(editor)
        hold_no_secret(prompts(editor))


@pytest.mark.parametrize("invoked", [True, False], ids=["by hand", "by a key"])
async def test_of_the_file_itself(shop: Path, tmp_path: Path, invoked: bool) -> None:
    text = f"before_it = 1\n{lines()}x = |\nafter_it = 1\n{lines()}"
    async with desk(shop, tmp_path / "cache", text) as (editor, _):
        await editor.ask(invoked=invoked)
        editor.type("open_till(")
        await editor.ask(invoked=invoked)
        shown = prompts(editor)
        assert "before_it = 1" in shown and "after_it = 1" in shown
        hold_no_secret(shown)


async def test_nothing_of_them_is_in_the_index(shop: Path, tmp_path: Path) -> None:
    (shop / "till.py").write_text(f"def open_till(drawer):\n    x = 1\n{lines('    ')}")
    cache = tmp_path / "cache"
    async with desk(shop, cache) as (_, client):
        await until(client, Symbols("open_till"), lambda answer: bool(answer.places))
    (folder,) = cache.iterdir()
    store = Store.open(folder)
    records = {path: record for path, _, record in store.rows()}
    store.close()
    assert "open_till" in records["till.py"].names and (folder / STORE).exists()
    assert records.keys() == {"till.py", "scales.py"}
    for record in records.values():
        hold_no_secret(" ".join(record.names))
    for file in folder.iterdir():
        hold_no_secret(file.read_bytes().decode("latin-1"))
