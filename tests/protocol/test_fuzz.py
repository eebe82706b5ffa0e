"""A client gone mad: seeded streams of right and mangled messages, every request answered.

What it sends is not checked against what LSP allows; what it gets back is: one answer to each
request, nothing said on stderr, no error in the log, and a clean end.
"""

import asyncio
import copy
import random
from pathlib import Path
from typing import Any

import pytest

from protocol.client import PROFILE_NAMES, Client

MESSAGES = 700
URIS = ["file:///a.py", "file:///b.rs", "untitled:1", "", "not a uri", "file:///%ff"]
JUNK: list[Any] = [None, 0, -1, 1.5, "x", "", [], {}, [1], {"a": 1}, True, 2**40, "\ud800"]
PIECES = ["a", "return ", "\n", "\r\n", "\r", "😀", "é", "\f", "\u2028", "    ", "(", ")"]
PIECES += ["def f():\n", "\x00", "\ud83d", "}", "{"]


@pytest.mark.parametrize("seed", range(3))
async def test_every_request_is_answered(seed, start, script, tmp_path):
    mad = Madness(random.Random(seed))
    slow = [{"text": "offset", "delay_ms": 2}, {"text": " + 1\n", "delay_ms": 4}]
    options = script({"ends_with": "return ", "answer": slow}, otherwise="echo")
    client: Client = await start()
    settings = [None, {}, 3, {"maxLines": "x"}, {"multiline": "always"}, {"candidates": 5}]
    client.answers["workspace/configuration"] = lambda _: [mad.choose(settings)]
    await client.initialize(mad.choose(PROFILE_NAMES), options=options)
    await client.ready()
    asked = []
    for number in range(MESSAGES):
        method, params = mad.message(number)
        if method in REQUESTS:
            asked.append(client.ask(method, params)[1])
            mad.last_id = len(asked)
        else:
            client.notify(method, params)
        if mad.random.random() < 0.05:
            await asyncio.sleep(0)
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
    codes = {getattr(answer, "code", None) for answer in answers}
    assert codes <= {None, -32602, -32800}
    assert await client.stop() == 0
    assert " ERROR " not in log_below(tmp_path)


def log_below(folder: Path) -> str:
    return (folder / "cache" / "state" / "inkling.log").read_text(encoding="utf-8")


class Madness:
    """Makes messages up. Owner: one test."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.choose = source.choice
        self.last_id = 0

    def message(self, number: int) -> tuple[str, Any]:
        kinds, weights = zip(*KINDS.items(), strict=True)
        (method,) = self.random.choices(kinds, weights)
        params = self._params(method, number)
        return method, self._mangled(params) if self.random.random() < 0.15 else params

    def _params(self, method: str, number: int) -> Any:
        choose, document = self.choose, {"uri": self.choose(URIS)}
        match method.rpartition("/")[2]:
            case "didOpen":
                language = choose(["python", "rust", "javascript", "zzz"])
                item = {"languageId": language, "version": number, "text": self._text()}
                return {"textDocument": document | item}
            case "didChange":
                version = {"version": choose([number, number, 0, -1, None])}
                changes = [self._change() for _ in range(self.random.randint(0, 3))]
                return {"textDocument": document | version, "contentChanges": changes}
            case "inlineCompletion":
                selected = {"range": self._range(), "text": self._text()}
                context = {"triggerKind": choose([1, 2])}
                context |= choose([{}, {}, {"selectedCompletionInfo": selected}])
                place = {"textDocument": document, "position": self._position()}
                return place | {"context": context}
            case "completion":
                return {"textDocument": document, "position": self._position()}
            case "executeCommand":
                arguments = [[], ["s1"], [{"show": True}], [3], None, [{"journal": True}]]
                names = ["why", "why", "status", "accepted", "none", "restart"]
                return {"command": "inkling." + choose(names), "arguments": choose(arguments)}
            case "didSave":
                return {"textDocument": document, "text": choose([None, self._text()])}
            case "cancelRequest":
                return {"id": self.random.randint(0, self.last_id + 2)}
            case "didClose":
                return {"textDocument": document}
        return choose([*JUNK, {"token": 1}, {"value": "off"}, {"settings": choose(JUNK)}])

    def _change(self) -> dict[str, Any]:
        return self.choose([{}, {"range": self._range()}]) | {"text": self._text()}

    def _range(self) -> dict[str, Any]:
        return {"start": self._position(), "end": self._position()}

    def _position(self) -> dict[str, int]:
        line, character = self.choose([0, 0, 1, 2, 5, 10**6]), self.choose([0, 1, 2, 7, 30, 10**6])
        return {"line": line, "character": character}

    def _text(self) -> str:
        return "".join(self.random.choices(PIECES, k=self.random.randint(0, 30)))

    def _mangled(self, params: Any) -> Any:
        if not isinstance(params, dict) or not params:
            return self.choose(JUNK)
        params = copy.copy(params)
        key = self.choose(list(params))
        fate = self.random.random()
        if fate < 0.4:
            params[key] = self._mangled(params[key])
        elif fate < 0.8:
            params[key] = self.choose(JUNK)
        else:
            del params[key]
        return params


REQUESTS = {"textDocument/inlineCompletion", "textDocument/completion", "workspace/executeCommand"}

KINDS = {
    "textDocument/didOpen": 15,
    "textDocument/didChange": 30,
    "textDocument/inlineCompletion": 25,
    "textDocument/completion": 10,
    "workspace/executeCommand": 4,
    "$/cancelRequest": 5,
    "textDocument/didClose": 3,
    "textDocument/didSave": 3,
    "workspace/didChangeConfiguration": 1,
    "window/workDoneProgress/cancel": 1,
    "workspace/didChangeWorkspaceFolders": 1,
    "notebookDocument/didOpen": 1,
    "$/setTrace": 1,
    "initialized": 1,
    "x/unknown": 1,
}
