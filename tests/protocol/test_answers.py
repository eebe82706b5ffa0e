"""One answer to every request: in bursts, cancelled, malformed, too early, too late."""

import asyncio
import json

import pytest

from protocol.client import ServerError

URI = "file:///a.py"
RULE = {"ends_with": "x = ", "answer": "range(3)"}


async def opened(start, script, *rules, text="x = ", **rest):
    client = await start()
    await client.initialize(options=script(*(rules or (RULE,)), **rest))
    client.open(URI, text)
    await client.ready()
    return client


async def test_a_burst_of_requests_between_changes(start, script):
    """50 requests and 50 changes in one write: 50 answers, the last one right."""
    client = await opened(start, script, {"ends_with": "last = ", "answer": "done"}, text="")
    client.open("file:///warm.py", "last = ")
    await client.suggested("file:///warm.py", 0, 7)  # the grammar is loaded now
    typed = "a; " * 14 + ";last = "[1:].rjust(8)
    assert len(typed) == 50
    asked = []
    for column, key in enumerate(typed):
        client.insert(URI, 2 + column, 0, column, key)
        params = client.at(URI, 0, column + 1)
        asked.append(client.ask("textDocument/inlineCompletion", params)[1])
    answers = await asyncio.wait_for(asyncio.gather(*asked), 30)
    assert len(answers) == 50
    assert all(isinstance(answer["items"], list) for answer in answers)
    why = await client.command("inkling.why")
    assert [item["insertText"] for item in answers[-1]["items"]] == ["done"], why
    assert await client.stop() == 0


async def test_a_superseded_request_is_answered_empty_and_at_once(start, script):
    slow = {"ends_with": "slow = ", "answer": "1", "prompt_delay_ms": 60_000}
    client = await opened(start, script, slow, RULE, text="slow = \nx = ")
    await client.suggested(URI, 1, 4)
    _, first = client.ask("textDocument/inlineCompletion", client.at(URI, 0, 7))
    _, second = client.ask("textDocument/inlineCompletion", client.at(URI, 1, 4))
    assert (await first)["items"] == []
    assert [item["insertText"] for item in (await second)["items"]] == ["range(3)"]


async def test_an_answer_for_text_that_has_changed_is_empty(start, script):
    slow = {"ends_with": "slow = ", "answer": [{"text": "1", "delay_ms": 100}]}
    client = await opened(start, script, slow, text="slow = ")
    _, asked = client.ask("textDocument/inlineCompletion", client.at(URI, 0, 7))
    client.insert(URI, 2, 0, 0, "# ")
    assert (await asked)["items"] == []


async def test_a_cancelled_request_says_so(start, script):
    slow = {"ends_with": "slow = ", "answer": "1", "prompt_delay_ms": 60_000}
    client = await opened(start, script, slow, text="slow = ")
    number, asked = client.ask("textDocument/inlineCompletion", client.at(URI, 0, 7))
    client.notify("$/cancelRequest", {"id": number})
    with pytest.raises(ServerError) as error:
        await asked
    assert error.value.code == -32800
    assert error.value.data is None
    # Cancelling what is answered, or was never asked, is no error.
    client.notify("$/cancelRequest", {"id": number})
    client.notify("$/cancelRequest", {"id": "nobody"})
    assert (await client.command("inkling.why"))["reason"] == "The editor cancelled the request."


NOWHERE = [
    ("file:///never-opened.py", 0, 0, "not opened this document"),
    (URI, 7, 0, "no such position"),
    (URI, 0, 99, "no such position"),
    (URI, 2**31 - 1, 2**31 - 1, "no such position"),
]


@pytest.mark.parametrize(("uri", "line", "character", "reason"), NOWHERE)
async def test_a_place_that_does_not_exist(uri, line, character, reason, start, script):
    client = await opened(start, script)
    assert await client.inline(uri, line, character) == []
    assert reason in (await client.command("inkling.why"))["reason"]
    listed = await client.listed(uri, line, character)
    assert listed["items"] == []


async def test_inside_a_surrogate_pair_and_half_of_one(start, script):
    client = await start()
    await client.initialize("vscode-1.139.1_languageclient-11.0.0", options=script(RULE))
    client.open(URI, "s = '\U0001f600'; x = ")
    await client.ready()
    assert await client.inline(URI, 0, 6) == []
    assert "no such position" in (await client.command("inkling.why"))["reason"]
    items = await client.suggested(URI, 0, 14)
    assert [item["insertText"] for item in items] == ["range(3)"]
    # An editor that cuts a pair sends half of it as a JSON escape.
    client.insert(URI, 2, 0, 0, "\ud83d")
    await client.inline(URI, 0, 15)
    client.insert(URI, 3, 0, 1, "\ude00")
    items = await client.suggested(URI, 0, 16)
    assert items[0]["range"]["start"] == {"line": 0, "character": 16}
    assert await client.stop() == 0


async def test_versions_that_go_backwards_lose_nothing(start, script):
    client = await opened(start, script, text="")
    for version, (column, key) in zip((5, 4, 4, 0), enumerate("x = "), strict=True):
        client.insert(URI, version, 0, column, key)
    items = await client.suggested(URI, 0, 4)
    assert [item["insertText"] for item in items] == ["range(3)"]


