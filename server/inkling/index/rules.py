"""Which paths of a workspace belong to it: ignore files, the editor's excludes, kinds and sizes.

The rules are git's, with ripgrep's `.ignore` on top: of all patterns the last one that matches in
the deepest file decides, and nothing inside an ignored folder comes back, save what git tracks.
A repository inside another has its own rules. Invariants: `look` decides for one path as `crawl`
does for all; nothing raises for what the file system does meanwhile; nothing is written.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from inkling.index import git
from inkling.index.ignore import Layer, braces, layers_of, matches, patterns_of, verdict_of
from inkling.index.wanted import FOLDERS, MARKERS, MAX_BYTES, is_wanted

IGNORE_FILES = (".gitignore", ".ignore")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the workspace. `path` is relative and POSIX."""

    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """What holds inside one folder: its layers, the deepest first.

    `entered` is false where only git's patterns keep one out, `kept` where anything else does.
    """

    kept: bool
    entered: bool
    repository: str | None = None
    """The folder of the innermost repository, relative; None where the folder is in none."""
    ignore: tuple[Layer, ...] = ()
    git: tuple[Layer, ...] = ()


# Not remembered: the folder may be there the next time.
_ABSENT = _Scope(kept=False, entered=False)


@dataclass(slots=True)
class _Known:
    """What has been read so far; dropped as a whole when an ignore file changes."""

    scopes: dict[str, _Scope] = field(default_factory=dict)
    tracked: dict[str, frozenset[str]] = field(default_factory=dict)
    top: tuple[Path | None] | None = None


