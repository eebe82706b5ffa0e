import pytest

from inkling.index import upkeep
from inkling.index.upkeep import Job, next_job
from inkling.index.view import View

from .workspace import in_memory, in_segments, put, segment_of


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(upkeep, "_IN_MEMORY", 3)
    monkeypatch.setattr(upkeep, "_SMALL", 2)
    monkeypatch.setattr(upkeep, "_SMALL_ONES", 2)
    monkeypatch.setattr(upkeep, "FILES", 5)


def test_nothing_is_built_of_nothing():
    assert next_job(View()) is None


def test_what_gathered_in_memory_is_built_but_not_what_is_open():
    view = in_memory({f"{n}.py": "x1" for n in range(4)})
    assert next_job(view, {"0.py"}) is None
    assert next_job(view) == Job(("0.py", "1.py", "2.py", "3.py"), ())


def test_many_small_segments_become_one(tmp_path):
    view = in_segments(tmp_path, {"a.py": "x1"}, {"b.py": "x1"})
    assert next_job(view) is None
    view.add(segment_of(tmp_path / "third", {"c.py": "x1"}))
    job = next_job(view)
    assert job.paths == ("a.py", "b.py", "c.py")
    view.add(segment_of(tmp_path / "new", dict.fromkeys(job.paths, "x1")), job.instead_of)
    assert len(view.shown) == 1
    assert next_job(view) is None


def test_a_segment_with_many_hidden_rows_is_built_anew(tmp_path):
    view = in_segments(tmp_path, {f"{n}.py": "x1" for n in range(4)})
    for n in range(3):
        assert next_job(view) is None
        put(view, f"{n}.py", "x2")
    assert next_job(view) == Job(("3.py",), (view.shown[0].segment,))


def test_no_job_is_larger_than_a_segment(tmp_path):
    view = in_memory({f"{n:02}.py": "x1" for n in range(12)})
    assert len(next_job(view).paths) == 5
