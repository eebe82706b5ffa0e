"""Records of files: which tier, which language, what the tiers find together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.index import extract
from inkling.index.extract import parses, record_of, united
from inkling.index.record import Definition
from inkling.syntax.judgement import LARGEST
from inkling.syntax.outline import Outline, OutlineEntry

PYTHON = b"""import os
from a import (
    b,
)


@cached
def connect(host):
    return os.open(host)


class Client:
    def send(self, data):
        return data
"""


def names(record):
    return [definition.name for definition in record.definitions]


def checked(record, data):
    """What holds of every record."""
    assert record.size == len(data)
    assert list(record.names) == sorted(set(record.names))
    before = 0
    for number, definition in enumerate(record.definitions):
        assert before <= definition.start <= definition.name_start < definition.end <= len(data)
        assert definition.name_start < definition.head_end <= definition.end
        before = definition.start
        assert -1 <= definition.parent < number
        if definition.parent >= 0:
            around = record.definitions[definition.parent]
            assert around.start <= definition.start and definition.end <= around.end
    last = 0
    for chunk in record.chunks:
        assert last <= chunk.start < chunk.end <= len(data)
        last = chunk.end
        assert all(0 <= name < len(record.names) for name in chunk.names)
    return record


def record(path, data, *, parse=True):
    made = record_of(path, data, parse=parse)
    assert made is not None
    return checked(made, data)


def test_a_parsed_record_knows_where_everything_is():
    made = record("src/a.py", PYTHON)
    assert (made.language, made.tier) == ("python", "parsed")
    assert names(made) == ["connect", "Client", "send"]
    connect, client, send = made.definitions
    assert PYTHON[connect.start : connect.head_end] == b"@cached\ndef connect(host):"
    assert send.parent == 1 and send.kind == "method" and client.parent == -1
    assert [PYTHON[start:end] for start, end in made.imports] == [
        b"import os",
        b"from a import (\n    b,\n)",
    ]
    assert {"connect", "host", "Client", "cached"} <= set(made.names)


def test_the_lexical_tier_finds_the_same_in_ordinary_code():
    made = record("src/a.py", PYTHON, parse=False)
    assert (made.language, made.tier) == ("python", "lexical")
    assert names(made) == ["connect", "Client", "send"]
    assert [PYTHON[start:end] for start, end in made.imports] == [
        b"import os",
        b"from a import (\n    b,\n)",
    ]


@pytest.mark.parametrize(
    ("path", "text", "imports"),
    [
        ("a.js", 'import {\n  a,\n} from "a";\nconst b = require("b");\n', 2),
        ("a.c", "#include <a.h>\n#  include <b.h>\nint x;\n", 2),
        ("a.go", 'package a\nimport (\n\t"b"\n)\n', 1),
        ("a.rs", "use a::{b, c};\nextern crate d;\n", 2),
        ("a.rb", "require 'a'\nrequire_relative 'b'\n", 2),
        ("a.java", "import a.b;\nclass A { int important; }\n", 1),
        ("a.lua", 'local a = require("a")\n', 1),
        ("a.yml", "from: a\nuse: b\n", 0),
        ("a.txt", "import a\n", 0),
    ],
)
def test_imports_are_found_without_a_tree(path, text, imports):
    assert len(record(path, text.encode(), parse=False).imports) == imports


@pytest.mark.parametrize("parse", [False, True])
def test_a_file_with_a_nul_near_its_start_has_no_record(parse):
    assert record_of("a.py", b"x = 1\n" + b"\0", parse=parse) is None
    assert record_of("a.py", b"x" * 8191 + b"\0", parse=parse) is None
    assert record_of("a.py", b"x = 1\n" * 2000 + b"\0", parse=parse) is not None


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.py", b"def f(): pass\n" * (LARGEST // 14 + 1)),
        ("a.js", b"function f(){" + b"a();" * 6000 + b"}\n"),
        ("a.unknown", b"def f(): pass\n"),
        ("README", b"def f(): pass\n"),
        ("a.html", b"<p id='f'></p>\n"),
    ],
    ids=["large", "dense", "no language", "no extension", "nothing to outline"],
)
def test_what_is_not_parsed_has_a_lexical_record(path, data):
    assert record(path, data).tier == "lexical"
    assert not parses(path, data)


def test_whether_parsing_gives_more_is_known_without_doing_it():
    assert parses("a/b.py", PYTHON)
    assert parses("b.TSX", b"const a = 1;")


def test_a_parse_that_takes_too_long_leaves_the_lexical_tier():
    data = PYTHON * 400
    made = record_of("a.py", data, parse=True, deadline_s=0.0)
    assert made is not None and checked(made, data).tier == "lexical"
    assert "connect" in names(made)
    assert record("a.py", PYTHON).tier == "parsed"  # the parser is as good as new


def test_a_language_without_its_wheel_has_the_lexical_tier(monkeypatch):
    monkeypatch.setattr(extract, "_grammar", lambda name: None)
    made = record("a.rb", b"class A\n  def b\n  end\nend\n")
    assert (made.language, made.tier) == ("ruby", "lexical")
    assert names(made) == ["A", "b"]
    assert not parses("a.py", PYTHON)


@pytest.mark.parametrize(
    ("path", "text", "lost"),
    [
        ("a.py", "class A:\n    def a(self): pass\n    x = (\n    def b(self): pass\n", "b"),
        ("a.ts", "class {\n((\nexport function lost(a: string) {\n}\n", "lost"),
        ("a.c", "int a(void) { return 0; }\nBROKEN({{{\nint lost(void)\n{\n}\n", "lost"),
        ("a.java", "class A {\n  void a() { ((((\n  }\n  public void lost() {\n  }\n}\n", "lost"),
    ],
)
def test_a_broken_text_loses_no_definition_that_its_lines_show(path, text, lost):
    data = text.encode()
    made = record(path, data)
    assert made.tier == "parsed"
    assert lost in names(made)
    assert len({definition.name_start for definition in made.definitions}) == len(names(made))


def test_what_stands_in_a_comment_is_no_definition_of_a_broken_file():
    data = b"/* As said,\n   not made (by any). */\nint a(void) {{{\nint b(void)\n{\n}\n"
    assert "made" not in names(record("a.c", data))


def entry(name, start, end, parent=-1, kind="function"):
    return OutlineEntry(kind, name, start, end, start + 4, start + 10, parent)


def line(name, start, end, kind="function"):
    return Definition(kind, name, start, end, start + 4, start + 10, -1)


def test_lines_add_nothing_to_what_the_tree_read_without_errors():
    tree = Outline((entry("a", 0, 100), entry("b", 100, 200)), (), True, frozenset((1,)))
    found = united(tree, [line("in_a", 20, 60), line("in_b", 120, 160), line("after", 300, 400)])
    assert [(one.name, one.parent) for one in found] == [
        ("a", -1),
        ("b", -1),
        ("in_b", 1),
        ("after", -1),
    ]


def test_what_both_found_is_there_once():
    tree = Outline((entry("a", 0, 100),), (), True, frozenset((0,)))
    assert [one.end for one in united(tree, [line("a", 0, 50)])] == [100]


def test_parents_are_numbered_anew():
    tree = Outline(
        (entry("A", 100, 300, kind="class"), entry("m", 120, 150, 0)), (), True, frozenset((0,))
    )
    found = united(tree, [line("first", 0, 50), line("lost", 200, 250)])
    assert [(one.name, one.parent) for one in found] == [
        ("first", -1),
        ("A", -1),
        ("m", 1),
        ("lost", 1),
    ]


def test_names_of_one_statement_stay_side_by_side_in_a_broken_file():
    made = record("a.c", b"int a, b;\nint c(void) { (( }\n")
    assert [(one.name, one.parent) for one in made.definitions][:2] == [("a", -1), ("b", -1)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("int f(void);\n", "c"),
        ("struct class_x { int class; };\n", "c"),
        ("class A {\npublic:\n  int x;\n};\n", "cpp"),
        ("namespace a { int f(); }\n", "cpp"),
        ("#include <vector>\n", "cpp"),
        ("#include <stdio.h>\n", "c"),
        ("template <class T> T f(T);\n", "cpp"),
        ("\tclass = x;\n", "c"),
    ],
)
def test_a_header_tells_by_its_content_whether_it_is_cplusplus(text, language):
    assert record("a/b.h", text.encode()).language == language
    assert record("a/b.c", text.encode()).language == "c"


@pytest.mark.parametrize("parse", [False, True])
@given(data=st.binary(max_size=400), path=st.sampled_from(["a.py", "b.ts", "c.h", "d.rs", "e"]))
def test_any_bytes_have_a_record_or_none(parse, data, path):
    made = record_of(path, data, parse=parse)
    if made is not None:
        checked(made, data)


@given(
    pieces=st.lists(
        st.sampled_from(
            ["class A:\n", "    def m(self):\n", "        x = (\n", "\r\n", "\f\n",
             "def f(): pass\n", "@d\n", "😀", ")\n", "'''\n", "  ", "X = 1\n", "import a\n"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_half_written_code_has_a_sound_record(pieces):
    data = "".join(pieces).encode()
    for path in ("a.py", "a.js", "a.cpp", "a.go"):
        made = record_of(path, data, parse=True)
        assert made is not None
        checked(made, data)


@pytest.mark.parametrize("parse", [False, True])
@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('password = "hunter2-4711"', "hunter2"),
        ('TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"', "ghp_abcdefghijklmnop"),
        ('KEY = "q7Zp2LxV9tRw4KsB8mNc3Yd6"', "q7Zp2LxV9tRw4KsB8mNc3Yd6"),
        ('URL = "postgres://shop:s3cr3t_Word@db/shop"', "s3cr3t_Word"),
    ],
)
def test_no_word_of_a_secret_is_a_name(line, secret, parse):
    made = record_of("settings.py", f"{line}\n\n\ndef connect():\n    pass\n".encode(), parse=parse)
    assert made is not None and "connect" in made.names
    assert not any(secret in name for name in made.names)
    for chunk in made.chunks:
        assert all(number < len(made.names) for number in chunk.names)


def test_a_word_that_also_stands_elsewhere_stays_a_name():
    made = record_of("a.py", b'password = "basket-4711"\n\nbasket = 1\n', parse=False)
    assert made is not None and "basket" in made.names
