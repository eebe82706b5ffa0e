import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.index import build as building
from inkling.index.paths import stem
from inkling.index.record import Chunk, Definition, FileRecord
from inkling.index.segment import BadSegment, Segment, build

from .workspace import segment_of

WORD = st.text(alphabet="abcXé_", min_size=2, max_size=4)


@st.composite
def records(draw):
    names = tuple(sorted(draw(st.sets(WORD, max_size=6))))
    some = st.sets(st.integers(0, max(0, len(names) - 1)), min_size=1)
    chunks = draw(st.lists(some, max_size=3)) if names else []
    definitions = draw(st.lists(WORD, max_size=3))
    return FileRecord(
        draw(st.sampled_from(["", "python", "rust"])),
        draw(st.sampled_from(["lexical", "parsed"])),
        draw(st.integers(0, 1 << 31)),
        names,
        tuple(
            Definition("class", name, n, n + 9, n + 1, n + 2, n - 1)
            for n, name in enumerate(definitions)
        ),
        tuple(draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=2))),
        tuple(Chunk(9 * n, 9 * n + 9, tuple(sorted(c))) for n, c in enumerate(chunks)),
    )


FILES = st.dictionaries(
    st.text(alphabet="ab/é.\udc80", min_size=1, max_size=6), records(), max_size=6
)
COUNT = itertools.count()


@settings(max_examples=60)
@given(files=FILES)
def test_a_segment_tells_what_the_records_said(files, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / f"{next(COUNT)}.segment"
    rows = [(path, bytes([n]) * 16, record) for n, (path, record) in enumerate(files.items())]
    assert build(file, rows) == len(files)
    segment = Segment.open(file)
    assert len(segment) == len(files)
    words = {name for record in files.values() for name in record.names}
    for number, (path, hash_, record) in enumerate(rows):
        assert segment.number(path) == number
        assert segment.path(number) == path
        assert segment.hash(number) == hash_
        assert segment.language(number) == record.language
        assert segment.tier(number) == record.tier
        assert segment.sizes[number] == record.size
        assert tuple(segment.definitions(number)) == record.definitions
        assert tuple(segment.imports(number)) == record.imports
        first, last = segment.chunks_at[number], segment.chunks_at[number + 1]
        told = [
            (
                int(segment.chunk_start[chunk]),
                {segment.name(int(name)) for name in segment.chunk_names(chunk)},
            )
            for chunk in range(first, last)
        ]
        assert told == [(c.start, {record.names[n] for n in c.names}) for c in record.chunks]
    for word in sorted(words):
        (known,) = segment.find([word])
        assert segment.name(known) == word
        having = [n for n, (_, _, record) in enumerate(rows) if word in record.names]
        assert segment.files_with(known).tolist() == having
        assert segment.frequencies(segment.find([word, "nowhere"])).tolist() == [len(having), 0]
    for word in sorted({d.name for record in files.values() for d in record.definitions}):
        (known,) = segment.find([word])
        assert list(segment.defined(known)) == [
            (n, m)
            for n, (_, _, record) in enumerate(rows)
            for m, definition in enumerate(record.definitions)
            if definition.name == word
        ]
    assert segment.number("nowhere/at/all") is None


def test_names_with_one_checksum_are_told_apart(tmp_path):
    one, other = "plumless", "buckeroo"
    assert zlib.crc32(one.encode()) == zlib.crc32(other.encode())
    segment = segment_of(tmp_path / "s", {"a.py": one, "b.py": other})
    assert [segment.name(number) for number in segment.find([other, one])] == [other, one]


def test_a_file_is_found_by_what_it_is_called(tmp_path):
    segment = segment_of(tmp_path / "s", {"lib/parser.py": "x", "lib/shop/__init__.py": "y"})
    assert segment.find([stem("parser.rs"), "/shop", "/none"]).tolist()[2] == -1
    assert [segment.path(f) for f in segment.files_with(segment.find(["/shop"])[0])] == [
        "lib/shop/__init__.py"
    ]


def test_every_damaged_byte_is_noticed(tmp_path):
    segment_of(tmp_path / "s", {"a.py": "def shop(): pass", "b.py": "shop()"})
    whole = (tmp_path / "s").read_bytes()
    bad = tmp_path / "bad"
    for at in range(0, len(whole), 7):
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with pytest.raises(BadSegment):
            Segment.open(bad)
    for size in (0, 3, 24, 100, len(whole) - 1):
        bad.write_bytes(whole[:size])
        with pytest.raises(BadSegment):
            Segment.open(bad)
    with pytest.raises(BadSegment):
        Segment.open(tmp_path / "none")


def test_a_segment_that_can_not_be_built_leaves_the_former_one(tmp_path):
    segment_of(tmp_path / "s", {"a.py": "alpha"})

    def rows():
        yield "b.py", b"", FileRecord("", "lexical", 1, ("beta",), (), (), ())
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        build(tmp_path / "s", rows())
    assert Segment.open(tmp_path / "s").path(0) == "a.py"
    assert [file.name for file in tmp_path.iterdir()] == ["s"]


def test_a_segment_takes_no_more_files_than_it_may(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "FILES_LIMIT", 2)
    with pytest.raises(ValueError, match="at most 2"):
        segment_of(tmp_path / "s", {f"{n}.py": "x" for n in range(3)})


def test_the_kinds_are_those_of_records():
    assert set(building.KINDS) == set(Definition.__annotations__["kind"].__args__)