class Rules:
    """The rules of one workspace folder, read as they are needed and remembered.

    Any thread may ask. `forget` makes it read anew; who is in the middle of asking then still gets
    an answer by the old rules.
    """

    def __init__(self, root: Path, excludes: Sequence[str] = ()) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - a link stays what it is
        globs = [spread for glob in excludes for spread in braces(glob)]
        self._excludes = patterns_of(globs) if globs else None
        self._known = _Known()

    def forget(self) -> None:
        """Read ignore files, and what git tracks, again."""
        self._known = _Known()

    def forget_below(self, folders: set[str]) -> None:
        """These folders have come or gone: read the ignore files in them again, but no others."""
        old = self._known
        if folders.isdisjoint(old.scopes):
            return
        # A copy first: other threads may be adding to it.
        known = tuple(old.scopes.items())
        scopes = {path: scope for path, scope in known if not is_below(path, folders)}
        self._known = _Known(scopes, dict(old.tracked), old.top)

    @property
    def top(self) -> Path | None:
        """The top of the work tree the folder is in. None where that ignores the folder itself.

        So it is with a home folder under version control, or with a look into `build/`: who opens
        such a folder means what is in it.
        """
        known = self._known
        if known.top is None:
            top = git.top_of(self.root)
            known.top = (None if top is None or self._ignored_in(top) else top,)
        return known.top[0]

    def folder(self, path: str) -> bool:
        """Whether the folder is entered. `path` is relative, "" for the root."""
        scope = self._scope(path, self._known)
        return scope.kept and scope.entered

    def kept(self, path: str) -> bool:
        """Whether the file is wanted by all but git's rules: for paths that git has listed."""
        folder = path.rpartition("/")[0]
        scope = self._scope(folder, self._known)
        return (
            scope.kept
            and is_wanted(path)
            and not matches(scope.ignore, path)
            and not (self._excludes and self._excludes.match_file(path))
        )

    def file(self, path: str) -> bool:
        """Whether a file at `path` belongs by its name. The file itself isn't looked at."""
        if not self.kept(path):
            return False
        known = self._known
        scope = self._scope(path.rpartition("/")[0], known)
        if scope.entered:
            verdict = verdict_of(scope.ignore, path)
            if verdict is False or not matches(scope.git, path):
                return True
        return scope.repository is not None and path in self._tracked(scope.repository, known)

    def look(self, path: str) -> Found | None:
        """The file at `path` if it belongs and is there."""
        return self.found(path) if self.file(path) else None

    def found(self, path: str) -> Found | None:
        """The file at `path`, of whose name it is known that it belongs."""
        place = os.path.join(self.root, path)  # noqa: PTH118 - a path object costs as much as the call
        try:
            status = os.lstat(place)
            if stat.S_ISLNK(status.st_mode):
                target = self._inside(place)
                if target is None or not self.file(target):
                    return None
                status = os.stat(place)  # noqa: PTH116 - as above
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        return Found(path, status.st_mtime_ns, status.st_size)

    def tracked(self) -> set[str]:
        """What git tracks although it is ignored, in every repository that was looked into."""
        known = self._known
        self._scope("", known)
        repositories = {scope.repository for scope in tuple(known.scopes.values())}
        return {
            path
            for folder in repositories
            if folder is not None
            for path in self._tracked(folder, known)
        }

    def _tracked(self, repository: str, known: _Known) -> frozenset[str]:
        paths = known.tracked.get(repository)
        if paths is None:
            prefix = f"{repository}/" if repository else ""
            found = git.tracked_though_ignored(self.root / repository) or ()
            paths = known.tracked[repository] = frozenset(prefix + path for path in found)
        return paths

    def _inside(self, place: str) -> str | None:
        """Where a link leads, as a path in the workspace; None where it leads out of it."""
        try:
            target = Path(os.path.realpath(place, strict=True))
            return target.relative_to(os.path.realpath(self.root)).as_posix()
        except ValueError:
            return None

    def _scope(self, path: str, known: _Known) -> _Scope:
        scope = known.scopes.get(path)
        if scope is None:
            scope = self._made(path, known) if path else self._base()
            if scope is not _ABSENT:
                known.scopes[path] = scope
        return scope

    def _made(self, path: str, known: _Known) -> _Scope:
        parent, _, name = path.rpartition("/")
        outer = self._scope(parent, known)
        as_folder = f"{path}/"
        out = _Scope(kept=False, entered=False)
        if not outer.kept or name in FOLDERS:
            return out
        verdict = verdict_of(outer.ignore, as_folder)
        if verdict or (self._excludes and self._excludes.match_file(as_folder)):
            return out
        place = self.root / path
        if not is_real_folder(place):
            return _ABSENT
        # `Path.exists` raises where the folder can't be entered.
        if any(os.path.exists(place / marker) for marker in MARKERS):  # noqa: PTH110
            return out
        cut = len(as_folder)
        entered = outer.entered and (verdict is False or not matches(outer.git, as_folder))
        layers, repository = outer.git, outer.repository
        data = git.data_folder(place)
        if data is not None:
            layers = (*layers_of(git.exclude_file(data), cut), *self._global(cut))
            repository = path
        return _Scope(
            kept=True,
            entered=entered,
            repository=repository,
            ignore=(*layers_of(place / ".ignore", cut), *outer.ignore),
            git=(*layers_of(place / ".gitignore", cut), *layers),
        )

    def _base(self) -> _Scope:
        """The scope of the root: with the files above it, up to the top of its repository."""
        top = self.top
        above = self._layers_above(top) if top and top != self.root else []
        parts = self.root.relative_to(top).as_posix() + "/" if above and top else ""
        outer = [Layer(layer.spec, 0, parts[len(folder) :]) for folder, layer in above]
        own: list[Layer] = []
        if top is not None and top == self.root and (data := git.data_folder(top)):
            own += layers_of(git.exclude_file(data), 0)
        if not above:
            own += self._global(0)
        return _Scope(
            kept=True,
            entered=True,
            repository=None if top is None else "",
            ignore=layers_of(self.root / ".ignore", 0),
            git=(*layers_of(self.root / ".gitignore", 0), *outer, *own),
        )

    def _ignored_in(self, top: Path) -> bool:
        parts = self.root.relative_to(top).parts
        above = self._layers_above(top) if parts else []
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count]) + "/"
            layers = [
                Layer(layer.spec, len(below))
                for below, layer in above
                if path.startswith(below) and path != below
            ]
            if matches(layers, path):
                return True
        return False

    def _layers_above(self, top: Path) -> list[tuple[str, Layer]]:
        """Of the folders from the root's parent up to `top`, as paths below it; then the rest."""
        layers: list[tuple[str, Layer]] = []
        for folder in self.root.parents:
            below = folder.relative_to(top).as_posix() + "/" if folder != top else ""
            layers += [(below, layer) for layer in layers_of(folder / ".gitignore", 0)]
            if folder == top:
                break
        data = git.data_folder(top)
        if data is not None:
            layers += [("", layer) for layer in layers_of(git.exclude_file(data), 0)]
        return [*layers, *(("", layer) for layer in self._global(0))]

    @cached_property
    def _global_file(self) -> Path:
        return git.global_ignore_file(self.root)

    def _global(self, cut: int) -> tuple[Layer, ...]:
        return layers_of(self._global_file, cut)


def is_below(path: str, folders: set[str]) -> bool:
    """Whether `path` is one of the folders, or inside of one."""
    while path not in folders:
        path = path.rpartition("/")[0]
        if not path:
            return False
    return True


def is_real_folder(place: Path) -> bool:
    """Whether it is a folder and no link to one: links make loops, and show a file twice."""
    try:
        status = os.lstat(place)
    except (OSError, ValueError):
        return False
    # On Windows a junction is a folder to lstat, with a tag.
    junction = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)
    return stat.S_ISDIR(status.st_mode) and getattr(status, "st_reparse_tag", 0) != junction
