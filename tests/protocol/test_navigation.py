"""Symbols, definitions and references: asked for as editors do, in folders of real files."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.client import PATIENCE_S, Client, ServerError, profile

VSCODE = "vscode-1.139.1_languageclient-11.0.0"
NEOVIM = "neovim-0.12.4"
HELIX = "helix-25.07.1+20260723"
METHODS = [
    "textDocument/documentSymbol",
    "workspace/symbol",
    "textDocument/definition",
    "textDocument/references",
]
PROVIDERS = [
    "documentSymbolProvider",
    "workspaceSymbolProvider",
    "definitionProvider",
    "referencesProvider",
]

FRUIT = '''"""Fruit."""

LIMIT = 3


class Basket:
    """Holds fruit."""

    size = LIMIT

    def weigh_all(self, scale):
        return scale.weigh(self.size)
'''
SHOP = """from fruit import Basket


def open_the_shop():
    basket = Basket()
    print("😀😀", basket.weigh_all(None))
    return Basket.weigh_all
"""
OTHER = """def weigh_all():
    pass
"""
FILES = {
    "fruit.py": FRUIT,
    "shop.py": SHOP,
    "more/other.py": OTHER,
    "src/main.c": '#include "net/wire.h"\nint main(void) { return 0; }\n',
    "include/net/wire.h": "int connect_wire(void);\n",
}


class Shop:
    """A folder with files, and one client in it."""

    def __init__(self, root: Path, client: Client) -> None:
        self.root = root
        self.client = client

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def open(self, path: str, language: str = "python") -> str:
        self.client.open(self.uri(path), FILES[path], language)
        return self.uri(path)

    async def outline(self, uri: str) -> list[Any]:
        params = {"textDocument": {"uri": uri}}
        return list(await self.client.request("textDocument/documentSymbol", params))

    async def symbols(self, query: str) -> list[Any]:
        """Asked for, as with each letter, until there are some."""
        found = await self._until(lambda: self.client.request("workspace/symbol", {"query": query}))
        return list(found)

    async def locations(self, what: str, uri: str, line: int, character: int, **context: Any):
        """Files and beginnings of what there is at a place: asked for once."""
        params = {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"includeDeclaration": True, **context},
        }
        found = await self.client.request(f"textDocument/{what}", params)
        return [
            (
                each["uri"].removeprefix(self.root.as_uri() + "/"),
                each["range"]["start"]["line"],
                each["range"]["start"]["character"],
            )
            for each in found
        ]

    async def indexed(self) -> None:
        """Wait until every file has been read."""
        for name in ("Basket", "open_the_shop", "connect_wire", "weigh_all"):
            await self._until(lambda name=name: self._found(name))

    async def _found(self, name: str) -> bool:
        found = await self.client.request("workspace/symbol", {"query": name})
        return len(found) == sum(
            f"{word} {name}" in text for text in FILES.values() for word in ("class", "def", "int")
        )

    @staticmethod
    async def _until(ask: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if answer := await ask():
                    return answer
                # Nobody tells that a few files have been read, and reading gives way to asking.
                await asyncio.sleep(0.05)


def editor(name: str, root: Path) -> dict[str, Any]:
    """A captured client that works in a folder."""
    folders = [{"uri": root.as_uri(), "name": root.name}]
    return {**profile(name), "rootUri": root.as_uri(), "workspaceFolders": folders}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "the shop"
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def shop(start, script, root: Path):
    async def begin(name: str = NEOVIM, **options: Any) -> Shop:
        client = await start()
        given = {**script(), "navigation": True, **options}
        await client.initialize(editor(name, root), options=given)
        return Shop(root, client)

    return begin


def names(found: list[Any]) -> list[Any]:
    return [(each["name"], *names(each.get("children") or [])) for each in found]


async def test_navigation_is_off_unless_it_is_wanted(start, script, root):
    client = await start()
    await client.initialize(editor(NEOVIM, root), options=script())
    assert not any(client.capabilities.get(provider) for provider in PROVIDERS)
    here = Shop(root, client)
    uri = here.open("fruit.py")
    await client.ready()
    assert await here.outline(uri) == []
    assert await client.request("workspace/symbol", {"query": "Basket"}) == []
    assert await here.locations("definition", uri, 5, 8) == []
    assert await here.locations("references", uri, 5, 8) == []
    assert client.count("client/registerCapability") <= 1


async def test_the_outline_is_there_at_once_and_nested(shop):
    here = await shop()
    assert all(here.client.capabilities[provider] for provider in PROVIDERS)
    found = await here.outline(here.open("fruit.py"))
    assert names(found) == [("LIMIT",), ("Basket", ("size",), ("weigh_all",))]
    basket = found[1]
    assert basket["kind"] == 5
    assert basket["range"]["start"] == {"line": 5, "character": 0}
    assert basket["range"]["end"]["line"] >= 11
    assert basket["selectionRange"]["start"] == {"line": 5, "character": 6}
    assert await here.client.stop() == 0


async def test_the_outline_is_of_the_text_as_it_is_now(shop):
    here = await shop()
    uri = here.open("fruit.py")
    await here.outline(uri)
    for version, line in enumerate(("class Till:\n", "    drawer = 1\n", "\n"), start=2):
        here.client.insert(uri, version, version - 2, 0, line)
    found = await here.outline(uri)
    assert names(found)[0] == ("Till", ("drawer",))
    assert found[-1]["selectionRange"]["start"] == {"line": 8, "character": 6}


async def test_a_client_that_can_not_nest_gets_a_flat_outline(shop):
    here = await shop(HELIX)
    uri = here.open("fruit.py")
    found = await here.outline(uri)
    assert [(each["name"], each.get("containerName")) for each in found] == [
        ("LIMIT", None),
        ("Basket", None),
        ("size", "Basket"),
        ("weigh_all", "Basket"),
    ]
    assert all(each["location"]["uri"] == uri for each in found)


async def test_symbols_of_the_whole_workspace_are_found_by_parts_of_their_names(shop):
    here = await shop()
    (found,) = await here.symbols("opshop")
    assert (found["name"], found["kind"]) == ("open_the_shop", 12)
    assert found["location"]["uri"] == here.uri("shop.py")
    assert found["location"]["range"]["start"] == {"line": 3, "character": 4}
    assert await here.client.request("workspace/symbol", {"query": ""}) == []


async def test_a_definition_in_another_file(shop):
    here = await shop()
    await here.indexed()
    uri = here.open("shop.py")
    for line, character in ((0, 18), (4, 13), (4, 19), (6, 11)):
        assert await here.locations("definition", uri, line, character) == [("fruit.py", 5, 6)]
    assert await here.locations("definition", uri, 1, 0) == []


async def test_a_member_is_looked_for_where_its_name_says(shop):
    here = await shop()
    await here.indexed()
    uri = here.open("shop.py")
    assert await here.locations("definition", uri, 6, 20) == [("fruit.py", 10, 8)]
    unknown = await here.locations("definition", uri, 5, 30)
    assert sorted(unknown) == [("fruit.py", 10, 8), ("more/other.py", 0, 4)]


@pytest.mark.parametrize(("name", "character"), [(NEOVIM, 20), (VSCODE, 16)])
async def test_references_in_the_clients_own_positions(shop, name, character):
    here = await shop(name)
    await here.indexed()
    uri = here.open("shop.py")
    # Behind two characters that each encoding counts otherwise.
    found = await here.locations("references", uri, 5, character + 10)
    assert sorted(found) == [
        ("fruit.py", 10, 8),
        ("more/other.py", 0, 4),
        ("shop.py", 5, character + 9),
        ("shop.py", 6, 18),
    ]
    uses = await here.locations("references", uri, 6, 18, includeDeclaration=False)
    assert sorted(uses) == [("shop.py", 5, character + 9), ("shop.py", 6, 18)]


async def test_what_was_typed_a_moment_ago_is_found(shop):
    here = await shop()
    await here.indexed()
    uri = here.open("shop.py")
    here.client.insert(uri, 2, 0, 0, "basket = Basket\n")
    found = await here.locations("references", uri, 0, 10)
    assert [place for place in found if place[0] == "shop.py"] == [
        ("shop.py", 0, 9),
        ("shop.py", 1, 18),
        ("shop.py", 5, 13),
        ("shop.py", 7, 11),
    ]


async def test_an_include_leads_to_the_file(shop):
    here = await shop()
    uri = here.open("src/main.c", "c")
    await here.client.ready()
    assert await here.locations("definition", uri, 0, 14) == [("include/net/wire.h", 0, 0)]
    assert await here.locations("references", uri, 0, 14) == []


@pytest.mark.parametrize("uri", ["untitled:1", "file:///elsewhere/a.py", "zip:/a.zip/b.py", "x"])
async def test_a_document_of_no_folder_gets_empty_answers(shop, uri):
    here = await shop()
    await here.indexed()
    here.client.open(uri, FRUIT)
    assert await here.outline(uri) == []
    assert await here.locations("definition", uri, 5, 8) == []
    assert await here.locations("references", uri, 5, 8) == []


async def test_nothing_leads_into_a_secret_file(shop, root):
    (root / ".env").write_text("Basket=correct-horse\n", encoding="utf-8")
    here = await shop()
    await here.indexed()
    secret = here.uri(".env")
    here.client.open(secret, "Basket=correct-horse\n", "dotenv")
    assert await here.outline(secret) == []
    uri = here.open("fruit.py")
    found = await here.locations("references", uri, 5, 8)
    assert {path for path, _, _ in found} == {"fruit.py", "shop.py"}


async def test_places_that_do_not_exist_get_empty_answers(shop):
    here = await shop()
    uri = here.open("shop.py")
    await here.client.ready()
    assert await here.locations("definition", uri, 99, 0) == []
    assert await here.locations("references", here.uri("fruit.py"), 5, 8) == []  # not open
    assert await here.outline(here.uri("nothing.py")) == []
    with pytest.raises(ServerError, match="malformed"):
        await here.client.request("textDocument/definition", {"textDocument": {"uri": uri}})


async def test_without_any_folder_the_projects_of_open_files_are_known(start, script, root):
    (root / "pyproject.toml").touch()
    client = await start()
    await client.initialize(options={**script(), "navigation": True, "workspaceContext": False})
    here = Shop(root, client)
    uri = here.open("shop.py")
    assert names(await here.outline(uri)) == [("open_the_shop",)]
    assert len(await here.symbols("Basket")) == 1


async def test_navigation_follows_the_setting_where_the_client_can_be_told(start, script, root):
    client = await start()
    settings = {**script(), "workspaceContext": False}
    client.answers["workspace/configuration"] = lambda asked: [dict(settings)]
    client.answers["client/unregisterCapability"] = lambda _: None
    await client.initialize(editor(VSCODE, root))
    await client.message("client/registerCapability")
    here = Shop(root, client)
    uri = here.open("fruit.py")
    watching = ["workspace/didChangeWatchedFiles"]  # asked for once something is indexed
    for also in (watching, []):
        settings["navigation"] = True
        seen = client.count("client/registerCapability")
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        told = await client.message("client/registerCapability", seen=seen)
        assert [one["method"] for one in told["params"]["registrations"]] == [*METHODS, *also]
        assert names(await here.outline(uri))[0] == ("LIMIT",)
        settings["navigation"] = False
        seen = client.count("client/unregisterCapability")
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        told = await client.message("client/unregisterCapability", seen=seen)
        assert [one["method"] for one in told["params"]["unregisterations"]] == METHODS
        assert await here.outline(uri) == []
    assert await client.stop() == 0


async def test_only_what_can_be_registered_is(start, script, root):
    client = await start()
    await client.initialize(editor(NEOVIM, root), settings={**script(), "navigation": True})
    told = await client.message("client/registerCapability")
    methods = [one["method"] for one in told["params"]["registrations"]]
    assert set(methods) & set(METHODS) == {"textDocument/definition"}


async def test_what_initialize_offered_is_answered_empty_when_it_is_switched_off(
    start, script, root
):
    client = await start()
    await client.initialize(
        editor(VSCODE, root),
        options={**script(), "navigation": True},
        settings={"navigation": False},
    )
    await client.ready()
    here = Shop(root, client)
    assert await here.outline(here.open("fruit.py")) == []
    assert client.count("client/unregisterCapability") == 0
