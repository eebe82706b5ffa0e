"""The folders that a client works in, which of them are indexed, and what changes in them.

Invariant: a home folder, the root of a file system and a folder above them are never indexed,
whatever the client says: that would read all that somebody has.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from lsprotocol import types

from inkling.lsp.session import Session
from inkling.text.uris import path_of

MARKERS = (
    ".git",
    ".hg",
    ".jj",
    ".svn",
    "pyproject.toml",
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "compile_commands.json",
    "CMakeLists.txt",
)
"""What the top folder of a project has; the first ones count more."""


def folders_of(params: types.InitializeParams) -> tuple[str, ...]:
    """The folders named in `initialize`, absolute: all of them, else the one of older clients."""
    named = [folder.uri for folder in params.workspace_folders or ()]
    if not named and params.root_uri:
        named = [params.root_uri]
    paths = [path for uri in named if (path := path_of(uri))]
    if not paths and params.root_path:
        paths = [params.root_path]
    return tuple(str(Path(path).absolute()) for path in paths)


def fit(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that may be indexed, without those that lie inside another."""
    allowed = [path for name in paths if may_be_indexed(path := Path(name).absolute())]
    outer = [path for path in allowed if not any(other in path.parents for other in allowed)]
    return tuple(dict.fromkeys(str(path) for path in outer))


def may_be_indexed(path: Path) -> bool:
    """See the module's invariant."""
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return path != Path(path.anchor)
    return path != Path(path.anchor) and path != home and path not in home.parents


def project_of(file: Path) -> str | None:
    """The project that a file belongs to, for clients that name no folder (Neovim without root
    markers): the nearest folder above it that has a marker. Touches the disk, ~0.1 ms."""
    for markers in (MARKERS[:4], MARKERS[4:]):
        for folder in file.parents:
            if not may_be_indexed(folder):
                break
            if any(os.path.exists(folder / marker) for marker in markers):  # noqa: PTH110 - no errors
                return str(folder)
    return None


def adopt(session: Session, uri: str) -> None:
    """A document was opened. Where the client has named no folder, index its project."""
    if session.roots or not session.settings.wants_index:
        return
    path = path_of(uri)
    project = project_of(Path(path)) if path is not None else None
    if project is not None:
        session.index_folders((project,))


def adopt_any(session: Session) -> None:
    """The settings want an index now, and documents are open already."""
    for uri in session.documents.uris():
        adopt(session, uri)


def changed(session: Session, event: types.WorkspaceFoldersChangeEvent) -> None:
    """The client has added or removed folders."""
    removed, added = _paths(event.removed), _paths(event.added)
    session.folders = (*(one for one in session.folders if one not in removed), *added)
    session.index_folders(fit(session.folders))


def _paths(folders: Sequence[types.WorkspaceFolder]) -> list[str]:
    return [str(Path(path).absolute()) for one in folders if (path := path_of(one.uri))]


def files_changed(session: Session, events: Sequence[types.FileEvent]) -> None:
    """The client says what has changed on disk."""
    if session.app is not None:
        paths = [path for event in events if (path := path_of(event.uri))]
        session.app.repository.index.touched(paths)
