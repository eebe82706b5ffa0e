"""What is installed, what a name or a path means, and what a failed write is called."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from inkling.dirs import cache_dir, log_path, models_dir, state_dir
from inkling.models import cache
from inkling.models.cache import Missing, adopt, explain, installed_path, resolve
from inkling.models.catalogue import find
from inkling.models.errors import DiskFull, PullError, ReadOnlyCache, UnknownModel

NAME = "smollm2-135m"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))
    models_dir().mkdir(parents=True)
    return tmp_path


def test_one_variable_moves_everything(own_cache: Path) -> None:
    for place in (cache_dir(), state_dir(), log_path(), models_dir()):
        assert place.is_relative_to(own_cache / "cache")


def test_without_it_the_system_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INKLING_CACHE_DIR")
    assert cache_dir().is_absolute() and "inkling" in cache_dir().parts
    monkeypatch.setenv("INKLING_CACHE_DIR", " ")
    assert "inkling" in cache_dir().parts


def test_a_model_is_missing_then_installed() -> None:
    model = replace(find(NAME), size=4)
    assert installed_path(model) is None
    (models_dir() / model.file).write_bytes(b"GGUF")
    assert installed_path(model) == models_dir() / model.file


def test_a_file_of_another_size_is_not_the_model() -> None:
    model = find(NAME)
    (models_dir() / model.file).write_bytes(b"cut off")
    assert installed_path(model) is None


def test_resolve_a_name() -> None:
    assert resolve(NAME) == Missing(find(NAME))


@pytest.mark.parametrize("file", ["own.gguf", "folder/own.GGUF", "folder/no-ending"])
def test_resolve_a_path(own_cache: Path, file: str) -> None:
    path = own_cache / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"GGUF")
    assert resolve(str(path)) == path


@pytest.mark.parametrize("path", ["nowhere.gguf", "./qwen2.5-coder-0.5b", "~/no/such/file"])
def test_resolve_a_path_that_leads_nowhere(path: str) -> None:
    with pytest.raises(UnknownModel, match="There is no model file at"):
        resolve(path)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EROFS, ReadOnlyCache),
        (errno.EACCES, ReadOnlyCache),
        (errno.ENOTDIR, ReadOnlyCache),
        (errno.EIO, PullError),
    ],
)
def test_failed_writes_have_names(tmp_path: Path, code: int, kind: type[PullError]) -> None:
    error = explain(OSError(code, os.strerror(code)), tmp_path)
    assert type(error) is kind and str(tmp_path) in str(error)


def test_adopting_makes_no_second_copy(own_cache: Path) -> None:
    theirs = own_cache / "theirs"
    theirs.write_bytes(b"weights")
    link = own_cache / "link"
    link.symlink_to(theirs)
    path = adopt(link, "model.gguf")
    assert path.samefile(theirs) and [p.name for p in models_dir().iterdir()] == ["model.gguf"]


def test_adopting_copies_where_nothing_can_be_linked(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(cache.os, "link", refuse)
    monkeypatch.setattr(cache.os, "symlink", refuse)
    theirs = own_cache / "theirs"
    theirs.write_bytes(b"weights")
    path = adopt(theirs, "model.gguf")
    assert not path.samefile(theirs) and path.read_bytes() == b"weights"
