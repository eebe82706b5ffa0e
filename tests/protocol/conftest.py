"""Servers for one test each: ended after it, with nothing said on stderr or out of turn."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.client import Client

Starter = Callable[..., Awaitable[Client]]


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
def script(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Initialization options for a scripted engine with these rules."""

    def write(*rules: dict[str, Any], **rest: Any) -> dict[str, Any]:
        path = tmp_path / "script.json"
        content = {"rules": list(rules), "otherwise": "nothing", **rest}
        path.write_text(json.dumps(content), encoding="utf-8")
        return {"backend": "scripted", "model": str(path)}

    return write
