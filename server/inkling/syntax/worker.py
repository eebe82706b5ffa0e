"""The process that parses: reads jobs from stdin, writes answers to stdout, in order.

Invariant: it never outlives its parent. End of stdin ends it, and a job that hangs inside a
grammar, where no Python code can run, is ended with the process by a watchdog in C.
Memory is bounded by the size of the documents whose trees are kept, the oldest going first.
"""

import faulthandler
import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import msgspec

from inkling.channel import standard_streams
from inkling.syntax.gate import judge
from inkling.syntax.judgement import (
    NO_GRAMMAR,
    TOO_LARGE,
    TOO_LONG,
    Judgement,
    unchecked,
)
from inkling.syntax.languages import language_of
from inkling.syntax.tree import DeadlinePassed, Grammar, Parsed, worth_parsing
from inkling.syntax.wire import HEADER, Done, Job, frame
from inkling.text.encode import to_text

HANG_SECONDS = 2.0
_KEPT_BYTES = 2 * 1024 * 1024  # of source; a tree takes about 25 times its text
_REFRESHED_BYTES = 100 * 1024  # of a document with errors that is parsed twice ahead of time


class Trees:
    """The last tree of each document. Owner: the worker's only thread."""

    def __init__(self) -> None:
        self._grammars: dict[str, Grammar | None] = {}
        self._parsed: OrderedDict[str, Parsed] = OrderedDict()

    def parse(self, job: Job, deadline: float) -> Parsed | str:
        """The job's document, parsed, or why it can't be or is not worth it.

        Raises `DeadlinePassed`.
        """
        grammar = self._grammar(job.language)
        if grammar is None or not worth_parsing(job.data):
            self.forget(job.uri)
            return NO_GRAMMAR if grammar is None else TOO_LARGE
        known = self._parsed.pop(job.uri, None)
        if known is None or known.grammar is not grammar:
            parsed = Parsed.of(grammar, job.data, deadline)
        else:
            try:
                parsed = known.changed(job.data, deadline)
            except DeadlinePassed:
                self._parsed[job.uri] = known  # still the shortest way to the next version
                raise
        self._parsed[job.uri] = parsed
        kept = sum(len(one.data) for one in self._parsed.values())
        while kept > _KEPT_BYTES and len(self._parsed) > 1:
            _, oldest = self._parsed.popitem(last=False)
            kept -= len(oldest.data)
        return parsed

    def forget(self, uri: str) -> None:
        """Drop a document's tree, if there is one."""
        self._parsed.pop(uri, None)

    def _grammar(self, name: str) -> Grammar | None:
        if name not in self._grammars:
            language = language_of(name)
            try:
                self._grammars[name] = Grammar.of(language) if language else None
            except (ImportError, ValueError):  # no wheel, or one of another ABI
                self._grammars[name] = None
        return self._grammars[name]


def do(trees: Trees, job: Job) -> Judgement | None:
    """Do one job; None where it does not ask for a judgement."""
    if job.kind == "forget":
        trees.forget(job.uri)
        return None
    deadline = time.monotonic() + job.limit_ms / 1000
    try:
        parsed = trees.parse(job, deadline)
        if job.kind == "prepare":
            large = len(job.data) > _REFRESHED_BYTES
            if isinstance(parsed, Parsed) and parsed.errors and not large:
                parsed.refresh(deadline)  # the judge will need it, and now there is time
            return None
        if not isinstance(parsed, Parsed):
            return unchecked(parsed)
        return judge(
            parsed,
            job.offset,
            to_text(job.inserted),
            multiline=job.multiline,
            finished=job.finished,
            deadline=deadline,
        )
    except DeadlinePassed:
        return unchecked(TOO_LONG) if job.kind == "judge" else None


def serve(jobs: BinaryIO, answers: BinaryIO, traces: BinaryIO) -> None:
    """Do jobs until `jobs` ends."""
    trees = Trees()
    decoder = msgspec.msgpack.Decoder(Job)
    while len(header := jobs.read(HEADER)) == HEADER:
        job = decoder.decode(jobs.read(int.from_bytes(header, "big")))
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=traces)
        try:
            answer = Done(job.id, do(trees, job))
        finally:
            faulthandler.cancel_dump_traceback_later()
        answers.write(frame(answer))
        answers.flush()


def main() -> None:
    """Serve the parent until it ends."""
    with standard_streams() as (jobs, answers), Path(os.devnull).open("wb") as traces:
        try:
            serve(jobs, answers, traces)
        except BrokenPipeError:
            os._exit(0)  # the parent is gone; there is nobody to flush for


if __name__ == "__main__":
    main()
