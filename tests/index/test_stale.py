"""What was read before a file changed is never taken for what it is now."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from inkling.index.jobs import Wanted
from inkling.index.pool import Done, Pool
from inkling.index.workspace import Workspace


class SlowPool(Pool):
    """The first batch is read at once and handed out late."""

    def __init__(self) -> None:
        super().__init__(2)
        self.read_first = asyncio.Event()
        self.go = asyncio.Event()
        self._first = True

    async def read(self, root: str, files: Sequence[Wanted]) -> AsyncIterator[Done]:
        first, self._first = self._first, False
        found = [done async for done in super().read(root, files)]
        if first:
            self.read_first.set()
            await self.go.wait()
        for done in found:
            yield done


async def test_a_slow_batch_does_not_bring_back_what_is_gone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("kept", "saved", "deleted"):
        (root / f"{name}.py").write_text(f"def {name}_old():\n    pass\n")
    pool = SlowPool()
    workspace = Workspace(str(root), tmp_path / "cache", pool, (), watch=False)
    running = asyncio.create_task(workspace.run())
    try:
        async with asyncio.timeout(60):
            await pool.read_first.wait()
            (root / "saved.py").write_text("def saved_newly():\n    pass\n")
            (root / "deleted.py").unlink()
            workspace.touched(["saved.py", "deleted.py"])
            while "saved.py" not in workspace.view:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            pool.go.set()
            while not workspace.ready:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sorted(workspace.view.paths()) == ["kept.py", "saved.py"]
        assert [one.name for one in workspace.view.definitions("saved.py") or ()] == ["saved_newly"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await pool.close()
        workspace.close()
