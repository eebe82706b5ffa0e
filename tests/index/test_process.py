"""The index process with real files: what it knows, keeps, and survives."""

import asyncio
import contextlib
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from inkling.index.client import IndexClient
from inkling.index.reading import MANY
from inkling.index.store import FILE as STORE
from inkling.index.wire import Counted, Defined, Mentioned, Outlined, Serve, Symbols
from inkling.index.workspace import IN_MEMORY

from .asking import files, indexing, ready, snippets, symbols, until

FRUIT = '''"""Fruit."""


class Basket:
    """Holds fruit."""

    def weigh_everything(self, scale):
        return scale.weigh(self.fruit)
'''
SHOP = """from fruit import Basket


def open_the_shop():
    basket = Basket()
    return basket.weigh_everything(None)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "fruit.py").write_text(FRUIT)
    (root / "shop.py").write_text(SHOP)
    (root / ".env").write_text("DATABASE_PASSWORD=correct-horse-battery\n")
    (root / "notes.txt").write_text("apples and pears\n")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def kept(cache: Path, pattern: str = "*") -> list[Path]:
    """The files of the cache whose names fit."""
    return [file for file in cache.rglob(pattern) if file.is_file()]


async def test_what_is_in_a_folder_can_be_asked_for(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        assert await symbols(client, "weigh") == ["weigh_everything"]
        found = await client.ask(Defined("Basket", str(root / "shop.py")), 5.0)
        assert [(place.path, place.start, place.kind) for place in found.places] == [
            (str(root / "fruit.py"), (3, 6), "class")
        ]
        mentions = await client.ask(Mentioned("Basket", str(root / "shop.py")), 5.0)
        assert sorted((Path(place.path).name, *place.start) for place in mentions.places) == [
            ("fruit.py", 3, 6),
            ("shop.py", 0, 18),
            ("shop.py", 4, 13),
        ]
        outline = await client.ask(Outlined(str(root / "fruit.py")), 5.0)
        assert [(place.name, place.parent) for place in outline.places] == [
            ("Basket", -1),
            ("weigh_everything", 0),
        ]


async def test_a_prompt_gets_what_it_uses_of_other_files(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        text = "from fruit import Basket\n\nbasket = Basket()\nbasket.weigh_|\n"
        found = await client.ask(snippets(root / "new.py", text), 5.0)
        assert any("def weigh_everything(self, scale)" in piece.text for piece in found.pieces)
        assert {piece.path for piece in found.pieces} <= {"fruit.py", "shop.py"}


async def test_secret_files_are_not_in_it(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        assert await files(client) == 3
        text = "DATABASE_PASSWORD = |\n"
        found = await client.ask(snippets(root / "new.py", text), 5.0)
        assert not any("horse" in piece.text for piece in found.pieces)
    assert not any(b"horse" in file.read_bytes() for file in kept(cache))


async def test_an_open_document_hides_its_file_until_it_is_closed(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        path = str(root / "fruit.py")
        client.opened(path, FRUIT.replace("Basket", "Crate").encode())
        await until(client, Symbols("Crate"), lambda answer: bool(answer.places))
        assert await symbols(client, "Basket") == []
        client.closed(path)
        await until(client, Symbols("Basket"), lambda answer: bool(answer.places))
        assert await symbols(client, "Crate") == []


async def test_an_outline_is_complete_once_it_is_of_the_text_in_the_editor(
    root: Path, cache: Path
) -> None:
    shop = str(root / "shop.py")
    async with indexing(root, cache) as client:
        await ready(client)
        client.opened(shop, b"# first\n\n" + SHOP.encode() + b"\n\nclass Till:\n    drawer = 1\n")
        answer = await until(client, Outlined(shop), lambda answer: answer.complete)
        assert [(place.name, place.start[0], place.parent) for place in answer.places] == [
            ("open_the_shop", 5, -1),
            ("Till", 10, -1),
            ("drawer", 11, 1),
        ]


async def test_a_search_that_takes_too_long_gives_what_it_has_found(
    root: Path, cache: Path
) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        answer = await client.ask(Mentioned("Basket", str(root / "shop.py"), deadline_s=-1.0), 5.0)
        assert (answer.places, answer.complete) == ((), False)


async def test_a_new_file_that_is_only_open_is_known(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        client.opened(str(root / "brand_new.py"), b"def never_saved():\n    pass\n")
        await until(client, Symbols("never_saved"), lambda answer: bool(answer.places))
        client.closed(str(root / "brand_new.py"))
        await until(client, Symbols("never_saved"), lambda answer: not answer.places)


@pytest.mark.parametrize("told", [False, True], ids=["watched", "told by the client"])
async def test_changes_on_disk_arrive(root: Path, cache: Path, told: bool) -> None:
    async with indexing(root, cache, watch=not told) as client:
        await ready(client)

        def changed(*paths: Path) -> None:
            if told:
                client.touched([str(path) for path in paths])

        (root / "more" / "deep").mkdir(parents=True)
        new = root / "more" / "deep" / "tools.py"
        new.write_text("def sharpen_knife():\n    pass\n")
        changed(root / "more")
        await until(client, Symbols("sharpen_knife"), lambda answer: bool(answer.places))
        new.write_text("def polish_spoon():\n    pass\n")
        changed(new)
        await until(client, Symbols("polish_spoon"), lambda answer: bool(answer.places))
        assert await symbols(client, "sharpen_knife") == []
        shutil.rmtree(root / "more")
        changed(root / "more")
        await until(client, Symbols("polish_spoon"), lambda answer: not answer.places)


async def test_no_file_is_lost_where_thousands_appear_at_once(root: Path, cache: Path) -> None:
    async with indexing(root, cache, watch=True) as client:
        await ready(client)
        for number in range(2_000):
            folder = root / f"package_{number // 100}" / f"part_{number // 10 % 10}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"module_{number}.py").write_text(f"def function_{number}():\n    pass\n")
        await until(
            client,
            Counted(),
            lambda answer: answer.counts is not None and answer.counts.files == 2_003,
        )
        await ready(client)
        for number in (0, 777, 1_999):
            assert f"function_{number}" in await symbols(client, f"function_{number}")


async def test_changes_arrive_also_where_memory_is_full(root: Path, cache: Path) -> None:
    """What changes once more must not be hidden by what was kept of it before."""
    for number in range(IN_MEMORY + 30):
        (root / f"module_{number}.py").write_text(f"def function_{number}():\n    pass\n")
    async with indexing(root, cache) as client:
        await ready(client)
        for turn in range(2):
            for number in range(0, IN_MEMORY, 30):
                file = root / f"module_{number}.py"
                file.write_text(f"def changed_{number}_{turn}():\n    pass\n")
                client.touched([str(file)])
            for number in range(0, IN_MEMORY, 30):
                name = f"changed_{number}_{turn}"
                await until(client, Symbols(name, 1), lambda answer: bool(answer.places))
        assert "function_30" not in await symbols(client, "function_30")


async def test_the_next_start_reads_nothing_again(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
    (store,) = kept(cache, STORE)
    before = sqlite3.connect(store).execute("SELECT hash, used FROM records").fetchall()
    async with indexing(root, cache) as client:
        await ready(client)
        assert await files(client) == 3
        assert await symbols(client, "weigh") == ["weigh_everything"]
    assert sqlite3.connect(store).execute("SELECT hash, used FROM records").fetchall() == before


async def test_a_killed_process_is_replaced_and_told_what_is_open(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        client.opened(str(root / "fruit.py"), FRUIT.replace("Basket", "Crate").encode())
        await until(client, Symbols("Crate"), lambda answer: bool(answer.places))
        assert client._process is not None
        client._process.send_signal(signal.SIGKILL)
        gone = await client.ask(Symbols("Crate"), 5.0)
        assert gone.error
        await until(client, Symbols("Crate"), lambda answer: bool(answer.places))
        await until(client, Symbols("open_the_shop"), lambda answer: bool(answer.places))


@pytest.mark.parametrize("damage", ["store", "segments", "everything is deleted"])
async def test_a_damaged_cache_is_made_anew(root: Path, cache: Path, damage: str) -> None:
    for number in range(IN_MEMORY + 20):
        (root / f"module_{number}.py").write_text(f"def function_{number}():\n    pass\n")
    async with indexing(root, cache) as client:
        await ready(client)
        assert kept(cache, "segment-*.bin")
    if damage == "everything is deleted":
        shutil.rmtree(cache)
    for file in kept(cache, "segment-*.bin" if damage == "segments" else "*.sqlite3*"):
        file.write_bytes(b"nonsense" * 100)
    async with indexing(root, cache) as client:
        await ready(client)
        assert await files(client) == IN_MEMORY + 23
        assert f"function_{IN_MEMORY}" in await symbols(client, f"function_{IN_MEMORY}")
        answer = await client.ask(Counted(), 5.0)
        assert answer.counts is not None and answer.counts.problems == ()


async def test_a_cache_that_is_deleted_meanwhile_costs_nothing_but_itself(
    root: Path, cache: Path
) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        shutil.rmtree(cache)
        (root / "late.py").write_text("def too_late():\n    pass\n")
        client.touched([str(root / "late.py")])
        await until(client, Symbols("too_late"), lambda answer: bool(answer.places))
        assert await symbols(client, "weigh") == ["weigh_everything"]


async def test_a_cache_that_can_not_be_written_is_one_message(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    async with indexing(root, blocked) as client:
        await ready(client)
        assert await symbols(client, "weigh") == ["weigh_everything"]
        answer = await client.ask(Counted(), 5.0)
        assert answer.counts is not None and len(answer.counts.problems) == 1


async def test_two_processes_share_a_cache(root: Path, cache: Path) -> None:
    for number in range(MANY + 20):
        (root / f"module_{number}.py").write_text(f"def function_{number}():\n    pass\n")
    async with indexing(root, cache) as one, indexing(root, cache) as other:
        await asyncio.gather(ready(one), ready(other))
        for client in (one, other):
            assert await files(client) == MANY + 23
            assert f"function_{MANY}" in await symbols(client, f"function_{MANY}")


async def test_nothing_is_started_without_a_folder(cache: Path) -> None:
    client = IndexClient(Serve((), str(cache)))
    running = asyncio.create_task(client.run())
    answer = await client.ask(Counted(), 1.0)
    assert answer.error and client._process is None
    await client.close()
    await running


async def test_a_store_that_is_damaged_meanwhile_is_made_anew(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
        for file in kept(cache, f"{STORE}*"):
            file.write_bytes(b"nonsense" * 4_000)
        (root / "late.py").write_text("def too_late():\n    pass\n")
        client.touched([str(root / "late.py")])
        await until(client, Symbols("too_late"), lambda answer: bool(answer.places))
        assert await symbols(client, "weigh") == ["weigh_everything"]
        await ready(client)
    async with indexing(root, cache) as client:
        await ready(client)
        assert await files(client) == 4
        assert await symbols(client, "too_late") == ["too_late"]


async def test_what_no_file_holds_any_more_does_not_stay_for_ever(root: Path, cache: Path) -> None:
    async with indexing(root, cache) as client:
        await ready(client)
    (root / "fruit.py").unlink()
    async with indexing(root, cache) as client:
        await ready(client)
    (store,) = kept(cache, STORE)
    with contextlib.closing(sqlite3.connect(store)) as db:
        count = db.execute("SELECT count(*) FROM records").fetchone()[0]
        db.execute("UPDATE records SET used = 0")
        db.commit()
    async with indexing(root, cache) as client:
        await ready(client)
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert db.execute("SELECT count(*) FROM records").fetchone()[0] == count - 1
