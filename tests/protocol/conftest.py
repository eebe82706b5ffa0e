"""Servers for one test each: ended after it, with nothing said on stderr or out of turn."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from inkling.config import Settings
from inkling.models.cache import resolve
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
