"""A document in an editor, typed in for the completer on the scripted engine."""

import asyncio
from dataclasses import dataclass, field

from inkling.config import Settings
from inkling.engine.script import Script
from inkling.engine.scripted import ScriptedEngine
from inkling.service.backdrops import ContextSource
from inkling.service.completer import Completer
from inkling.service.records import CompletionRequest, Suggestion
from inkling.syntax.judgement import Judgement
from inkling.text.document import Document
from inkling.text.store import Change, DocumentStore

URI = "file:///project/module.py"


class EverythingParses:
    """Stands in for the syntax worker where syntax is not what is tested."""

    def prepare(self, document):
        pass

    def forget(self, uri):
        pass

    async def judge(self, document, offset, inserted, *, multiline, finished, deadline_ms):
        return Judgement(
            keep=len(inserted.encode()),
            closers="",
            closed=finished,
            errors_before=0,
            errors_after=0,
            checked=True,
        )


@dataclass
class Editor:
    """One open document and the completer, driven as the server drives them."""

    script: Script
    text: str
    settings: Settings = field(default_factory=Settings)
    source: ContextSource | None = None
    uri: str = URI

    def __post_init__(self):
        text, _, after = self.text.partition("|")
        self.engine = ScriptedEngine(self.script)
        self.completer = Completer(self.engine, EverythingParses(), self.settings, self.source)
        self.store = DocumentStore("utf-8")
        self.version = 1
        self.store.open(self.uri, "python", 1, text + after)
        self.cursor = len(text.encode())
        self.running = asyncio.create_task(self.engine.run())

    @property
    def document(self) -> Document:
        return self.store.snapshot(self.uri)

    def type(self, text: str) -> None:
        for character in text:
            self.replace(self.cursor, self.cursor, character)

    def backspace(self, count: int = 1) -> None:
        for _ in range(count):
            self.replace(self.cursor - 1, self.cursor, "")

    def replace(self, start: int, end: int, text: str) -> None:
        self.version += 1
        where = (*self.store.position_at(self.uri, start), *self.store.position_at(self.uri, end))
        edits = self.store.change(self.uri, self.version, [Change(text, where)])
        self.cursor = edits[-1].new_end
        self.completer.changed(self.document, edits)

    async def ask(self, **kind) -> tuple[Suggestion, ...]:
        return await self.completer.complete(CompletionRequest(self.document, self.cursor, **kind))

    async def texts(self, **kind) -> list[str]:
        return [suggestion.text for suggestion in await self.ask(**kind)]

    async def close(self) -> None:
        await self.completer.close()
        await self.engine.close()
        await self.running


async def let_run() -> None:
    """Give every task that can run its turn."""
    for _ in range(20):
        await asyncio.sleep(0)


def long_file(end: str) -> str:
    """A file that no quick window holds."""
    return "".join(f"first_{number} = second_{number}\n" for number in range(500)) + end


async def until(condition) -> None:
    """Wait for what nobody tells."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
