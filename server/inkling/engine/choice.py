"""Which of a model's weights the engine process loads, and how that is found out.

The published file is used until another copy has proved faster: the first run calibrates it
and has the copy made by a low-priority process, the second run calibrates the copy, and the
verdict is kept for this machine. Owner: the engine's decode thread.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from inkling.engine import calibrate, recipe
from inkling.engine.api import Calibration
from inkling.engine.errors import ModelError
from inkling.engine.recipe import Verdict
from inkling.engine.tensors import tensors

SPARE_DISK = 4
"""A copy is only made where so many times the model's size is free."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants loaded. `threads` None: as many as prove fastest."""

    model: Path
    cache: Path
    threads: int | None
    optimise: bool


@dataclass(frozen=True, slots=True)
class Files:
    """Where a model's weights, their calibrations and the verdict lie."""

    published: Path
    requantized: Path
    published_speed: Path
    requantized_speed: Path
    verdict: Path

    def speed(self, requantized: bool) -> Path:
        """The calibration of one or the other."""
        return self.requantized_speed if requantized else self.published_speed


def files(published: Path, cache: Path, counts: tuple[int, ...], library: str) -> Files:
    """The places for one model on this machine, by this llama.cpp."""
    speed = calibrate.place(cache, published, counts, library)
    return Files(
        published=published,
        requantized=cache / f"{speed.stem.replace('calibration', 'weights')}.gguf",
        published_speed=speed,
        requantized_speed=speed.with_suffix(".requantized.json"),
        verdict=speed.with_suffix(".verdict.json"),
    )


def preferred(where: Files) -> Path:
    """The weights to load: the copy while it is on trial or has won."""
    verdict = recipe.load_verdict(where.verdict)
    if verdict is None:
        on_trial = where.requantized.is_file() and where.published_speed.is_file()
        return where.requantized if on_trial else where.published
    if verdict.requantized and where.requantized.is_file():
        return where.requantized
    discard(where)
    return where.published


def judge(where: Files, requantized: Calibration) -> Verdict | None:
    """Keep the verdict on a copy just calibrated; a copy that lost is deleted at the next start."""
    published = calibrate.load(where.published_speed)
    if published is None:
        return None
    verdict = recipe.verdict(published, requantized)
    calibrate.write(where.verdict, msgspec.json.encode(verdict))
    return verdict


def discard(where: Files) -> None:
    """Delete a copy that lost its trial or could not be loaded."""
    try:
        where.requantized.unlink(missing_ok=True)
    except OSError:
        return


def make_copy(where: Files) -> subprocess.Popen[bytes] | None:
    """Start making the copy, if it could be worth it and has not been judged. The process
    ends early if its stdin, which only this process holds open, does."""
    if where.requantized.exists() or recipe.load_verdict(where.verdict) is not None:
        return None
    try:
        free = shutil.disk_usage(where.requantized.parent).free
        if free < SPARE_DISK * where.published.stat().st_size:
            return None
        if not recipe.changes(tensors(where.published)):
            return None
    except (ModelError, OSError):
        return None
    command = (sys.executable, "-P", "-m", "inkling.engine.weights")
    return subprocess.Popen(
        (*command, str(where.published), str(where.requantized)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
    )
