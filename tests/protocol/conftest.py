"""Servers for one test each: ended after it, with nothing said on stderr or out of turn."""

import asyncio
import functools
import inspect
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from inkling.config import Settings
from inkling.models.cache import resolve
from protocol.client import Client

LONGEST_S = 120.0
"""For one test: above what all its awaits may take, so that a hang is a failure with a place."""

Starter = Callable[..., Awaitable[Client]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bound every asynchronous test of this folder."""
    for item in items:
        if Path(__file__).parent not in item.path.parents or not isinstance(item, pytest.Function):
            continue
        if inspect.iscoroutinefunction(item.obj):
            item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(LONGEST_S):
            await test(*args, **kwargs)

    return run


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Starter]:
    clients: list[Client] = []

    async def start_one(**options: Any) -> Client:
        client = await Client.start(tmp_path / "cache", **options)
        clients.append(client)
        return client

    yield start_one
    for client in clients:
        said = await client.dispose()
        assert said == ""
        assert client.strays == []


@pytest.fixture
def default_model() -> Path:
    """The GGUF of `INKLING_TEST_MODEL` (a catalogue name or a path), by default the default."""
    given = os.environ.get("INKLING_TEST_MODEL", Settings().model)
    model = resolve(given)
    if not isinstance(model, Path):
        pytest.skip(f"{given} is not on this machine; run `inkling pull {given}`")
    return model


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Initialization options for a scripted engine with these rules."""

    def write(*rules: dict[str, Any], **rest: Any) -> dict[str, Any]:
        path = tmp_path / "script.json"
        content = {"rules": list(rules), "otherwise": "nothing", **rest}
        path.write_text(json.dumps(content), encoding="utf-8")
        return {"backend": "scripted", "model": str(path)}

    return write
