"""The index worker as a real process: answers, faults, ends."""

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from inkling.index import worker
from inkling.index.jobs import HEADER, Batch, Began, Made, Wanted, frame

REAL = (sys.executable, "-P", "-m", "inkling.index.worker")
FAULTY = (sys.executable, "-P", str(Path(__file__).parent / "faulty_index_worker.py"), "1.0")
PATIENT = 60.0
_answer = msgspec.msgpack.Decoder(Began | Made)


class Process:
    """A worker and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.began: list[Began] = []

    async def ask(self, root: Path, *wanted: Wanted, number: int = 1) -> None:
        self.process.stdin.write(frame(Batch(number, str(root), wanted)))
        await self.process.stdin.drain()

    async def next(self) -> Began | Made | None:
        """The next answer, None when there will be no more."""
        try:
            async with asyncio.timeout(PATIENT):
                header = await self.process.stdout.readexactly(HEADER)
                size = int.from_bytes(header, "big")
                return _answer.decode(await self.process.stdout.readexactly(size))
        except asyncio.IncompleteReadError:
            return None

    async def made(self) -> Made | None:
        while isinstance(answer := await self.next(), Began):
            self.began.append(answer)
        return answer

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENT):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def running(command=REAL):
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**26,
    )
    try:
        yield Process(process)
    finally:
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def wanted(*paths, wish="parsed"):
    return [Wanted(path, wish) for path in paths]


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


async def test_every_file_of_a_batch_is_answered_in_its_order(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_bytes(b"def f(): pass\n")
    (tmp_path / "ü.js").write_bytes(b"class A {}\n")
    (tmp_path / "empty.go").write_bytes(b"")
    async with running() as process:
        await process.ask(tmp_path, *wanted("src/a.py", "ü.js", "empty.go"))
        answers = [await process.made() for _ in range(3)]
        assert [(one.batch, one.number, one.state) for one in answers] == [
            (1, 0, "made"),
            (1, 1, "made"),
            (1, 2, "made"),
        ]
        first = answers[0]
        status = (tmp_path / "src" / "a.py").stat()
        assert (first.mtime_ns, first.size) == (status.st_mtime_ns, status.st_size)
        assert first.hash == digest(b"def f(): pass\n") == process.began[0].hash
        assert first.record.tier == "parsed" and first.final
        assert [one.name for one in first.record.definitions] == ["f"]
        assert [one.number for one in process.began] == [0, 1, 2]


async def test_a_wish_is_granted_as_far_as_it_goes(tmp_path):
    data = b"def f(): pass\n"
    (tmp_path / "a.py").write_bytes(data)
    (tmp_path / "a.txt").write_bytes(data)
    async with running() as process:
        await process.ask(
            tmp_path,
            Wanted("a.py", "hash"),
            Wanted("a.py", "lexical"),
            Wanted("a.py", "parsed", digest(data)),
            Wanted("a.py", "parsed", digest(b"other")),
            Wanted("a.txt", "lexical"),
            Wanted("a.txt", "parsed"),
        )
        answers = [await process.made() for _ in range(6)]
        assert [one.state for one in answers] == ["made", "made", "same", "made", "made", "made"]
        tiers = [one.record.tier if one.record else None for one in answers]
        assert tiers == [None, "lexical", None, "parsed", "lexical", "lexical"]
        assert [one.final for one in answers] == [False, False, True, True, True, True]
        assert all(one.hash == digest(data) for one in answers)


async def test_files_that_cannot_be_had_are_answers(tmp_path):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "binary.py").write_bytes(b"x\0y")
    (tmp_path / "big.py").write_bytes(b"x = 1\n" * (worker.LARGEST_READ // 6 + 1))
    (tmp_path / "file").write_bytes(b"")
    paths = ["gone.py", "folder.py", "binary.py", "big.py", "file/below.py", "bad\0name.py"]
    states = ["gone", "unreadable", "binary", "too large", "gone", "unreadable"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.py")  # nobody ever writes to it
        paths.append("pipe.py")
        states.append("unreadable")
    async with running() as process:
        await process.ask(tmp_path, *wanted(*paths))
        assert [(await process.made()).state for _ in paths] == states


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads it all")
async def test_a_file_one_may_not_read_is_an_answer(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "a.py").chmod(0)
    async with running() as process:
        await process.ask(tmp_path, *wanted("a.py"))
        assert (await process.made()).state == "unreadable"


async def test_a_generated_file_of_many_megabytes_holds_nothing_up(tmp_path):
    (tmp_path / "generated.py").write_bytes(
        b"".join(b"X%d = %d\n" % (n, n) for n in range(700_000))
    )
    (tmp_path / "long.js").write_bytes(b"var a=" + b"[0]," * 500_000 + b"0;\n")
    (tmp_path / "table.c").write_bytes(
        b"int t[] = {\n" + b"  0x1234, 0x5678,\n" * 100_000 + b"};\n"
    )
    (tmp_path / "a.py").write_bytes(b"def f(): pass\n")
    assert (tmp_path / "generated.py").stat().st_size > 10_000_000
    async with running() as process:
        await process.ask(tmp_path, *wanted("generated.py", "long.js", "table.c", "a.py"))
        answers = [await process.made() for _ in range(4)]
        assert [one.state for one in answers] == ["too large", "made", "made", "made"]
        assert [one.record.tier for one in answers[1:]] == ["lexical", "lexical", "parsed"]


async def test_what_kills_the_worker_is_known_by_its_hash_and_nothing_before_is_lost(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    (tmp_path / "b.py").write_bytes(b"DIE = 1\n")
    (tmp_path / "c.py").write_bytes(b"c = 1\n")
    async with running(FAULTY) as process:
        await process.ask(tmp_path, *wanted("a.py", "b.py", "c.py"))
        assert (await process.made()).record is not None
        assert await process.made() is None
        assert process.began[-1] == Began(1, 1, digest(b"DIE = 1\n"))
        assert await process.ended() == 3


async def test_a_grammar_that_hangs_ends_the_process_and_is_known_by_its_hash(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    (tmp_path / "b.py").write_bytes(b"HANG = 1\n")
    async with running(FAULTY) as process:
        await process.ask(tmp_path, *wanted("a.py", "b.py"))
        assert (await process.made()).number == 0
        assert await process.made() is None  # the watchdog's doing: the hang would last for ever
        assert process.began[-1] == Began(1, 1, digest(b"HANG = 1\n"))
        assert await process.ended() != 0


async def test_the_watchdog_rests_while_there_is_nothing_to_do(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    async with running(FAULTY) as process:
        await process.ask(tmp_path, *wanted("a.py"))
        assert await process.made() is not None
        with pytest.raises(TimeoutError):  # longer than it waits for a file
            await asyncio.wait_for(process.process.wait(), 1.6)
        await process.ask(tmp_path, *wanted("a.py"), number=2)
        assert (await process.made()).batch == 2


async def test_a_mistake_of_ours_costs_one_file(tmp_path):
    (tmp_path / "a.py").write_bytes(b"RAISE = 1\n")
    (tmp_path / "b.py").write_bytes(b"b = 1\n")
    async with running(FAULTY) as process:
        await process.ask(tmp_path, *wanted("a.py", "b.py"))
        assert [(await process.made()).state for _ in range(2)] == ["failed", "made"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_is_killed_says_no_more(tmp_path, blow):
    for number in range(400):
        (tmp_path / f"{number}.py").write_bytes(b"def f(): pass\n" * 200)
    async with running() as process:
        await process.ask(tmp_path, *wanted(*(f"{number}.py" for number in range(400))))
        done = [await process.made() for _ in range(3)]
        process.process.send_signal(blow)
        while (answer := await process.made()) is not None:
            done.append(answer)
        assert await process.ended() == -blow
        # What was said before is whole and in order; the rest can be asked of another one.
        assert [one.number for one in done] == list(range(len(done)))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_ctrl_c_is_not_for_the_worker(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    async with running() as process:
        await process.ask(tmp_path, *wanted("a.py"))
        assert await process.made() is not None
        process.process.send_signal(signal.SIGINT)
        await process.ask(tmp_path, *wanted("a.py"))
        assert await process.made() is not None


async def test_the_worker_ends_with_its_input():
    async with running() as process:
        process.process.stdin.close()
        assert await process.ended() == 0


async def test_the_worker_ends_when_nobody_listens(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.py").write_bytes(b"def f(): pass\n" * 500)
    ours, its = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *REAL, stdin=asyncio.subprocess.PIPE, stdout=its, stderr=asyncio.subprocess.DEVNULL
    )
    os.close(its)
    os.close(ours)
    try:
        batch = Batch(1, str(tmp_path), tuple(wanted(*(f"{n}.py" for n in range(300)))))
        process.stdin.write(frame(batch))  # and stdin stays open
        async with asyncio.timeout(PATIENT):
            assert await process.wait() == 0
    finally:
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="no such priorities")
async def test_the_worker_gives_way(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    async with running() as process:
        await process.ask(tmp_path, *wanted("a.py"))
        assert await process.made() is not None
        nice = os.getpriority(os.PRIO_PROCESS, process.process.pid)
        assert nice >= min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)


def test_a_file_that_is_written_while_it_is_read_is_left_for_later(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\n")
    looks = []
    fstat = os.fstat

    def growing(descriptor):
        """Somebody appends to the file before every second look at it."""
        looks.append(descriptor)
        if len(looks) % 2 == 0 and len(looks) <= limit:
            with path.open("ab") as file:
                file.write(b"b = 2\n")
        return fstat(descriptor)

    monkeypatch.setattr(worker.os, "fstat", growing)
    limit = 100
    assert worker.read(str(path)) == "changing"
    assert len(looks) == 4
    looks.clear()
    limit = 2  # quiet the second time
    content = worker.read(str(path))
    assert isinstance(content, worker.Content)
    assert content.data == path.read_bytes() and content.mtime_ns == path.stat().st_mtime_ns


def test_a_file_that_is_replaced_while_it_is_read_is_the_old_one_or_the_new_one(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.py"
    path.write_bytes(b"old = 1\n")
    fstat = os.fstat

    def replacing(descriptor):
        (tmp_path / "new").write_bytes(b"new = 2\nmore = 3\n")
        (tmp_path / "new").replace(path)
        return fstat(descriptor)

    monkeypatch.setattr(worker.os, "fstat", replacing)
    content = worker.read(str(path))
    assert isinstance(content, worker.Content)
    assert content.data in (b"old = 1\n", b"new = 2\nmore = 3\n")
