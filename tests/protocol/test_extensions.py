"""Our own commands and notifications: what they say, and that PROTOCOL.md says it too."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

from inkling.lsp import commands, status
from inkling.lsp.client import Client as Facts
from inkling.service.records import Why
from protocol.client import profile

URI = "file:///a.py"
RULE = {"ends_with": "x = ", "answer": "range(3)"}
ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "server" / "PROTOCOL.md").read_text(encoding="utf-8")


def test_every_command_and_notification_is_documented_and_no_other():
    methods = set()
    for path in (ROOT / "server" / "inkling" / "lsp").glob("*.py"):
        methods |= set(re.findall(r'"(inkling/[\w/]+)"', path.read_text(encoding="utf-8")))
    assert status.STATUS in methods
    named = set(re.findall(r"^### `(inkling[./][\w/]+)`", DOCUMENT, re.MULTILINE))
    assert named == set(commands.COMMANDS) | methods


def test_what_a_client_can_ask_for_is_documented():
    wanted = [name.removeprefix("wants_") for name in Facts.__slots__ if name.startswith("wants_")]
    assert wanted
    for name in wanted:
        assert f"`experimental.inkling.{name}`" in DOCUMENT


def _documented(command: str) -> set[str]:
    section = DOCUMENT.split(f"### `{command}`")[1]
    block = section.split("```json")[1].split("```")[0]
    return set(re.findall(r'^  "(\w+)":', block, re.MULTILINE))


def test_the_words_of_a_record_are_as_documented():
    kinds = get_type_hints(Why)
    for name in ("outcome", "source"):
        line = next(line for line in DOCUMENT.splitlines() if f'"{name}": ' in line)
        assert line.split('"')[3].split(" | ") == list(get_args(kinds[name]))


async def test_the_records_are_as_documented(start, script):
    client = await start()
    await client.initialize(options=script(RULE))
    client.open(URI, "x = ")
    assert set(await client.ready()) == _documented("inkling.status")
    await client.suggested(URI, 0, 4)
    why = await client.command("inkling.why")
    assert set(why) == _documented("inkling.why")
    assert why["journal"] == []
    (*_, entry) = (await client.command("inkling.why", {"journal": True}))["journal"]
    assert all(f"`{name}`" in DOCUMENT for name in entry)
    assert why["outcome"] == "shown"
    assert set(await client.command("inkling.restart")) == {"started"}


async def test_status_is_pushed_to_those_who_ask_for_it(start, script):
    client = await start()
    states = [
        {"state": {"type": "starting", "step": "loading", "percent": 10}},
        {"state": {"type": "unavailable", "reason": "It broke."}, "delay_ms": 20},
        {"state": {"type": "starting", "step": "loading again"}, "delay_ms": 20},
        {"state": {"type": "unavailable", "reason": "It broke."}, "delay_ms": 20},
    ]
    await client.initialize(
        options=script(RULE, states=states), experimental={"inkling": {"status": True}}
    )
    await client.message("inkling/status", seen=3)
    pushed = [
        message["params"]
        for message in client.received
        if message.get("method") == "inkling/status"
    ]
    assert [each["state"] for each in pushed] == ["starting", "unavailable"] * 2
    assert set(pushed[0]) == _documented("inkling.status")
    # The same trouble is put before the user once.
    assert client.count("window/showMessage") == 1
    assert (await client.message("window/showMessage"))["params"]["message"] == "Inkling: It broke."
    bars = [m["params"]["value"] for m in client.received if m.get("method") == "$/progress"]
    # A bar the client was slow to allow is not shown for work that has ended meanwhile.
    assert [bar["kind"] for bar in bars] == ["begin", "end"] * (len(bars) // 2)


async def test_nothing_of_ours_is_sent_to_those_who_do_not(start, script):
    client = await start()
    editor = profile("eglot-1.17.30_emacs-30.1")
    editor["capabilities"]["window"]["workDoneProgress"] = False
    await client.initialize(editor, options=script(RULE))
    await client.ready()
    assert await client.stop() == 0
    methods = {message["method"] for message in client.received if "method" in message}
    assert methods <= {"workspace/configuration", "client/registerCapability"}


async def test_why_can_be_shown_in_the_editor(start, script):
    client = await start()
    shown: list[dict[str, object]] = []
    client.answers["window/showDocument"] = lambda params: shown.append(params) or {"success": True}
    await client.initialize(options=script(RULE))
    client.open(URI, "x = ")
    await client.ready()
    await client.suggested(URI, 0, 4)
    why = await client.command("inkling.why", {"show": True})
    assert why["shown"] is True
    assert str(shown[0]["uri"]).endswith("/why.md")
    assert "range(3)" not in why["markdown"]


async def test_a_missing_model_is_offered_and_not_fetched_unasked(start):
    client = await start()
    asked: list[dict[str, object]] = []
    client.answers["window/showMessageRequest"] = lambda params: (
        asked.append(params) or {"title": "Not now"}
    )
    await client.initialize(experimental={"inkling": {"status": True}})
    client.open(URI, "x = ")
    await client.message("window/showMessageRequest")
    titles = [action["title"] for action in asked[0]["actions"]]  # type: ignore[attr-defined]
    assert len(titles) == 2
    assert re.fullmatch(r"Download .*Qwen.* \(469 MB\)", titles[0])
    state = await client.ready()
    assert state["state"] == "unavailable"
    assert state["missing"] == {"name": "qwen2.5-coder-0.5b", "bytes": 491400064}
    assert await client.inline(URI, 0, 4) == []
    assert "inkling pull" in (await client.command("inkling.why"))["reason"]
    assert await client.stop() == 0
    assert client.count("window/showMessageRequest") == 1
    assert client.count("window/showMessage") == 0


async def test_the_log_holds_no_source_text(start, script, tmp_path):
    client = await start()
    secret = "sekret_identifier"
    await client.initialize(options=script({"ends_with": "x = ", "answer": f"{secret}_answer()"}))
    client.open(URI, f"# {secret}\nx = ")
    await client.ready()
    await client.suggested(URI, 1, 4)
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": URI}, "contentChanges": secret}
    )
    client.insert(URI, 2, 99, 99, secret)
    client.insert("file:///never.py", 2, 0, 0, secret)
    client.send({"id": secret, "method": secret, "params": {"text": secret}})
    client.send({"id": 998, "method": "textDocument/completion", "params": {"text": secret}})
    await client.command("inkling.status")
    client.strays.clear()
    assert await client.stop() == 0
    log = (tmp_path / "cache" / "state" / "inkling.log").read_text(encoding="utf-8")
    assert "is ready" in log
    assert secret not in log
