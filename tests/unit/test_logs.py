"""The log file: always somewhere, never with what a user wrote."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkling import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, pygls = logging.getLogger(), logging.getLogger("pygls")
    before = root.handlers[:], root.level, pygls.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:], level, pygls.level = before
    root.setLevel(level)


def _fail() -> None:
    raise ValueError("secret text of a document")


def _log_failure() -> None:
    try:
        _fail()
    except ValueError:
        logging.getLogger("inkling.test").exception("it failed")


def test_exceptions_are_logged_without_their_message_unless_debugging(tmp_path):
    path = tmp_path / "new" / "inkling.log"
    logs.set_up(path)
    _log_failure()
    logging.getLogger("pygls.protocol").error("secret body")
    text = path.read_text(encoding="utf-8")
    assert "it failed" in text and "ValueError" in text and "_fail" in text
    assert "secret" not in text.replace('raise ValueError("secret text of a document")', "")
    logs.set_level("debug")
    _log_failure()
    logging.getLogger("pygls.protocol").info("body")
    assert "ValueError: secret text of a document" in path.read_text(encoding="utf-8")
    assert "body" in path.read_text(encoding="utf-8")


def test_levels(tmp_path):
    path = tmp_path / "inkling.log"
    logs.set_up(path, "error")
    logging.getLogger("inkling").warning("quiet")
    logs.set_level("warning")
    logging.getLogger("inkling").warning("loud")
    text = path.read_text(encoding="utf-8")
    assert "loud" in text and "quiet" not in text


def test_a_log_that_cannot_be_written_goes_to_stderr(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    logs.set_up(tmp_path / "file" / "inkling.log")
    assert "cannot be written" in capsys.readouterr().err


def test_the_file_is_rotated_and_a_failed_rotation_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 400)
    path = tmp_path / "inkling.log"
    logs.set_up(path)
    for number in range(20):
        logging.getLogger("inkling").info("line %d", number)
    assert (tmp_path / "inkling.log.1").exists()

    def refuse(source: str, dest: str) -> None:
        raise PermissionError(source)

    (handler,) = logging.getLogger().handlers
    monkeypatch.setattr(handler, "rotate", refuse)
    for number in range(20, 40):
        logging.getLogger("inkling").info("line %d", number)
    assert "line 39" in path.read_text(encoding="utf-8")


def test_set_up_replaces_what_was_there(tmp_path: Path):
    logs.set_up(tmp_path / "a.log")
    logs.set_up(tmp_path / "b.log")
    assert len(logging.getLogger().handlers) == 1
