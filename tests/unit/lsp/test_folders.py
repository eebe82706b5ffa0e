"""The folders a client works in, and those of them that are indexed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lsprotocol import types

from inkling.lsp import folders
from inkling.text.uris import uri_of


class Session(SimpleNamespace):
    """What `folders` needs of a session."""

    def index_folders(self, roots: tuple[str, ...]) -> None:
        self.roots = roots


def folder(path: Path, end: str = "") -> types.WorkspaceFolder:
    return types.WorkspaceFolder(uri=uri_of(str(path)) + end, name=path.name)


def test_a_folder_inside_another_is_indexed_once_and_stays_when_the_outer_one_goes(tmp_path: Path):
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    session: Any = Session(folders=(), roots=())
    both = [folder(outer), folder(inner)]
    folders.changed(session, types.WorkspaceFoldersChangeEvent(added=both, removed=[]))
    assert session.roots == (str(outer),)
    gone = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder(outer, "/")])
    folders.changed(session, gone)
    assert session.roots == (str(inner),)


def test_a_home_and_a_root_are_never_indexed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home" / "me")
    named = [str(tmp_path / "home"), str(tmp_path / "home" / "me"), tmp_path.anchor]
    assert folders.fit([*named, str(tmp_path / "home" / "me" / "project")]) == (
        str(tmp_path / "home" / "me" / "project"),
    )


def test_a_user_without_a_home_has_folders_all_the_same(tmp_path: Path, monkeypatch):
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert folders.fit([str(tmp_path)]) == (str(tmp_path),)


def test_the_nearest_project_of_a_file(tmp_path: Path):
    (tmp_path / "work" / "package").mkdir(parents=True)
    (tmp_path / "work" / "pyproject.toml").touch()
    assert folders.project_of(tmp_path / "work" / "package" / "a.py") == str(tmp_path / "work")
    (tmp_path / ".git").mkdir()
    assert folders.project_of(tmp_path / "work" / "package" / "a.py") == str(tmp_path)
