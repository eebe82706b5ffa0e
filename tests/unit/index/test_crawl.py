"""Which files of a folder belong to it: on real folders, with git and without."""

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkling.index import crawl as crawling
from inkling.index import git as asking
from inkling.index.crawl import Found, belongs, crawl
from inkling.index.rules import Rules
from inkling.index.wanted import MAX_BYTES
from trees import commit, git, plant, repository

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX names and links")


def paths(root: Path, *excludes: str) -> set[str]:
    return {found.path for found in crawl(root, excludes)}


@pytest.fixture(params=["git", "walk"])
def root(request, tmp_path, monkeypatch):
    """An empty repository, listed by git or walked."""
    if request.param == "walk":
        monkeypatch.setattr(asking, "_program", lambda workspace: None)
    return repository(tmp_path / "work")


def test_a_file_comes_with_its_time_and_size(root):
    plant(root, {"a/é.py": "x = 'é'\n"})
    status = (root / "a/é.py").stat()

    assert list(crawl(root)) == [Found("a/é.py", status.st_mtime_ns, 9)]


def test_nested_ignore_files_outweigh_those_above(root):
    plant(root, {".gitignore": "*.gen.py\nbuild/\n/top.py\n", "sub/.gitignore": "!keep.gen.py\n"})
    plant(root, ["a.py", "x.gen.py", "sub/keep.gen.py", "sub/y.gen.py", "top.py", "sub/top.py"])
    plant(root, ["build/a.py", "sub/build/b.py", "sub/deep/keep.gen.py"])

    assert paths(root) == {
        ".gitignore",
        "a.py",
        "sub/.gitignore",
        "sub/keep.gen.py",
        "sub/deep/keep.gen.py",
        "sub/top.py",
    }


def test_nothing_comes_back_from_an_ignored_folder(root):
    plant(root, {".gitignore": "out/\n!out/keep.py\n", "out/keep.py": "", "out/.gitignore": "!*"})

    assert paths(root) == {".gitignore"}


def test_the_users_own_ignore_file_counts(root):
    plant(Path(os.environ["XDG_CONFIG_HOME"]), {"git/ignore": "*.mine.py\n"})
    plant(root, ["a.py", "b.mine.py", "sub/c.mine.py"])

    assert paths(root) == {"a.py"}


