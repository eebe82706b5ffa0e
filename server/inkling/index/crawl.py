"""Every file of a workspace, as far as it is worth indexing.

Where git answers, it lists the files, which takes a tenth of the time of looking for them; what it
does not know (`.ignore`, the editor's excludes, sizes, names) is decided by `rules`. Else the
folders are walked. Both ways give the same files. Invariants: links to folders are not followed;
what cannot be read, has gone meanwhile or has a name that is not UTF-8 is passed over; nothing
raises and nothing is written.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from inkling.index import git
from inkling.index.ignore import has_negation
from inkling.index.rules import Found as Found
from inkling.index.rules import Rules
from inkling.index.wanted import is_wanted


def crawl(root: Path, excludes: Sequence[str] = (), rules: Rules | None = None) -> Iterator[Found]:
    """The files that belong to the workspace folder `root`, each once, in no order.

    `excludes` are the editor's globs; `rules`, where given, are used in place of both.
    """
    rules = rules or Rules(root, excludes)
    seen: set[str] = set()
    for path in _paths(rules):
        if path not in seen:
            seen.add(path)
            found = rules.found(path)
            if found is not None:
                yield found


def belongs(root: Path, path: str) -> bool:
    """Whether `crawl` would give `path` now. For many paths keep a `Rules` and ask that."""
    return Rules(root).look(path) is not None


def walk(rules: Rules, start: str = "", *, files: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Each folder from `start` (relative, "" for the root) down that is entered, with its files.

    Files are relative paths that belong by their names; without `files`, which cost most of the
    time, the lists are empty.
    """
    waiting = [start] if rules.folder(start) else []
    while waiting:
        folder = waiting.pop()
        prefix = f"{folder}/" if folder else ""
        folders, names = _entries(rules.root / folder)
        waiting += [prefix + name for name in folders if rules.folder(prefix + name)]
        # The cheap question first: matching patterns costs more than all the rest.
        wanted = [prefix + name for name in names if is_wanted(prefix + name)] if files else ()
        yield folder, [path for path in wanted if rules.file(path)]


def _paths(rules: Rules) -> Iterator[str]:
    if rules.top is not None:
        listed = _listed(rules, "")
        if listed is not None:
            yield from listed
            return
        # What git tracks inside an ignored folder no walk comes by.
        yield from (path for path in rules.tracked() if rules.kept(path))
    for _, found in walk(rules):
        yield from found


def _listed(rules: Rules, folder: str) -> list[str] | None:
    """What git lists in the repository at `folder`, those inside it included; None: it must be
    walked, since git does not answer or `.ignore` takes in what git leaves out."""
    listing = git.listing(rules.root / folder)
    if listing is None:
        return None
    prefix = f"{folder}/" if folder else ""
    found: list[str] = []
    for path in listing.files:
        if path.rpartition("/")[2] == ".ignore" and has_negation(rules.root / (prefix + path)):
            return None
        if rules.kept(prefix + path):
            found.append(prefix + path)
    for path in listing.repositories:
        found += _nested(rules, prefix + path)
    return found


def _nested(rules: Rules, folder: str) -> list[str]:
    """A repository inside another one, submodule or not."""
    if not rules.folder(folder):
        return []
    listed = _listed(rules, folder) if git.data_folder(rules.root / folder) else None
    if listed is None:
        return [path for _, found in walk(rules, folder) for path in found]
    return listed


def _entries(place: Path) -> tuple[list[str], list[str]]:
    """Names of folders and of all else in one folder, without those that are not UTF-8."""
    folders: list[str] = []
    others: list[str] = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if not entry.name.isascii() and not _is_unicode(entry.name):
                    continue
                try:
                    is_folder = entry.is_dir(follow_symlinks=False)
                except OSError:
                    continue
                (folders if is_folder else others).append(entry.name)
    except OSError:
        pass  # not readable, or gone: what was listed before that counts
    return folders, others


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
