"""The engine process: loads the model, then answers requests that arrive on stdin.

The main thread owns the model and decodes; a reader thread takes orders and stops it. Frames
go out on the original stdout, which nothing else can write to: file descriptor 1 becomes
stderr before any native code is loaded. The process ends when stdin does.
"""

import argparse
import logging
import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from inkling.engine import choice
from inkling.engine.api import CancelRequest, DoneEvent, Ready, Starting, Unavailable
from inkling.engine.errors import ModelError
from inkling.engine.frames import BadFrame, Report, encode, read_order
from inkling.engine.mailbox import Mailbox

CANNOT_LOAD = 3
"""Exit status after an `Unavailable` report."""
GRACE_SECONDS = 1.0
"""How long the decode thread may take to end by itself once stdin has ended."""


class Writer:
    """Writes whole frames to the server. Any thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, report: Report) -> None:
        frame = encode(report)
        with self._lock:
            try:
                self._pipe.write(frame)
                self._pipe.flush()
            except OSError:
                # The server is gone; the end of stdin will end this process.
                pass


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=arguments.log_level.upper())
    writer = Writer(_take_stdout())
    writer.send(Starting(f"loading {arguments.name}"))
    try:
        # Loads llama.cpp; stdout must be out of its reach first.
        from inkling.engine.loading import load
    except (ImportError, RuntimeError, OSError) as error:
        writer.send(Unavailable(f"the engine is not installed ({error}); run `inkling setup`"))
        return CANNOT_LOAD

    def progress(percent: int) -> None:
        writer.send(Starting(f"loading {arguments.name}", percent))

    try:
        engine = load(
            choice.Wish(
                arguments.model,
                arguments.cache,
                arguments.threads,
                optimise=not arguments.published_weights,
            ),
            arguments.name,
            arguments.context,
            progress,
        )
    except ModelError as error:
        writer.send(Unavailable(str(error)))
        return CANNOT_LOAD
    reading = (sys.stdin.buffer, engine.mailbox, writer)
    threading.Thread(target=_read, args=reading, daemon=True).start()
    writer.send(Ready(engine.info))
    while True:
        for info in engine.learn():
            writer.send(Ready(info))
        job = engine.mailbox.take()
        if job is None:
            engine.close()
            return 0
        for event in engine.decoder.run(job):
            writer.send(event)


def _read(orders: BinaryIO, mailbox: Mailbox, writer: Writer) -> None:
    """Reader thread: hand orders to the mailbox until stdin ends."""
    answers: list[DoneEvent]
    while True:
        try:
            order = read_order(orders)
        except BadFrame as error:
            logging.getLogger(__name__).error("cannot read the server's orders: %s", error)
            order = None
        if order is None:
            break
        if isinstance(order, CancelRequest):
            answers = mailbox.cancel(order.id)
        else:
            answers = mailbox.submit(order)
        for answer in answers:
            writer.send(answer)
    mailbox.close()
    threading.Event().wait(GRACE_SECONDS)
    os._exit(0)


def _take_stdout() -> BinaryIO:
    """The pipe to the server; from now on descriptor 1 is stderr."""
    sys.stdout.flush()
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inkling.engine.process")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--log-level", default="warning")
    parser.add_argument("--published-weights", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
