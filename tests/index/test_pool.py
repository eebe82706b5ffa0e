"""Worker processes that die, hang and are killed: no file goes unanswered."""

import os
import signal
import sys
from pathlib import Path

import pytest

from inkling.index.jobs import Wanted
from inkling.index.pool import Done, Pool

FAULTY = (sys.executable, "-P", str(Path(__file__).parent / "faulty_index_worker.py"), "0.3")


async def read(pool: Pool, root: Path, *names: str) -> list[Done]:
    batch = [Wanted(name, "parsed") for name in names]
    return [done async for done in pool.read(str(root), batch)]


@pytest.mark.parametrize("fault", ["DIE", "HANG"])
async def test_a_file_that_ends_workers_is_set_aside_and_the_others_are_read(tmp_path, fault):
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(f"def {name[0]}(): pass\n")
    (tmp_path / "b.py").write_text(f"# {fault}\n")
    pool = Pool(1, FAULTY)
    try:
        done = await read(pool, tmp_path, "a.py", "b.py", "c.py")
        assert [one.path for one in done] == ["a.py", "b.py", "c.py"]
        assert [one.made is not None for one in done] == [True, False, True]
        assert done[1].killed in pool.quarantined
    finally:
        await pool.close()


async def test_a_worker_that_is_killed_from_outside_costs_no_file(tmp_path):
    for number in range(300):
        (tmp_path / f"m{number}.py").write_text(f"def function_{number}(): pass\n" * 50)
    pool = Pool(1)
    try:
        found = []
        batch = [Wanted(f"m{number}.py", "parsed") for number in range(300)]
        async for done in pool.read(str(tmp_path), batch):
            found.append(done)
            if len(found) in (20, 150):
                process = pool._workers[0]._process
                assert process is not None
                os.kill(process.pid, signal.SIGKILL)
        assert [done.path for done in found] == [wanted.path for wanted in batch]
        assert all(done.made is not None and done.made.record is not None for done in found)
    finally:
        await pool.close()


async def test_a_worker_that_can_not_be_started_is_an_answer(tmp_path):
    (tmp_path / "a.py").write_text("a = 1\n")
    pool = Pool(1, (sys.executable, "-c", "raise SystemExit(1)"))
    try:
        assert await read(pool, tmp_path, "a.py", "b.py") == [
            Done("a.py", None),
            Done("b.py", None),
        ]
    finally:
        await pool.close()
