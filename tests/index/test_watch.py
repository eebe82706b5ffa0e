"""Changes on disk as the index sees them: real folders, real watchers, nothing lost."""

import asyncio
import logging
import os
import shutil
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from inkling.index import watch, watchers
from inkling.index.crawl import crawl
from inkling.index.rules import Rules
from inkling.index.watch import RESCAN, changes
from trees import commit, git, plant, repository

LIMIT_S = 60.0
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="watches single folders on Linux only")


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))


class Mirror:
    """The files of a folder as one knows them who does what `changes` says, and nothing else."""

    def __init__(self, root: Path, stream: AsyncIterator[set[str]], rules: Rules) -> None:
        self.root = root
        self.files: dict[str, tuple[int, int]] = {}
        self.reported: set[str] = set()
        self.obeys_rescan = True
        self._stream = stream
        self._rules = rules

    async def next(self) -> set[str]:
        paths = await anext(self._stream)
        self.reported |= paths
        for path in paths:
            self.apply(path)
        return paths

    def apply(self, path: str) -> None:
        if path == RESCAN:
            if self.obeys_rescan:
                self.files = truth(self.root, self._rules)
            return
        below = [known for known in self.files if known == path or known.startswith(f"{path}/")]
        for known in {path, *below}:
            found = self._rules.look(known)
            if found is not None:
                self.files[known] = (found.mtime_ns, found.size)
            else:
                self.files.pop(known, None)

    async def settles(self) -> None:
        """Go on until all is known as it is; fails where something was lost."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while self.files != truth(self.root):
                    await self.next()
        except TimeoutError:
            now = truth(self.root)
            lost = sorted(now.keys() - self.files.keys())
            left = sorted(self.files.keys() - now.keys())
            pytest.fail(f"{len(lost)} lost: {lost[:5]}, {len(left)} left: {left[:5]}")

    async def hears(self, path: str) -> None:
        """Go on until the path is reported from now on."""
        async with asyncio.timeout(LIMIT_S):
            while path not in await self.next():
                pass


def truth(root: Path, rules: Rules | None = None) -> dict[str, tuple[int, int]]:
    return {file.path: (file.mtime_ns, file.size) for file in crawl(root, rules=rules)}


@asynccontextmanager
async def watching(root: Path, *excludes: str, poll_s: float = 0.05) -> AsyncIterator[Mirror]:
    stop = asyncio.Event()
    rules = Rules(root, excludes)
    stream = changes(root, rules, stop, poll_s=poll_s)
    mirror = Mirror(root, stream, rules)
    async with asyncio.timeout(LIMIT_S):
        assert await mirror.next() == {RESCAN}
    try:
        yield mirror
    finally:
        stop.set()
        await stream.aclose()


def many(root: Path, folders: int, files: int) -> Path:
    """A tree four levels deep."""
    for number in range(folders):
        folder = root / f"p{number % 7}" / f"q{number % 31}" / f"r{number}"
        folder.mkdir(parents=True)
        for other in range(files):
            (folder / f"m{other}.py").write_text(f"x = {other}\n")
    return root


async def test_of_5000_files_that_are_copied_at_once_none_is_lost(tmp_path):
    source = many(tmp_path / "source", 250, 20)
    root = plant(tmp_path / "work", ["old.py"])

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        copying = asyncio.create_task(asyncio.to_thread(shutil.copytree, source, root / "new"))
        await mirror.settles()
        await copying
        await mirror.settles()

    assert len(mirror.files) == 5001


async def test_of_an_archive_that_is_unpacked_no_file_is_lost(tmp_path):
    source = many(tmp_path / "source", 100, 20)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(source, "lib")
    root = plant(tmp_path / "work", ["lib/p0/old.py"])

    def unpack() -> None:
        with tarfile.open(tmp_path / "a.tar") as archive:
            archive.extractall(root, filter="data")

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        unpacking = asyncio.create_task(asyncio.to_thread(unpack))
        await mirror.settles()
        await unpacking
        await mirror.settles()

    assert len(mirror.files) == 2001


async def test_after_a_branch_is_checked_out_all_is_known(tmp_path):
    root = repository(plant(tmp_path, ["kept.py", "only_main/a.py", "both/b.py"]))
    commit(root)
    git(root, "checkout", "--quiet", "-b", "other")
    shutil.rmtree(root / "only_main")
    many(root / "only_other", 100, 10)
    plant(root, {"both/b.py": "x = 2\n", "only_main": "a file now\n"})
    commit(root)
    git(root, "checkout", "--quiet", "main")

    async with watching(root) as mirror:
        await asyncio.to_thread(git, root, "checkout", "--quiet", "other")
        await mirror.settles()
        assert len(mirror.files) == 1003
        await asyncio.to_thread(git, root, "checkout", "--quiet", "main")
        await mirror.settles()

    assert set(mirror.files) == {"kept.py", "only_main/a.py", "both/b.py"}


async def test_a_switch_of_branches_alone_asks_for_a_look_at_everything(tmp_path):
    root = repository(plant(tmp_path, ["a.py"]))
    commit(root)
    git(root, "branch", "other")

    async with watching(root) as mirror:
        await asyncio.to_thread(git, root, "checkout", "--quiet", "other")
        await mirror.hears(RESCAN)


async def test_a_switch_is_seen_from_a_folder_inside_the_repository(tmp_path):
    root = repository(plant(tmp_path, ["sub/a.py"]))
    commit(root)
    git(root, "branch", "other")

    async with watching(root / "sub") as mirror:
        await asyncio.to_thread(git, root, "checkout", "--quiet", "other")
        await mirror.hears(RESCAN)


async def test_an_atomic_save_is_a_change_of_the_file(tmp_path):
    root = plant(tmp_path, ["a.py"])

    async with watching(root) as mirror:
        (root / "a.py.tmp").write_text("x = 2222\n")
        (root / "a.py.tmp").replace(root / "a.py")
        await mirror.settles()

    assert "a.py" in mirror.reported
    assert set(mirror.files) == {"a.py"}


async def test_a_folder_that_is_renamed_is_known_by_its_new_name_only(tmp_path):
    root = plant(tmp_path, ["a/b/c.py", "a/d.py", "e.py"])

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        (root / "a").rename(root / "z")
        await mirror.settles()
        assert set(mirror.files) == {"z/b/c.py", "z/d.py", "e.py"}
        plant(root, {"z/b/c.py": "later\n", "z/b/new.py": ""})
        await mirror.settles()


async def test_a_folder_in_place_of_another_of_its_name_is_watched(tmp_path):
    root = plant(tmp_path, ["a/b/c.py", "a/old.py"])

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        (root / "a").rename(root.parent / f"{root.name}-away")
        plant(root, ["a/b/d.py"])
        await mirror.settles()
        plant(root, {"a/b/d.py": "later\n", "a/b/e.py": "", "a/f/g.py": ""})
        await mirror.settles()

    assert set(mirror.files) == {"a/b/d.py", "a/b/e.py", "a/f/g.py"}


async def test_what_is_deleted_is_known_to_be_gone(tmp_path):
    root = plant(tmp_path, ["a/b/c.py", "a/d.py", "e.py", "f.py"])

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        shutil.rmtree(root / "a")
        (root / "e.py").unlink()
        await mirror.settles()

    assert set(mirror.files) == {"f.py"}


async def test_folders_that_come_one_by_one_are_all_watched(tmp_path):
    """More of them than there are watchers: they are brought together, and none falls out."""
    root = plant(tmp_path, ["a.py"])

    async with watching(root) as mirror:
        mirror.obeys_rescan = False
        for number in range(20):
            plant(root, [f"f{number}/a.py"])
            await mirror.settles()
        for number in range(20):
            plant(root, {f"f{number}/a.py": "later\n", f"f{number}/deep/b.py": ""})
        await mirror.settles()

    assert len(mirror.files) == 41


async def test_what_new_ignore_rules_let_in_is_watched(tmp_path):
    root = plant(tmp_path, {".gitignore": "gen/\n", "gen/deep/a.py": "", "b.py": ""})

    async with watching(root) as mirror:
        assert set(mirror.files) == {".gitignore", "b.py"}
        (root / ".gitignore").write_text("b.py\n")
        await mirror.settles()
        assert set(mirror.files) == {".gitignore", "gen/deep/a.py"}
        plant(root, {"gen/deep/a.py": "later\n"})
        await mirror.hears("gen/deep/a.py")


async def test_what_is_tracked_though_ignored_is_watched(tmp_path):
    root = repository(plant(tmp_path, ["build/kept.py", "a.py"]))
    commit(root)
    plant(root, {".gitignore": "build/\n"})

    async with watching(root) as mirror:
        plant(root, {"build/other.py": "", "build/kept.py": "later\n"})
        await mirror.hears("build/kept.py")
        await mirror.settles()

    assert "build/other.py" not in mirror.reported


async def test_of_what_does_not_belong_nothing_is_heard(tmp_path):
    root = plant(tmp_path, {".gitignore": "out/\n", "a.py": "", "out/b.py": ""})

    async with watching(root, "**/skip") as mirror:
        plant(root, [".env", "out/c.py", "node_modules/m/i.js", "skip/d.py", "logo.png", "z.py"])
        await mirror.hears("z.py")

    heard = mirror.reported - {RESCAN, "z.py"}
    assert heard <= {"out", "skip", "node_modules"}


@LINUX
async def test_ignored_folders_take_no_watches(tmp_path, monkeypatch):
    root = plant(tmp_path, {".gitignore": "out/\n", "a/b.py": "", "out/deep/c.py": ""})
    plant(root, ["node_modules/m/i.js"])
    taken: list[str] = []
    real = watchers.RustNotify

    def notify(places, *arguments):
        taken.extend(places)
        return real(places, *arguments)

    monkeypatch.setattr(watchers, "RustNotify", notify)
    async with watching(root):
        pass

    assert sorted(taken) == [str(root), str(root / "a")]


@LINUX
async def test_a_name_that_is_not_utf_8_does_not_end_the_watching(tmp_path):
    root = plant(tmp_path, ["a.py"])

    async with watching(root) as mirror:
        plant(root, [os.fsdecode(b"\xff.py")])
        await mirror.hears(RESCAN)
        plant(root, {"a.py": "later\n", "new/b.py": ""})
        await mirror.settles()


@pytest.mark.parametrize("calls", [0, 1, 2])
async def test_where_watches_run_out_no_change_is_lost(tmp_path, monkeypatch, caplog, calls):
    """The limit may be met at once, or in the middle of the work."""
    root = plant(tmp_path, ["a.py", "sub/b.py"])
    left = [calls]
    real = watchers.RustNotify

    def notify(*arguments):
        if not left[0]:
            raise OSError("OS file watch limit reached. (about [])")
        left[0] -= 1
        return real(*arguments)

    monkeypatch.setattr(watchers, "RustNotify", notify)
    with caplog.at_level(logging.INFO):
        async with watching(root) as mirror:
            for number in range(3):
                plant(root, [f"new{number}/c.py"])
                await mirror.settles()
            (root / "a.py").unlink()
            plant(root, {"sub/b.py": "later\n"})
            await mirror.settles()

    assert set(mirror.files) == {"sub/b.py", "new0/c.py", "new1/c.py", "new2/c.py"}
    if sys.platform == "linux":
        warnings = [record.getMessage() for record in caplog.records]
        assert len(warnings) == 1
        assert "OS file watch limit reached" in warnings[0]


async def test_a_watcher_that_fails_again_and_again_gives_way_to_looking(tmp_path, monkeypatch):
    root = plant(tmp_path, ["a.py"])

    class Failing:
        def __init__(self, *arguments: object) -> None:
            pass

        def watch(self, *arguments: object) -> object:
            raise watchers.WatchfilesRustInternalError("no")

        def close(self) -> None:
            pass

    monkeypatch.setattr(watchers, "RustNotify", Failing)
    async with watching(root) as mirror:
        plant(root, ["b/c.py"])
        await mirror.settles()


async def test_a_fault_does_not_end_the_news(tmp_path, monkeypatch, caplog):
    root = plant(tmp_path, ["a.py"])
    monkeypatch.setattr(watch._Keeper, "_digest", lambda self, changed: 1 / 0)

    async with watching(root) as mirror:
        plant(root, ["b/c.py"])
        await mirror.settles()

    assert "watching failed" in caplog.text


async def test_a_workspace_that_goes_and_comes_back_is_seen(tmp_path):
    root = plant(tmp_path / "work", ["a.py"])

    async with watching(root) as mirror:
        shutil.rmtree(root)
        await mirror.settles()
        assert mirror.files == {}
        plant(root, ["b/c.py"])
        await mirror.settles()


async def test_the_stream_ends_when_it_is_told_to(tmp_path):
    stop = asyncio.Event()
    stream = changes(plant(tmp_path, ["a.py"]), Rules(tmp_path), stop)
    assert await anext(stream) == {RESCAN}

    waiting = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    stop.set()

    async with asyncio.timeout(LIMIT_S):
        assert await waiting is None