async def test_files_that_are_no_source(start, script):
    client = await opened(start, script)
    client.open("file:///b.bin", "\x00\x01PNG\n" * 2000, "python")
    assert await client.inline("file:///b.bin", 100, 0) == []
    assert "not a text file" in (await client.command("inkling.why"))["reason"]
    client.open("file:///min.js", "f(1);" * 1_000_000, "javascript")
    assert await client.inline("file:///min.js", 0, 5_000_000) == []
    assert "too long" in (await client.command("inkling.why"))["reason"]
    client.insert("file:///min.js", 2, 0, 2_500_000, "g();")
    assert await client.inline("file:///min.js", 0, 2_500_004) == []
    items = await client.suggested(URI, 0, 4)
    assert [item["insertText"] for item in items] == ["range(3)"]


async def test_a_document_closed_while_it_is_completed(start, script):
    slow = {"ends_with": "slow = ", "answer": [{"text": "1", "delay_ms": 50}]}
    client = await opened(start, script, slow, text="slow = ")
    _, asked = client.ask("textDocument/inlineCompletion", client.at(URI, 0, 7))
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert (await asked)["items"] == []
    assert await client.inline(URI, 0, 7) == []


BAD_PARAMS = [
    {},
    None,
    [],
    {"textDocument": {"uri": URI}},
    {"textDocument": {}, "position": {"line": 0, "character": 0}, "context": {"triggerKind": 1}},
    {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}},
    {"textDocument": {"uri": URI}, "position": {"line": "a", "character": 0}, "context": 3},
]


@pytest.mark.parametrize("params", BAD_PARAMS)
async def test_malformed_parameters(params, start, script):
    client = await opened(start, script)
    with pytest.raises(ServerError) as error:
        await client.request("textDocument/inlineCompletion", params)
    assert error.value.code == -32602
    assert error.value.data is None
    assert (await client.command("inkling.status"))["state"] == "ready"


async def test_rubbish_on_the_line(start, script):
    client = await opened(start, script)
    client.write(b"hello there\r\n\r\n")
    client.write(b"Content-Length: 9\r\n\r\nnot json!")
    client.write(b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc")
    client.write(b"Content-Length: 2\r\nContent-Type: x\r\n\r\n[]")
    client.write(b"content-length: 17\r\n\r\n" + b'{"jsonrpc":"1.0"}')
    deep = b'{"jsonrpc":"2.0","id":77,"method":"x","params":' + b"[" * 90_000 + b"]" * 90_000 + b"}"
    client.write(b"Content-Length: %d\r\n\r\n%b" % (len(deep), deep))
    client.write(b"\x00" * 40_000)
    client.notify("inkling/neverHeardOf", {"a": 1})
    with pytest.raises(ServerError) as error:
        await client.request("textDocument/neverHeardOf", {})
    assert error.value.code == -32601
    items = await client.suggested(URI, 0, 4)
    assert [item["insertText"] for item in items] == ["range(3)"]
    codes = [stray["error"]["code"] for stray in client.strays if stray["id"] is None]
    assert codes == [-32700, -32700, -32700, -32600, -32600, -32700, -32700][: len(codes)]
    assert len(codes) >= 6
    client.strays.clear()


async def test_commands_that_are_wrong(start, script):
    client = await opened(start, script)
    for name, arguments in (("inkling.none", ()), ("inkling.accepted", ()), ("inkling.pull", (3,))):
        with pytest.raises(ServerError) as error:
            await client.command(name, *arguments)
        assert error.value.code == -32602
    assert await client.command("inkling.accepted", "s999") is None
    pulled = await client.command("inkling.pull", "no-such-model")
    assert pulled["started"] is False
    assert "no-such-model" in pulled["detail"]


async def test_before_and_after_their_time(start, script):
    client = await start()
    with pytest.raises(ServerError) as error:
        await client.request("textDocument/inlineCompletion", client.at(URI, 0, 0))
    assert error.value.code == -32002
    await client.initialize(options=script(RULE))
    with pytest.raises(ServerError) as error:
        await client.request("initialize", {"processId": None, "capabilities": {}})
    assert error.value.code == -32600
    client.open(URI, "x = ")
    assert await client.request("shutdown") is None
    with pytest.raises(ServerError) as error:
        await client.inline(URI, 0, 4)
    assert error.value.code == -32600
    client.notify("exit")
    assert await client.ended() == 0


async def test_requests_while_it_starts_are_answered(start, script):
    """Everything in one write, before the server has read a byte."""
    client = await start()
    options = script(RULE, states=[{"state": {"type": "starting", "step": "loading"}}])
    params = {"processId": None, "capabilities": {}, "initializationOptions": options}
    _, initialized = client.ask("initialize", params)
    client.notify("initialized", {})
    client.open(URI, "x = ")
    asked = [client.ask("textDocument/inlineCompletion", client.at(URI, 0, 4))[1] for _ in "123"]
    result = await initialized
    assert result["capabilities"]["positionEncoding"] == "utf-16"
    assert [(await each)["items"] for each in asked] == [[], [], []]
    assert json.dumps(await client.command("inkling.why"))
    assert await client.stop() == 0
