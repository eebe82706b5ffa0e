"""The log file: what happened, when, and never what the user wrote.

Invariant: below level `debug` no line holds source text. pygls logs whole messages, so it is
silenced, and exceptions are logged as their type and stack without their message.
"""

import logging
import logging.handlers
import sys
import traceback
from pathlib import Path
from types import TracebackType

from inkling.config import LogLevel

MAX_BYTES = 2_000_000
BACKUPS = 2

_LINE = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def set_up(path: Path, level: LogLevel = "info") -> None:
    """Log to `path`, or to stderr where it can't be written. Replaces earlier handlers."""
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _RotatingFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    except OSError as error:
        handler = logging.StreamHandler(sys.stderr)
        note = f"the log file {path} cannot be written ({error.strerror}); logging to stderr"
    else:
        note = ""
    handler.setFormatter(_Formatter(_LINE))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    set_level(level)
    if note:
        logging.getLogger(__name__).warning("%s", note)


def set_level(level: LogLevel) -> None:
    """Change how much is written from now on."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    bodies = logging.INFO if level == "debug" else logging.CRITICAL
    logging.getLogger("pygls").setLevel(bodies)
    for name in ("asyncio", "httpx", "huggingface_hub", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in root.handlers:
        if isinstance(handler.formatter, _Formatter):
            handler.formatter.messages = level == "debug"


class _RotatingFile(logging.handlers.RotatingFileHandler):
    """Two servers may share the file; on Windows the one that can't rename goes on writing."""

    def doRollover(self) -> None:  # noqa: N802 - the base class's name
        try:
            super().doRollover()
        except OSError:
            self.maxBytes = 0
            self.stream = self._open()


class _Formatter(logging.Formatter):
    messages = False
    """Whether exceptions are written with their message, which may quote source text."""

    def formatException(  # noqa: N802 - the base class's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        if self.messages or ei[0] is None:
            return super().formatException(ei)
        return "".join(traceback.format_tb(ei[2])) + ei[0].__qualname__

    def format(self, record: logging.LogRecord) -> str:
        # The base class caches the text of an exception on the record.
        record.exc_text = None
        return super().format(record)
