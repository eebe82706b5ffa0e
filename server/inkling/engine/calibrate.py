"""How fast this model runs on this machine, and with how many threads; measured once.

A calibration belongs to one model file, processor and library version, and is kept as JSON
in a folder. Measuring takes up to `BUDGET_SECONDS` in the engine's decode thread, in small
steps in a sequence of its own; a request stops it at once and it goes on when the engine is
idle again. What was measured while other programs had the processor is not noted.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from inkling.engine.api import Calibration
from inkling.engine.errors import NoRoom
from inkling.engine.machine import processor, usable_cores
from inkling.engine.mailbox import Job
from inkling.engine.sequences import SPARE_SEQUENCE

BUDGET_SECONDS = 4.0
BATCHES = (1, 2, 4, 8, 16, 32, 64)
PROMPT_TOKENS = 128
SEQUENCE = SPARE_SEQUENCE
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait before measuring anew on a machine that was busy, once, twice, ..."""
IDLE_SHARE = 0.6
"""On an idle machine every thread has at least this share of a core while measuring, or every
core is used so much where the user wants more threads than there are cores. What was measured
on a busy one would pass for the truth for good, so it is waited for a better moment."""
ROUNDS = 3
"""The best of so many counts: what else the machine does can only make it slower."""

_KEY_TOKENS = 4
_KEY_DECODES = 8
"""A typical key evaluates and decodes so many tokens; the thread count is chosen for that."""


class Context(Protocol):
    """What is measured; see `context.Context`."""

    def use_threads(self, threads: int) -> None: ...
    def decode(
        self, tokens: Sequence[int], position: int, *, sequence: int, every_row: bool
    ) -> bool: ...
    def drop(self, sequence: int) -> None: ...


def place(folder: Path, model: Path, counts: tuple[int, ...], library: str) -> Path:
    """The file that holds this model's calibration on this machine, by this llama.cpp."""
    stat = model.stat()
    facts = f"{stat.st_size} {stat.st_mtime_ns} {processor()} {counts} {library}"
    return folder / f"calibration-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"


def load(path: Path) -> Calibration | None:
    """The calibration kept at `path`; None if there is none or the file is damaged."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.MsgspecError):
        return None
    sound = found.threads > 0 and found.prompt_tokens_per_second > 0
    return found if sound and found.decode_tokens_per_second > 0 else None


def save(path: Path, calibration: Calibration) -> None:
    """Keep a calibration."""
    write(path, msgspec.json.encode(calibration))


def write(path: Path, data: bytes) -> None:
    """Replace a small file whole. If the folder cannot be written to, what was measured is
    only known until the process ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{time.time_ns()}.part")
        draft.write_bytes(data)
        draft.replace(path)
    except OSError:
        return


class Calibrator:
    """A measurement that can be stopped and taken up again. Owner: the decode thread."""

    def __init__(self, context: Context, thread_counts: tuple[int, ...]) -> None:
        """`thread_counts`: those to choose from, the most likely one first."""
        self._context = context
        self._counts = thread_counts
        self._cores = usable_cores()
        self._times: dict[tuple[int, int], float] = {}
        self._spent = 0.0
        self._refused = 0
        self._not_before = 0.0

    @property
    def wait_seconds(self) -> float:
        """How long `run` would still do nothing: the machine was busy."""
        return max(0.0, self._not_before - time.monotonic())

    def run(self, job: Job) -> Calibration | None:
        """Measure until all is known; None if `job` was stopped or the machine is busy."""
        while not (job.stop_reason or self.wait_seconds):
            try:
                result = self.step()
            except NoRoom:
                self.put_off()
                return None
            if result is not None:
                return result
        return None

    def step(self) -> Calibration | None:
        """Measure one thing that is still missing; the calibration when nothing is.

        Nothing is noted when the context's stop flag interrupts it or the machine is busy.
        Leaves the context with the thread count that is best so far. Raises `NoRoom` when
        the context is full.
        """
        missing = next(self._missing(), None)
        if missing is None:
            self._context.use_threads(self._best_count())
            return self._result()
        threads, tokens = missing
        self._context.use_threads(threads)
        measured = self._measure(tokens)
        if measured is not None:
            took, used, spent = measured
            if used >= IDLE_SHARE * min(threads, self._cores) * took:
                self._times[missing] = took * 1000
                self._spent += spent
                self._refused = 0
            else:
                self.put_off()
        self._context.use_threads(self._best_count())
        return None

    def put_off(self) -> None:
        """Wait for a better moment, each time longer."""
        pause = PAUSES[min(self._refused, len(PAUSES) - 1)]
        self._refused += 1
        self._not_before = time.monotonic() + pause

    def _missing(self) -> Iterator[tuple[int, int]]:
        for threads in self._counts:
            if self._spent > BUDGET_SECONDS / 2 and threads != self._counts[0]:
                break
            yield from ((threads, size) for size in (_KEY_TOKENS, 1) if self._lacks(threads, size))
        best = self._best_count()
        for size in (PROMPT_TOKENS, *BATCHES):
            if self._lacks(best, size) and (self._spent < BUDGET_SECONDS or size == PROMPT_TOKENS):
                yield best, size

    def _lacks(self, threads: int, size: int) -> bool:
        return (threads, size) not in self._times

    def _best_count(self) -> int:
        def key_ms(threads: int) -> float:
            key = self._times.get((threads, _KEY_TOKENS), float("inf"))
            return key + _KEY_DECODES * self._times.get((threads, 1), float("inf"))

        return min(self._counts, key=key_ms)

    def _measure(self, tokens: int) -> tuple[float, float, float] | None:
        """Decode `tokens`, with all their scores unless they are a prompt, a few times. The
        seconds of the fastest and its processor seconds, and those of all; None if stopped."""
        rounds = []
        scored = tokens != PROMPT_TOKENS
        for _ in range(ROUNDS if scored else 1):
            used, began = time.process_time(), time.perf_counter()
            try:
                if not self._context.decode(range(tokens), 0, sequence=SEQUENCE, every_row=scored):
                    return None
            finally:
                self._context.drop(SEQUENCE)
            rounds.append((time.perf_counter() - began, time.process_time() - used))
        return *min(rounds), sum(took for took, _ in rounds)

    def _result(self) -> Calibration:
        threads = self._best_count()
        verify = {size: took for (count, size), took in self._times.items() if count == threads}
        prompt_ms = verify.pop(PROMPT_TOKENS)
        return Calibration(
            prompt_tokens_per_second=round(PROMPT_TOKENS * 1000 / prompt_ms, 1),
            decode_tokens_per_second=round(1000 / verify[1], 1),
            threads=threads,
            verify_ms={size: round(took, 2) for size, took in sorted(verify.items())},
        )


def thread_counts(cores: int) -> tuple[int, ...]:
    """The counts worth trying on so many cores, the most likely one first."""
    tried = [min(cores, 8), cores, cores - 1, cores // 2, 4, 2, 1]
    return tuple(dict.fromkeys(count for count in tried if 1 <= count <= cores))
