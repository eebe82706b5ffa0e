"""The syntax client with real worker processes: answers, deaths, hangs, ends."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import pytest

from inkling.syntax.client import SyntaxClient
from inkling.syntax.judgement import LARGEST, NO_GRAMMAR, STOPPED, TOO_LARGE, TOO_LONG, unchecked
from inkling.text.document import Document

FAULTY = (sys.executable, "-P", str(Path(__file__).parent / "faulty_syntax_worker.py"), "0.3")
PATIENT_MS = 30_000.0


def document(text: str, uri: str = "file:///a.py", language_id: str = "python") -> Document:
    return Document(uri, language_id, 1, text.encode())


async def judge(client, text, inserted, *, deadline_ms=PATIENT_MS, **kind):
    before, after = text.split("|")
    return await client.judge(
        document(before + after, **kind),
        len(before.encode()),
        inserted,
        multiline=False,
        finished=True,
        deadline_ms=deadline_ms,
    )


@contextlib.asynccontextmanager
async def running(*command):
    client = SyntaxClient(*command)
    task = asyncio.create_task(client.run())
    await client.ready()
    try:
        yield client
    finally:
        await client.close()
        await asyncio.wait_for(task, 10)


async def test_it_judges_version_after_version():
    async with running() as client:
        text = "def f(a, b):\n    return |\n"
        for typed in ("", "g", "g(", "g(a"):
            judgement = await judge(client, text.replace("|", typed + "|"), " + b")
            assert judgement.checked
        assert (await judge(client, "foo(|)\n", "a, b)")).keep == 4
        assert (await judge(client, "x = |\n", "1 +")).keep == 0
        client.prepare(document("x = 1\n"))
        client.prepare(document("x = 2\n"))
        client.forget("file:///a.py")
        assert (await judge(client, "y = |\n", "[1, 2]")).keep == 6


async def test_closers_have_plain_line_ends_in_a_document_with_others():
    # The service gives the whole text the document's line ends, closers included.
    before, after = "function f(a) {\r\n  ", "\r\n}\r\n"
    async with running() as client:
        judgement = await client.judge(
            document(before + after, "file:///a.js", "javascript"),
            len(before),
            "a.map((x) => {\n    g(x);\n    h",
            multiline=True,
            finished=False,
            deadline_ms=PATIENT_MS,
        )
        assert judgement.closers == "\n  })"


async def test_many_at_once_are_answered_each_for_its_own_text():
    async with running() as client:
        answers = await asyncio.gather(
            *(judge(client, "x = |\n", "1" * n, uri=f"file:///{n % 3}.py") for n in range(1, 40))
        )
        assert [answer.keep for answer in answers] == list(range(1, 40))


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("x = |\n", {"language_id": "cobol", "uri": "file:///a.cob"}, NO_GRAMMAR),
        ("x = 1\n" * (LARGEST // 6 + 1) + "|", {}, TOO_LARGE),
        ("\0\1\2|", {}, TOO_LARGE),
        ("x" * 60_000 + " = |", {}, TOO_LARGE),
    ],
    ids=["no grammar", "too large", "binary", "one long line"],
)
async def test_what_cannot_be_parsed_is_unchecked(text, kind, reason):
    async with running() as client:
        assert await judge(client, text, "1", **kind) == unchecked(reason)
        assert (await judge(client, "x = |\n", "1")).checked


async def test_surrogates_bom_and_bytes_that_are_no_text():
    async with running() as client:
        data = b"\xef\xbb\xbfx = '\xed\xa0\x80'\n\xff\xfe\n"
        judgement = await client.judge(
            Document("file:///a.py", "python", 1, data),
            3,
            "y = '\ud83d'\n",
            multiline=True,
            finished=True,
            deadline_ms=PATIENT_MS,
        )
        assert judgement.checked


async def test_a_passed_deadline_is_an_unchecked_answer_in_time():
    async with running() as client:
        assert await judge(client, "x = |\n", "1", deadline_ms=0) == unchecked(TOO_LONG)
        text = "def f(a):\n    return (a +\n" * 9000
        assert await judge(client, text + "|", "x(", deadline_ms=1) == unchecked(TOO_LONG)
        # The parse that was cut short leaves nothing behind.
        assert (await judge(client, "x = |\n", "foo(1)")).keep == 6


async def test_without_a_worker_nothing_waits_longer_than_its_deadline():
    client = SyntaxClient(("/nowhere/python",))
    task = asyncio.create_task(client.run())
    assert await judge(client, "x = |\n", "1", deadline_ms=50) == unchecked(TOO_LONG)
    await client.close()
    await asyncio.wait_for(task, 10)


@pytest.mark.parametrize("word", ["DIE", "HANG"])
async def test_a_text_that_kills_or_stalls_the_worker_is_not_tried_again(word):
    async with running(FAULTY) as client:
        bad = f"x = {word}|\n"
        assert await judge(client, bad, "()") == unchecked(STOPPED)
        await client.ready()
        assert (await judge(client, "y = |\n", "1", uri="file:///b.py")).checked
        # Once may be the machine's doing: under another name it is tried again, then never.
        assert await judge(client, bad, "()", uri="file:///c.py") == unchecked(STOPPED)
        await client.ready()
        assert await judge(client, bad, "()", uri="file:///d.py") == unchecked(STOPPED)
        assert (await judge(client, "y = |\n", "1", uri="file:///b.py")).checked
        # The document it was rests for a while, whatever it holds by now.
        assert await judge(client, "z = |\n", "1") == unchecked(STOPPED)


async def test_others_in_flight_are_answered_when_the_worker_dies():
    async with running(FAULTY) as client:
        answers = await asyncio.gather(
            judge(client, "x = DIE|\n", "1", uri="file:///a.py"),
            judge(client, "x = |\n", "1", uri="file:///b.py"),
            judge(client, "x = |\n", "2", uri="file:///c.py"),
        )
        assert [answer.reason for answer in answers] == [STOPPED, TOO_LONG, TOO_LONG]
        await client.ready()
        assert (await judge(client, "x = |\n", "1", uri="file:///b.py")).checked


async def test_a_cancelled_judge_leaves_the_worker_in_order():
    async with running() as client:
        task = asyncio.create_task(judge(client, "x = |\n", "1"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await judge(client, "x = |\n", "12")).keep == 2


async def test_close_ends_run_and_answers_are_then_unchecked():
    client = SyntaxClient()
    task = asyncio.create_task(client.run())
    await client.ready()
    await client.close()
    await asyncio.wait_for(task, 10)
    assert await judge(client, "x = |\n", "1", deadline_ms=50) == unchecked(TOO_LONG)


PARENT = """
import asyncio, sys
from inkling.syntax.client import SyntaxClient
from inkling.text.document import Document

async def main():
    client = SyntaxClient(tuple(sys.argv[2:]))
    running = asyncio.create_task(client.run())
    await client.ready()
    asking = asyncio.create_task(client.judge(
        Document("file:///a.py", "python", 1, sys.argv[1].encode()), 0, "x",
        multiline=False, finished=True, deadline_ms=60000))
    if "HANG" not in sys.argv[1]:
        await asking
    else:
        await asyncio.sleep(0)
    print("asked", flush=True)
    await running

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL to send")
@pytest.mark.parametrize("text", ["y = 1\n", "HANG\n"])
async def test_no_orphan_is_left_when_the_server_is_killed(text):
    # The worker inherits stderr: its end comes when the last holder, the worker, has gone.
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        PARENT,
        text,
        *FAULTY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    assert parent.stderr is not None
    assert await asyncio.wait_for(parent.stdout.readline(), 30) == b"asked\n"
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    assert await asyncio.wait_for(parent.stderr.read(), 30) == b""
