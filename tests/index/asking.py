"""A real index process over a folder in a test, and ways to wait for what it comes to know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from inkling.index.client import IndexClient
from inkling.index.wire import Answer, Counted, Progress, Question, Serve, Snippets, Symbols

PATIENCE_S = 60.0


@asynccontextmanager
async def indexing(
    root: Path, cache: Path, *, watch: bool = False, command: tuple[str, ...] | None = None
) -> AsyncIterator[IndexClient]:
    """A client whose process indexes `root`; ended with the block."""
    serve = Serve((str(root),), str(cache), watch=watch, workers=2)
    client = IndexClient(serve, command) if command else IndexClient(serve)
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        await client.close()
        await running


async def ready(client: IndexClient) -> None:
    """Wait until all is indexed."""
    async with asyncio.timeout(PATIENCE_S):
        async for news in client.news():
            if isinstance(news, Progress) and news.phase == "ready":
                return
    raise AssertionError("the index was closed")


async def until(client: IndexClient, question: Question, fits: Callable[[Answer], bool]) -> Answer:
    """Ask again and again until the answer fits: nobody tells when a change has arrived."""
    answer = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await client.ask(question, 5.0)
                if not answer.error and fits(answer):
                    return answer
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never came true; the last answer: {answer}") from None


async def symbols(client: IndexClient, query: str) -> list[str]:
    """What is found for a symbol query."""
    answer = await client.ask(Symbols(query), 5.0)
    assert not answer.error, answer.error
    return [place.name for place in answer.places]


async def files(client: IndexClient) -> int:
    """How many files are indexed."""
    answer = await client.ask(Counted(), 5.0)
    assert answer.counts is not None
    return answer.counts.files


def snippets(path: Path, text: str) -> Snippets:
    """What belongs into a prompt at the `|` in the text of the document at `path`."""
    before, _, after = text.partition("|")
    data = (before + after).encode()
    return Snippets(
        str(path), "python", data, len(before.encode()), budget_bytes=4_000, deadline_s=5.0
    )
