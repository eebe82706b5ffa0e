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

import msgspec

from inkling.engine import calibrate, choice
from inkling.engine.api import (
    CancelRequest,
    DoneEvent,
    ModelInfo,
    Ready,
    Starting,
    Unavailable,
)
from inkling.engine.errors import ModelError
from inkling.engine.frames import BadFrame, Report, encode, read_order
from inkling.engine.gguf import check_file
from inkling.engine.machine import usable_cores
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
    orders = sys.stdin.buffer
    writer.send(Starting(f"loading {arguments.name}"))
    try:
        return _serve(arguments, orders, writer)
    except ImportError as error:
        writer.send(Unavailable(f"the engine is not installed ({error}); run `inkling setup`"))
        return CANNOT_LOAD


def _serve(arguments: argparse.Namespace, orders: BinaryIO, writer: Writer) -> int:
    # Imported here: these load llama.cpp, and stdout must be out of its reach first.
    from inkling.engine.decode import Decoder
    from inkling.engine.llama import HAS_GPU, LIBRARY_VERSION, Context, Model, StopFlag

    def progress(percent: int) -> None:
        writer.send(Starting(f"loading {arguments.name}", percent))

    cores = usable_cores()
    counts = (arguments.threads,) if arguments.threads else calibrate.thread_counts(cores)
    flag = StopFlag()
    try:
        check_file(arguments.model)
        where = choice.files(arguments.model, arguments.cache, counts, LIBRARY_VERSION)
        optimise = not (arguments.published_weights or HAS_GPU)
        path = choice.preferred(where) if optimise else where.published
        try:
            model = Model(path, progress)
        except ModelError:
            if path == where.published:
                raise
            choice.discard(where)
            path = where.published
            model = Model(path, progress)
        context = Context(model, tokens=arguments.context, threads=counts[0], stop=flag)
    except ModelError as error:
        writer.send(Unavailable(str(error)))
        return CANNOT_LOAD
    requantized = path == where.requantized
    record = where.requantized_speed if requantized else where.published_speed
    calibration = calibrate.load(record)
    if calibration:
        context.use_threads(calibration.threads)
    info = ModelInfo(
        name=arguments.name,
        architecture=model.architecture,
        context_tokens=context.size,
        vocabulary_size=model.vocabulary_size,
        fim=model.fim,
        calibration=calibration,
        weights="quantized anew for this machine"
        if requantized
        else f"{model.weights} as published",
    )
    mailbox = Mailbox(flag, model.vocabulary.pieces)
    decoder = Decoder(model, context)
    calibrator = calibrate.Calibrator(context, counts)
    threading.Thread(target=_read, args=(orders, mailbox, writer), daemon=True).start()
    writer.send(Ready(info))
    making = None
    while True:
        if calibration is None and (spare := mailbox.spare()):
            calibration = calibrator.run(spare)
            if calibration:
                calibrate.save(record, calibration)
                writer.send(Ready(msgspec.structs.replace(info, calibration=calibration)))
                if requantized:
                    choice.judge(where, calibration)
                elif optimise:
                    making = choice.make_copy(where)
        job = mailbox.take()
        if job is None:
            if making:
                making.kill()
            return 0
        for event in decoder.run(job):
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
