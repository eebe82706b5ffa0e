"""Untrusted programs: judged, limited, and unable to reach out."""

import sys

import pytest

from inkling.cli.bench.sandbox import passes


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("assert sorted([2, 1]) == [1, 2]", True),
        ("assert False", False),
        ("this is no program", False),
        ("raise SystemExit(0)", True),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", False),
        ("import subprocess, sys; subprocess.run([sys.executable, '-V'])", False),
        ("import os; os.system('true')", False),
        ("open('made', 'w')", False),
        ("import os; os.remove('made')", False),
        ("assert __import__('os').listdir('.') == []", True),
    ],
)
def test_programs(program: str, passed: bool) -> None:
    assert passes(program) is passed


def test_an_endless_loop_is_killed() -> None:
    assert not passes("while True: pass", seconds=0.5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no memory limit for a process")
def test_memory_is_limited() -> None:
    assert not passes("x = bytearray(4 * 2**30)")
