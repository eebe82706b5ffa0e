"""Settings as clients give them: at the start, pulled, pushed, wrong, and changed later."""

import asyncio

import pytest

from protocol.client import NO_ANSWER, PATIENCE_S, profile

URI = "file:///a.py"
RULE = {"ends_with": "x = ", "answer": "1", "alternatives": ["2", "3", "4"]}
VSCODE = "vscode-1.139.1_languageclient-11.0.0"


async def test_pulled_settings_win_over_initialization_options(start, script):
    client = await start()
    options = script(RULE)
    await client.initialize(options={"model": "nonsense"}, settings=options)
    client.open(URI, "x = ")
    status = await client.ready()
    assert (status["state"], status["backend"]) == ("ready", "scripted")
    assert [item["insertText"] for item in await client.suggested(URI, 0, 4)] == ["1"]


async def test_wrong_values_cost_one_message(start, script):
    client = await start()
    options = {**script(RULE), "maxLines": "many", "candidate": 2}
    await client.initialize(options=options, settings=None)
    await client.ready()
    shown = await client.message("window/showMessage")
    assert shown["params"]["type"] == 2
    assert "inkling.maxLines is a text; allowed is a whole number" in shown["params"]["message"]
    assert '"candidate" (did you mean "candidates"?)' in shown["params"]["message"]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.command("inkling.status")
    assert client.count("window/showMessage") == 1


@pytest.mark.parametrize("settings", ["text", 3, [1], {"inkling": 1}])
async def test_settings_that_are_no_settings(settings, start, script):
    client = await start()
    await client.initialize(options=script(RULE), settings=settings)
    assert (await client.ready())["state"] == "ready"
    await client.message("window/showMessage")


async def test_a_client_that_never_answers(start, script):
    client = await start()
    for method in ("workspace/configuration", "client/registerCapability"):
        client.answers[method] = lambda _: NO_ANSWER
    client.answers["window/workDoneProgress/create"] = lambda _: NO_ANSWER
    await client.initialize(VSCODE, options=script(RULE))
    client.open(URI, "x = ")
    await client.ready()
    assert await client.suggested(URI, 0, 4)
    assert await client.stop() == 0


async def test_a_client_that_refuses_everything(start, script):
    client = await start()
    await client.initialize(VSCODE, options=script(RULE))
    client.answers.clear()
    client.open(URI, "x = ")
    await client.ready()
    assert await client.suggested(URI, 0, 4)


async def test_vs_code_is_asked_to_tell_of_changes_and_they_are_followed(start, script):
    client = await start()
    settings = {**script(RULE), "candidates": 2}
    client.answers["workspace/configuration"] = lambda asked: [dict(settings)]
    await client.initialize(VSCODE)
    registered = await client.message("client/registerCapability")
    (registration,) = registered["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "inkling"}
    client.open(URI, "x = ")
    await client.ready()
    items = await client.suggested(URI, 0, 4, at_least=2, triggerKind=1)
    assert len(items) == 2
    settings["completionFallback"] = "always"
    settings["disabledLanguages"] = ["python"]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    registered = await client.message("client/registerCapability", seen=1)
    assert registered["params"]["registrations"][0]["method"] == "textDocument/completion"
    assert await client.inline(URI, 0, 4) == []
    assert "switched off for python" in (await client.command("inkling.why"))["reason"]


async def test_vs_code_is_asked_to_watch_files_once_something_is_indexed(start, script):
    client = await start()
    settings = script(RULE)
    client.answers["workspace/configuration"] = lambda asked: [dict(settings)]
    await client.initialize(VSCODE)
    await client.message("client/registerCapability")
    settings["workspaceContext"] = True
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    registered = await client.message("client/registerCapability", seen=1)
    (registration,) = registered["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    assert registration["registerOptions"] == {"watchers": [{"globPattern": "**/*"}]}


async def test_a_pushed_model_starts_another_engine(start, script):
    client = await start()
    editor = profile("eglot-1.17.30_emacs-30.1")
    editor["capabilities"]["workspace"]["configuration"] = False
    await client.initialize(editor, options={"backend": "scripted", "model": "/no/such.json"})
    assert (await client.ready())["state"] == "unavailable"
    pushed = {"settings": {"inkling": script(RULE)}}
    client.notify("workspace/didChangeConfiguration", pushed)
    async with asyncio.timeout(PATIENCE_S):
        while (await client.ready())["state"] != "ready":
            pass
    client.open(URI, "x = ")
    (item,) = await client.entries(URI, 0, 4)
    assert item["textEdit"]["newText"] == "1"


async def test_switched_off(start, script):
    client = await start()
    await client.initialize(options={**script(RULE), "enabled": False})
    client.open(URI, "x = ")
    assert (await client.ready())["state"] == "off"
    assert await client.inline(URI, 0, 4) == []
    assert "switched off" in (await client.command("inkling.why"))["reason"]
