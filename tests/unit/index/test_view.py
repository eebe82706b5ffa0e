import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from inkling.index.search import Search
from inkling.index.store import content_hash
from inkling.index.view import View

from .workspace import in_segments, put, segment_of


def found(view: View, name: str) -> list[str]:
    return sorted(place.path for place in view.defined(name))


@pytest.fixture
def view(tmp_path):
    return in_segments(
        tmp_path,
        {"a.py": "def alpha(): pass", "b.py": "def beta(): alpha()"},
        {"c.py": "class Gamma:\n    def alpha(self): pass\n"},
    )


def test_what_is_in_any_segment_is_found(view):
    assert len(view) == 3
    assert found(view, "alpha") == ["a.py", "c.py"]
    assert sorted(view.files_with("alpha")) == ["a.py", "b.py", "c.py"]
    assert [place.container for place in view.defined("alpha")] == ["", "Gamma"]


def test_a_changed_file_hides_what_it_held_before(view):
    put(view, "a.py", "def other(): pass")
    assert found(view, "alpha") == ["c.py"]
    assert found(view, "other") == ["a.py"]
    assert len(view) == 3
    assert [d.name for d in view.definitions("a.py")] == ["other"]


def test_what_a_changed_file_holds_no_more_is_not_found(view):
    put(view, "a.py", "def other(): pass")
    put(view, "a.py", "def third(): pass")
    assert found(view, "other") == []
    assert found(view, "third") == ["a.py"]


def test_a_file_that_is_gone_is_not_found(view):
    put(view, "new.py", "def alpha(): pass")
    for path in ("a.py", "new.py", "never.py"):
        view.remove(path)
    assert found(view, "alpha") == ["c.py"]
    assert "a.py" not in view
    assert view.definitions("new.py") is None


def test_a_new_segment_takes_the_place_of_memory(view, tmp_path):
    put(view, "a.py", "def other(): pass")
    put(view, "d.py", "def delta(): pass")
    view.add(segment_of(tmp_path / "n", {"a.py": "def other(): pass", "d.py": "def delta(): pass"}))
    assert len(view.overlay) == 0
    assert len(view) == 4
    assert found(view, "other") == ["a.py"]
    assert found(view, "alpha") == ["c.py"]


def test_what_changed_while_a_segment_was_built_goes_on_hiding_it(view, tmp_path):
    built = segment_of(
        tmp_path / "n",
        {"a.py": "def old(): pass", "b.py": "def gone(): pass", "e.py": "def e1(): 1"},
    )
    put(view, "a.py", "def new(): pass")
    view.remove("b.py")
    view.add(built)
    assert found(view, "old") == found(view, "gone") == []
    assert found(view, "new") == ["a.py"]
    assert len(view) == 3


def test_a_segment_that_replaces_others_holds_each_file_once(view, tmp_path):
    former = [shown.segment for shown in view.shown]
    merged = segment_of(tmp_path / "n", {"a.py": "def alpha(): pass", "c.py": "def alpha(): pass"})
    view.add(merged, instead_of=former)
    assert sorted(view.paths()) == ["a.py", "c.py"]


def test_settling_hides_what_is_not_on_disk_and_tells_what_is_missing(view):
    on_disk = {
        "a.py": content_hash(b"def alpha(): pass"),
        "b.py": content_hash(b"changed"),
        "new.py": content_hash(b""),
    }
    assert sorted(view.settle(on_disk)) == ["b.py", "new.py"]
    assert list(view.paths()) == ["a.py"]


TEXTS = ["def alpha(): pass", "def beta(): alpha()", "class Gamma: pass", "alpha = beta", ""]
PATHS = st.sampled_from([f"p{n}.py" for n in range(5)])


class Workspace(RuleBasedStateMachine):
    """Files that change, go, and are built into segments."""

    def __init__(self):
        super().__init__()
        self.view = View()
        self.files = {}
        self.number = 0

    @rule(path=PATHS, text=st.sampled_from(TEXTS))
    def change(self, path, text):
        self.files[path] = text
        put(self.view, path, text)

    @rule(path=PATHS)
    def delete(self, path):
        self.files.pop(path, None)
        self.view.remove(path)

    @rule(merge=st.booleans(), late=st.none() | PATHS)
    def freeze(self, merge, late):
        self.number += 1
        old = [shown.segment for shown in self.view.shown] if merge else []
        paths = self.files if merge else self.view.overlay.held
        built = segment_of(self.folder / str(self.number), {p: self.files[p] for p in paths})
        if late is not None:
            self.change(late, "late = 1")
        self.view.add(built, old)

    @invariant()
    def it_is_the_files(self):
        assert sorted(self.view.paths()) == sorted(self.files)
        assert len(self.view) == len(self.files)
        for word in ("alpha", "beta", "Gamma", "late"):
            assert sorted(self.view.files_with(word)) == sorted(
                path for path, text in self.files.items() if word in text
            )
        for path, text in self.files.items():
            assert self.view.hash_of(path) == content_hash(text.encode())
        hits = Search(self.view, {"alpha": 1.0, "beta": 0.5}).files(10, "p0.py")
        assert sorted(hit.path for hit in hits) == sorted(
            path
            for path, text in self.files.items()
            if path != "p0.py" and ("alpha" in text or "beta" in text)
        )


def test_a_view_is_one_of_the_files_as_they_are(tmp_path):
    class Here(Workspace):
        folder = tmp_path

    few = settings(max_examples=30, stateful_step_count=15, deadline=None)
    run_state_machine_as_test(Here, settings=few)
