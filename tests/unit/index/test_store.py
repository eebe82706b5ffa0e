import sqlite3
import time

import pytest

from inkling.index import store as module
from inkling.index.record import Chunk, Definition, FileRecord
from inkling.index.store import FILE, Store, StoreDamaged, StoreUnavailable, content_hash

RECORD = FileRecord(
    "python",
    "lexical",
    10,
    ("ab", "größe"),
    (Definition("class", "ab", 0, 10, 6, 9, -1),),
    ((0, 4),),
    (Chunk(0, 10, (0, 1)),),
)
PARSED = FileRecord("python", "parsed", 10, ("ab",), (), (), ())
ONE, TWO, THREE = (content_hash(bytes([n])) for n in range(3))


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "cache")
    yield opened
    opened.close()


def test_what_is_kept_comes_back_after_opening_again(tmp_path):
    store = Store.open(tmp_path)
    store.put([(ONE, RECORD)])
    store.link([("a/b.py", 5, 10, ONE)])
    store.close()
    again = Store.open(tmp_path)
    assert again.record(ONE) == RECORD
    assert list(again.known()) == [("a/b.py", 5, 10, ONE)]
    assert list(again.rows()) == [("a/b.py", ONE, RECORD)]


def test_a_record_is_known_by_content_not_by_path(store):
    store.put([(ONE, RECORD)])
    store.link([("a.py", 1, 10, ONE)])
    store.link([("b.py", 2, 10, ONE), ("a.py", 3, 10, TWO)])
    assert store.has(ONE)
    assert not store.has(TWO)
    assert list(store.rows()) == [("b.py", ONE, RECORD)]


def test_a_parsed_record_is_not_replaced_by_a_lexical_one(store):
    store.put([(ONE, RECORD)])
    assert not store.has(ONE, "parsed")
    store.put([(ONE, PARSED)])
    store.put([(ONE, RECORD)])
    assert store.has(ONE, "parsed")
    assert store.record(ONE) == PARSED


def test_a_record_of_an_older_extractor_is_as_good_as_none(store, monkeypatch):
    store.put([(ONE, PARSED)])
    store.link([("a.py", 1, 10, ONE)])
    monkeypatch.setattr(module, "EXTRACTOR", module.EXTRACTOR + 1)
    assert not store.has(ONE)
    assert store.record(ONE) is None
    assert list(store.rows()) == []
    store.put([(ONE, RECORD)])
    assert store.record(ONE) == RECORD


def test_missing_ones_are_told_in_their_order(store):
    store.put([(TWO, RECORD)])
    many = [content_hash(n.to_bytes(3, "big")) for n in range(600)]
    assert store.missing([ONE, TWO, THREE, *many]) == [ONE, THREE, *many]
    assert store.missing([TWO], "parsed") == [TWO]


def test_rows_come_page_by_page_and_of_some_paths(store):
    store.put([(ONE, RECORD)])
    paths = [f"f{n:05}.py" for n in range(9000)]
    store.link((path, 1, 10, ONE) for path in paths)
    assert [path for path, _, _ in store.rows()] == paths
    assert [path for path, _, _, _ in store.known()] == paths
    assert [path for path, _, _ in store.rows(["f00007.py", "none", "f00003.py"])] == [
        "f00007.py",
        "f00003.py",
    ]


def test_pruning_keeps_what_is_linked_or_was_until_lately(store):
    store.put([(ONE, RECORD), (TWO, RECORD), (THREE, RECORD)])
    store.link([("a.py", 1, 10, ONE), ("b.py", 1, 10, TWO)])
    store.unlink(["b.py"])
    assert store.prune() == 0
    assert store.prune(older_than_s=0) == 2
    assert store.has(ONE)
    assert not store.has(TWO)
    assert not store.has(THREE)


def test_a_branch_that_is_taken_again_finds_its_records(store, monkeypatch):
    store.put([(ONE, RECORD), (TWO, PARSED)])
    store.link([("a.py", 1, 10, ONE)])
    later = time.time() + 30 * 24 * 3600
    monkeypatch.setattr(module.time, "time", lambda: later)
    store.link([("a.py", 2, 10, TWO)])  # the other branch
    assert store.prune() == 0
    assert store.missing([ONE]) == []


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 1000])
def test_a_damaged_store_is_made_anew(tmp_path, damage):
    store = Store.open(tmp_path)
    store.put([(ONE, RECORD)])
    store.close()
    (tmp_path / FILE).write_bytes(damage)
    again = Store.open(tmp_path)
    assert list(again.known()) == []
    again.put([(ONE, RECORD)])
    assert again.has(ONE)


def test_a_store_of_another_format_is_made_anew(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE files (other)")
        other.execute("PRAGMA user_version = 99")
    other.close()
    assert list(Store.open(tmp_path).known()) == []


def test_a_damaged_record_is_none(store):
    store.put([(ONE, RECORD)])
    store._db.execute("UPDATE records SET data = x'00'")
    store.link([("a.py", 1, 10, ONE)])
    assert store.record(ONE) is None
    assert list(store.rows()) == []


def test_two_processes_may_write_at_once(tmp_path):
    one, other = Store.open(tmp_path), Store.open(tmp_path)
    one.put([(ONE, RECORD)])
    other.put([(ONE, RECORD), (TWO, PARSED)])
    one.link([("a.py", 1, 10, ONE)])
    other.link([("a.py", 1, 10, TWO)])
    assert one.has(TWO)
    assert list(one.known()) == list(other.known()) == [("a.py", 1, 10, TWO)]


def test_where_nothing_can_be_kept_it_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        Store.open(tmp_path / "file" / "cache")


def test_a_full_disk_is_told_and_leaves_what_was_there(store):
    store.put([(ONE, RECORD)])
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    names = tuple(f"name_{content_hash(n.to_bytes(4, 'big')).hex()}" for n in range(20_000))
    big = FileRecord("", "lexical", 1, names, (), (), ())
    with pytest.raises(StoreUnavailable):
        store.put([(TWO, RECORD), (THREE, big)])
    assert store.has(ONE)
    assert not store.has(TWO)


def test_damage_while_it_is_open_is_told_and_can_be_cleared(tmp_path):
    store = Store.open(tmp_path)
    store.put([(content_hash(n.to_bytes(2, "big")), RECORD) for n in range(2000)])
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = bytearray((tmp_path / FILE).read_bytes())
    whole[4096:] = b"\x55" * (len(whole) - 4096)
    (tmp_path / FILE).write_bytes(whole)
    store.close()
    damaged = Store(sqlite3.connect(tmp_path / FILE, isolation_level=None), tmp_path / FILE)
    with pytest.raises(StoreDamaged):
        damaged.put([(ONE, RECORD)])
    damaged.close()
    again = Store.open(tmp_path, anew=True)
    assert list(again.known()) == []
