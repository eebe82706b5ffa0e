"""A model loaded and ready to decode, and what is learned about it in idle moments.

Owner of model, context and decoder: the engine process's main thread; only the mailbox is
shared with the reader thread.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from inkling.engine import calibrate, choice
from inkling.engine.api import ModelInfo
from inkling.engine.choice import Files, Wish
from inkling.engine.context import Context
from inkling.engine.decode import Decoder
from inkling.engine.errors import DecodeFailed, ModelError
from inkling.engine.gguf import check_file
from inkling.engine.llama import HAS_GPU, LIBRARY_VERSION, Model, StopFlag
from inkling.engine.machine import usable_cores
from inkling.engine.mailbox import Job, Mailbox

QUIET_SECONDS = 20.0
"""A copy of the weights is only made once nobody has typed for so long."""


def load(wish: Wish, name: str, context_tokens: int, progress: Callable[[int], None]) -> "Loaded":
    """Load the weights that are best here; raises `ModelError`."""
    check_file(wish.model)
    cores = usable_cores()
    counts = (wish.threads,) if wish.threads else calibrate.thread_counts(cores)
    where = choice.files(wish.model, wish.cache, counts, LIBRARY_VERSION)
    optimise = wish.optimise and not HAS_GPU
    path = choice.preferred(where) if optimise else where.published
    try:
        model = Model(path, progress)
    except ModelError:
        if path == where.published:
            raise
        choice.discard(where)
        path = where.published
        model = Model(path, progress)
    flag = StopFlag()
    context = Context(model, tokens=context_tokens, threads=counts[0], stop=flag)
    requantized = path == where.requantized
    published = f"{model.weights} as published"
    info = ModelInfo(
        name=name,
        architecture=model.architecture,
        context_tokens=context.size,
        vocabulary_size=model.vocabulary_size,
        fim=model.fim,
        calibration=calibrate.load(where.speed(requantized)),
        prompts_kept=2 if context.can_fork else 1,
        weights="quantized anew for this machine" if requantized else published,
    )
    if info.calibration:
        context.use_threads(info.calibration.threads)
    return Loaded(
        info,
        Mailbox(flag, model.vocabulary.pieces),
        Decoder(model, context),
        calibrate.Calibrator(context, counts),
        where if optimise else None,
        where.speed(requantized),
    )


class Loaded:
    """See the module."""

    def __init__(
        self,
        info: ModelInfo,
        mailbox: Mailbox,
        decoder: Decoder,
        calibrator: calibrate.Calibrator,
        optimising: Files | None,
        record: Path,
    ) -> None:
        self.info = info
        self.mailbox = mailbox
        self.decoder = decoder
        self._calibrator = calibrator
        self._optimising = optimising
        self._record = record
        self._copying: subprocess.Popen[bytes] | None = None

    def learn(self) -> Iterator[ModelInfo]:
        """Use an idle time: `info` each time it has changed. Ends when a request waits, or
        when nothing is left to learn; blocks between what there is to do."""
        while self.info.calibration is None:
            job = self.mailbox.spare()
            if job is None:
                return
            if self._calibrate(job):
                yield self.info
            elif job.stop_reason or not self.mailbox.quiet(self._calibrator.wait_seconds):
                return
        if self._optimising is None:
            return
        if self._record == self._optimising.requantized_speed:
            choice.judge(self._optimising, self.info.calibration)
        elif self.mailbox.quiet(QUIET_SECONDS):
            self._copying = choice.make_copy(self._optimising)
        else:
            return
        self._optimising = None

    def close(self) -> None:
        """Stop what runs beside."""
        if self._copying:
            self._copying.kill()

    def _calibrate(self, job: Job) -> bool:
        try:
            speed = self._calibrator.run(job)
        except DecodeFailed:
            self.decoder.forget()
            self._calibrator.put_off()
            return False
        if speed is None:
            return False
        calibrate.save(self._record, speed)
        self.info = msgspec.structs.replace(self.info, calibration=speed)
        return True