def test_the_ignore_file_that_the_users_settings_name_counts(tmp_path, monkeypatch):
    root = repository(tmp_path / "work")
    plant(tmp_path, {"settings": f"[core]\nexcludesFile = {tmp_path}/mine\n", "mine": "*.mine.py"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    plant(root, ["a.py", "b.mine.py"])

    assert paths(root) == {"a.py"}
    assert not belongs(root, "b.mine.py")


def test_the_exclude_file_of_the_clone_counts(root):
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/exclude").write_text("/local/\n")
    plant(root, ["a.py", "local/b.py", "sub/local/c.py"])

    assert paths(root) == {"a.py", "sub/local/c.py"}


def test_an_ignore_file_for_tools_outweighs_git(root):
    plant(root, {".gitignore": "gen/\n", ".ignore": "!gen/\nvendor/\n", "sub/.ignore": "*.js\n"})
    plant(root, ["a.py", "gen/b.py", "vendor/c.py", "sub/d.js", "sub/e.py"])

    assert paths(root) == {".gitignore", ".ignore", "a.py", "gen/b.py", "sub/.ignore", "sub/e.py"}


def test_a_tracked_file_is_not_ignored_by_git_but_by_tools(tmp_path):
    root = repository(tmp_path / "work")
    plant(root, ["build/kept.py", "build/other.py", "vendor/kept.py"])
    git(root, "add", "build/kept.py", "vendor/kept.py")
    plant(root, {".gitignore": "build/\n", ".ignore": "vendor/\n"})

    assert paths(root) == {".gitignore", ".ignore", "build/kept.py"}
    assert belongs(root, "build/kept.py")
    assert not belongs(root, "build/other.py")
    assert not belongs(root, "vendor/kept.py")


def test_the_editors_excludes_are_left_out(root):
    plant(root, ["a.py", "b.gen.ts", "b.gen.js", "c.ts", "deep/dist/x.py", "target/y.py"])

    assert paths(root, "**/*.gen.{ts,js}", "**/dist", "target/**") == {"a.py", "c.ts"}


def test_of_a_part_of_a_repository_the_rules_above_count(root):
    plant(root, {".gitignore": "*.gen.py\n/pkg/out/\n", "pkg/.gitignore": "!b.gen.py\n"})
    plant(root, ["pkg/a.gen.py", "pkg/b.gen.py", "pkg/c.py", "pkg/out/d.py", "e.py"])

    assert paths(root / "pkg") == {".gitignore", "b.gen.py", "c.py"}


def test_a_workspace_that_is_ignored_itself_is_listed_all_the_same(root):
    plant(root, {".gitignore": "/build/\n"})
    plant(root, ["build/a.py", "build/sub/b.py"])

    assert paths(root / "build") == {"a.py", "sub/b.py"}
    assert belongs(root / "build", "sub/b.py")


def test_a_repository_inside_has_its_own_rules(root):
    plant(root, {".gitignore": "*.gen.py\n/hidden/\n", "a.gen.py": "", "b.py": ""})
    inner = repository(root / "libs" / "three.js")
    plant(inner, {".gitignore": "c.py\n", "a.gen.py": "", "c.py": "", "d.py": ""})
    repository(plant(root / "hidden", ["e.py"]))

    assert paths(root) == {
        ".gitignore",
        "b.py",
        "libs/three.js/.gitignore",
        "libs/three.js/a.gen.py",
        "libs/three.js/d.py",
    }


def test_a_submodule_is_part_of_the_workspace(tmp_path):
    other = repository(plant(tmp_path / "other", ["m.py"]))
    commit(other)
    root = repository(plant(tmp_path / "work", ["a.py"]))
    git(root, "submodule", "--quiet", "add", str(other), "lib.js")
    commit(root)

    assert paths(root) == {".gitmodules", "a.py", "lib.js/m.py"}


def test_a_linked_work_tree_is_a_work_tree(tmp_path):
    main = repository(plant(tmp_path / "main", ["a.py"]))
    commit(main)
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("no.py\n")
    git(main, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    plant(tmp_path / "linked", ["b.py", "no.py"])

    assert paths(tmp_path / "linked") == {"a.py", "b.py"}
    assert not belongs(tmp_path / "linked", "no.py")


def test_what_is_large_secret_or_no_text_is_left_out(root):
    plant(root, ["a.py", "logo.png", "lib.min.js", "yarn.lock", "go.sum", "x.js.map", "x.tar.gz"])
    plant(root, ["package-lock.json", ".env", "tls/server.pem", "credentials.json", "id_rsa"])
    plant(root, ["credentials.py", "node_modules/m/i.js", "sub/node_modules/n.js", "a.PNG"])
    plant(root, {"large.py": "x" * (MAX_BYTES + 1), "most.py": "x" * MAX_BYTES})

    assert paths(root) == {"a.py", "most.py", "credentials.py"}


def test_caches_and_environments_are_known_by_what_is_in_them(root):
    plant(root, ["a.py", "target/CACHEDIR.TAG", "target/b.py", "env/pyvenv.cfg", "env/lib/c.py"])

    assert paths(root) == {"a.py"}


def test_a_file_that_git_tracks_and_is_gone_is_passed_over(tmp_path):
    root = repository(plant(tmp_path / "work", ["a.py", "b.py"]))
    commit(root)
    (root / "b.py").unlink()

    assert paths(root) == {"a.py"}


def test_a_file_in_conflict_comes_once(tmp_path):
    root = repository(plant(tmp_path / "work", {"a.py": "1\n"}))
    commit(root)
    git(root, "checkout", "--quiet", "-b", "other")
    plant(root, {"a.py": "2\n"})
    commit(root)
    git(root, "checkout", "--quiet", "main")
    plant(root, {"a.py": "3\n"})
    commit(root)
    with pytest.raises(Exception, match="merge"):
        git(root, "merge", "other")

    assert [found.path for found in crawl(root)] == ["a.py"]


@POSIX
def test_links_make_no_loops_and_lead_nowhere_else(root, tmp_path):
    plant(tmp_path, ["outside.py"])
    plant(root, {".gitignore": "ignored.py\n", "ignored.py": "", ".env": "A=1\n", "a/real.py": "x"})
    (root / "a/loop").symlink_to(root)
    (root / "folder").symlink_to(root / "a")
    (root / "inside.py").symlink_to("a/real.py")
    (root / "outside.py").symlink_to(tmp_path / "outside.py")
    (root / "secret.py").symlink_to(".env")
    (root / "ignored_link.py").symlink_to("ignored.py")
    (root / "self.py").symlink_to("self.py")
    (root / "broken.py").symlink_to("nowhere.py")

    assert paths(root) == {".gitignore", "a/real.py", "inside.py"}
    assert not belongs(root, "folder/real.py")
    assert not belongs(root, "a/loop/a/real.py")


@POSIX
def test_what_is_no_file_is_not_waited_for(root):
    os.mkfifo(root / "pipe.py")
    plant(root, ["a.py"])

    assert paths(root) == {"a.py"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf_8_are_passed_over(root):
    plant(root, ["a.py"])
    place = os.fsencode(root)
    Path(os.fsdecode(place + b"/\xff")).mkdir()
    for name in (b"/\xfe.py", b"/\xff/b.py"):
        Path(os.fsdecode(place + name)).write_text("x")

    assert paths(root) == {"a.py"}


@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError, NotADirectoryError])
def test_a_folder_that_cannot_be_listed_costs_only_itself(tmp_path, monkeypatch, error):
    root = plant(tmp_path, ["a/x.py", "b/y.py", "c/z.py"])
    real = os.scandir

    def scandir(place):
        if Path(place).name == "b":
            raise error(place)
        return real(place)

    monkeypatch.setattr(crawling.os, "scandir", scandir)

    assert paths(root) == {"a/x.py", "c/z.py"}


def test_a_folder_may_vanish_while_it_is_walked(tmp_path, monkeypatch):
    root = plant(tmp_path, ["a/x.py", "b/y.py", "b/deep/y.py", "c/z.py"])
    real = os.scandir

    def scandir(place):
        entries = real(place)
        # Deleting lists the folder as well, by its descriptor.
        if not isinstance(place, int) and Path(place).name == "b":
            shutil.rmtree(place)
        return entries

    monkeypatch.setattr(crawling.os, "scandir", scandir)

    assert paths(root) == {"a/x.py", "c/z.py"}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize("behaviour", ["exec sleep 60", "exit 128", "kill -9 $$"])
def test_where_git_fails_or_hangs_the_folders_are_walked(tmp_path, monkeypatch, behaviour):
    script = tmp_path / "bin/git"
    plant(tmp_path, {"bin/git": f"#!/bin/sh\n{behaviour}\n"})
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    root = repository(plant(tmp_path / "work", {".gitignore": "b.py\n", "a.py": "", "b.py": ""}))
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(asking, "LIMIT_S", 0.2)

    assert paths(root) == {".gitignore", "a.py"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_a_repository_of_another_user_is_walked(tmp_path):
    root = repository(plant(tmp_path / "work", {".gitignore": "b.py\n", "a.py": "", "b.py": ""}))
    for place in (root, root / ".git"):
        os.chown(place, 12345, 12345)

    assert asking.listing(root) is None
    assert paths(root) == {".gitignore", "a.py"}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_no_git_of_the_workspace_is_run_nor_what_its_settings_name(tmp_path, monkeypatch):
    root = repository(plant(tmp_path / "work", ["a.py"]))
    ran = tmp_path / "ran"
    for name in ("git", "monitor"):
        plant(root, {f"bin/{name}": f"#!/bin/sh\ntouch {ran}\n"})
        (root / "bin" / name).chmod(0o755)
    git(root, "config", "core.fsmonitor", str(root / "bin/monitor"))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")

    assert paths(root) == {"a.py", "bin/git", "bin/monitor"}
    assert not ran.exists()


def test_variables_of_a_git_hook_do_not_lead_to_another_repository(tmp_path, monkeypatch):
    other = repository(plant(tmp_path / "other", ["o.py"]))
    commit(other)
    root = repository(plant(tmp_path / "work", ["a.py"]))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))

    assert paths(root) == {"a.py"}


def test_nothing_is_written(root):
    plant(root, {".gitignore": "b/\n", "a.py": "", "b/c.py": "", "d/e.py": ""})

    def state():
        return {
            (str(place), place.lstat().st_mtime_ns, place.lstat().st_size)
            for place in [root, *root.rglob("*")]
        }

    before = state()
    paths(root)

    assert state() == before


def test_lines_that_are_no_patterns_spoil_nothing(root):
    plant(root, {".gitignore": "!\n\\\n[\n# x\n\n  \n/\nb.py\n", "a.py": "", "b.py": ""})

    assert "a.py" in paths(root)
    assert "b.py" not in paths(root)


def test_an_ignore_file_may_be_from_windows(root):
    (root / ".gitignore").write_bytes(b"\xef\xbb\xbfb.py\r\nc/\r\n")
    plant(root, ["a.py", "b.py", "c/d.py"])

    assert paths(root) == {".gitignore", "a.py"}


def test_new_rules_count_once_the_old_ones_are_forgotten(tmp_path):
    root = plant(tmp_path, ["a.py", "sub/b.py"])
    rules = Rules(root)
    assert rules.look("sub/b.py") is not None

    plant(root, {"sub/.gitignore": "b.py\n"})
    rules.forget()

    assert rules.look("sub/b.py") is None
    assert rules.look("a.py") is not None


def test_a_folder_that_comes_later_is_not_remembered_as_absent(tmp_path):
    rules = Rules(tmp_path)
    assert rules.look("sub/b.py") is None

    plant(tmp_path, ["sub/b.py"])

    assert rules.look("sub/b.py") is not None


NAMES = st.sampled_from(["a", "b", "c.py", "d.js"])
TREES = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=12)
PATTERNS = st.lists(
    st.sampled_from(
        (
            *("a", "/a", "a/", "b/c.py", "*.py", "!c.py", "!a/", "/b/*", "!/b/a", "**/d.js"),
            *("a/**", "/a/b/", "!*", "*", "b/**/c.py", "?.js", "[ab]", "!b", "*/a", "# a", "a/b"),
        )
    ),
    max_size=4,
).map("\n".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, st.dictionaries(st.sampled_from(["", "a/", "a/b/", "b/"]), PATTERNS, max_size=3))
def test_the_rules_are_gits_rules(tree, ignores):
    """What git lists, what a walk finds and what the rules say of each path is the same."""
    with tempfile.TemporaryDirectory() as place:
        root = repository(Path(place))
        for path in tree:
            _plant_where_possible(root, path)
        for folder, text in ignores.items():
            if (root / folder).is_dir():
                (root / folder / ".gitignore").write_text(text)
        everything = {
            file.relative_to(root).as_posix()
            for file in root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(root).parts
        }
        rules = Rules(root)
        listed = {found.path for found in crawl(root)}
        walked = {path for _, files in crawling.walk(rules) for path in files}

        assert walked == listed
        assert {path for path in everything if rules.look(path)} == listed


def _plant_where_possible(root: Path, path: str) -> None:
    """The tree is random: a name may be wanted both for a folder and for a file."""
    place = root / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    except OSError:
        pass
