"""Every captured editor: initialize, open a real file, type, get what that editor can show."""

import asyncio
from pathlib import Path

import pytest

from protocol.client import PATIENCE_S, PROFILE_NAMES, profile

SOURCE = Path(__file__).parents[2] / "server" / "inkling" / "text" / "position.py"
URI = SOURCE.as_uri()
TYPED = "    return len(line) -"
ANSWER = {"ends_with": "return len(line)", "answer": " - character"}


@pytest.mark.parametrize("editor", PROFILE_NAMES)
async def test_a_real_file_typed_in(editor, start, script):
    client = await start()
    await client.initialize(editor, options=script(ANSWER))
    offered = profile(editor)["capabilities"]["general"]["positionEncodings"]
    encoding = client.capabilities["positionEncoding"]
    assert encoding == ("utf-8" if "utf-8" in offered else offered[0])
    assert client.capabilities["inlineCompletionProvider"] is not None
    declares = "inlineCompletion" in profile(editor)["capabilities"]["textDocument"]
    assert ("completionProvider" in client.capabilities) != declares

    text = SOURCE.read_text(encoding="utf-8")
    line = text.count("\n")
    client.open(URI, text)
    await client.ready()
    for column, key in enumerate(TYPED):
        client.insert(URI, 2 + column, line, column, key)
    if declares:
        items = await client.suggested(URI, line, len(TYPED))
        assert [item["insertText"] for item in items] == [" character"]
        place = {"line": line, "character": len(TYPED)}
        assert items[0]["range"] == {"start": place, "end": place}
        assert items[0]["command"]["command"] == "inkling.accepted"
        assert await client.command("inkling.accepted", *items[0]["command"]["arguments"]) is None
    else:
        items = await client.entries(URI, line, len(TYPED))
        assert items[0]["textEdit"]["newText"] == " character"
    assert await client.stop() == 0


@pytest.mark.model
@pytest.mark.parametrize("editor", PROFILE_NAMES)
async def test_the_real_model_finishes_a_line_of_a_real_file(editor, start, default_model):
    client = await start()
    options = {"model": str(default_model), "optimiseWeights": False}
    await client.initialize(editor, options=options)
    lines = SOURCE.read_text(encoding="utf-8").split("\n")
    line = next(at for at, text in enumerate(lines) if "return len(kept.encode(" in text)
    lines[line] = ""
    client.open(URI, "\n".join(lines))
    await client.ready()
    typed = "    return len(kept.enc"
    inline = "inlineCompletion" in profile(editor)["capabilities"]["textDocument"]
    for column, key in enumerate(typed, start=1):
        client.insert(URI, 1 + column, line, column - 1, key)
        # Each editor asks for what it can show, with every key.
        await (client.inline if inline else client.listed)(URI, line, column)
    if inline:
        (item,) = await client.suggested(URI, line, len(typed))
        assert item["insertText"].startswith("ode(")
    else:
        (item,) = await client.entries(URI, line, len(typed))
        assert item["textEdit"]["newText"].startswith("encode(")
    assert await client.stop() == 0


async def test_the_list_completes_the_word_that_was_begun(start, script):
    client = await start()
    options = script({"ends_with": "x = ", "answer": "range(3)\n"})
    await client.initialize("helix-25.07.1+20260723", options=options)
    client.open("file:///a.py", "x = ran", "python")
    await client.ready()
    (item,) = await client.entries("file:///a.py", 0, 7)
    assert item["textEdit"] == {
        "range": {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 7}},
        "newText": "range(3)",
    }
    assert item["filterText"] == "range(3)"
    assert item["label"] == "range(3)"
    assert item["command"]["command"] == "inkling.accepted"
    assert item["insertTextFormat"] == 1


async def test_why_tells_of_the_list_where_the_list_is_used(start, script):
    client = await start()
    rules = [{"ends_with": "x = ", "answer": "range(3)"}, {"ends_with": "y = ", "answer": ")"}]
    await client.initialize("helix-25.07.1+20260723", options=script(*rules))
    client.open("file:///a.py", "x = \ny = ", "python")
    await client.ready()
    await client.listed("file:///a.py", 0, 4)
    assert "Nothing was ready" in (await client.command("inkling.why"))["reason"]
    await client.entries("file:///a.py", 0, 4)
    assert (await client.command("inkling.why"))["outcome"] == "shown"
    assert (await client.listed("file:///a.py", 7, 0))["items"] == []
    assert "no such position" in (await client.command("inkling.why"))["reason"]
    # What the model says here may never be shown: nobody shall wait for it.
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert (await client.listed("file:///a.py", 1, 4))["items"] == []
            why = await client.command("inkling.why")
            if "Nothing was ready" not in why["reason"]:
                break
    assert why["outcome"] == "nothing"
    assert why["uri"] == "file:///a.py"
    assert await client.stop() == 0


async def test_an_editor_that_does_not_declare_what_it_uses(start, script):
    """lsp-mode 10 declares no inline completion and then asks for it."""
    client = await start()
    options = script({"ends_with": "x = ", "answer": "range(3)"})
    await client.initialize("lsp-mode-10.0.0_emacs-30.1", options=options)
    client.open("file:///a.py", "x = ", "python")
    await client.ready()
    items = await client.suggested("file:///a.py", 0, 4)
    assert [item["insertText"] for item in items] == ["range(3)"]
    listed = await client.listed("file:///a.py", 0, 4)
    assert listed == {"isIncomplete": False, "items": []}


@pytest.mark.parametrize("setting", ["always", "never"])
async def test_the_fallback_can_be_chosen(setting, start, script):
    client = await start()
    options = script({"ends_with": "x = ", "answer": "range(3)"})
    options["completionFallback"] = setting
    await client.initialize("vscode-1.139.1_languageclient-11.0.0", options=options)
    assert ("completionProvider" in client.capabilities) == (setting == "always")
    client.open("file:///a.py", "x = ", "python")
    await client.ready()
    await client.suggested("file:///a.py", 0, 4)
    if setting == "always":
        assert len(await client.entries("file:///a.py", 0, 4)) == 1
    else:
        assert (await client.listed("file:///a.py", 0, 4))["items"] == []


async def test_asking_by_hand_gives_several(start, script):
    client = await start()
    options = script({"ends_with": "x = ", "answer": "1", "alternatives": ["2", "3", "4"]})
    await client.initialize(options=options)
    client.open("file:///a.py", "x = ", "python")
    await client.ready()
    items = await client.suggested("file:///a.py", 0, 4, at_least=3, triggerKind=1)
    assert [item["insertText"] for item in items] == ["1", "2", "3"]


async def test_the_entry_selected_in_the_editors_list_is_kept(start, script):
    client = await start()
    await client.initialize(options=script({"ends_with": "os.getcwd", "answer": "()"}))
    client.open("file:///a.py", "os.ge", "python")
    await client.ready()
    place = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 5}}
    info = {"range": place, "text": "getcwd"}
    (item,) = await client.suggested("file:///a.py", 0, 5, selectedCompletionInfo=info)
    assert item["insertText"] == "getcwd()"
    assert item["range"] == place
