"""What is let through, by tables. `|` is the cursor."""

import time

import pytest

from inkling.syntax.gate import judge
from inkling.syntax.tree import DeadlinePassed

from .parses import judged, parsed

SINGLE = [
    # A completion that repairs what the user is in the middle of typing.
    ("python", "foo(|\n", "a, b)", "a, b)"),
    ("python", "foo(|)\n", "a, b", "a, b"),
    # The editor closed the pair already: the model's own closer is left out.
    ("python", "foo(|)\n", "a, b)", "a, b"),
    ("python", 'x = "abc|"\n', 'def"', "def"),
    ("javascript", "foo(|);\n", "a, b);", "a, b"),
    ("python", "foo(|\nbar()\n", "a, g(b", "a, g(b))"),
    ("python", "x = [|\n", "1, 2", "1, 2]"),
    ("python", "for i in |\n", "range(10):", "range(10):"),
    ("python", "# a word |\n", "it's (so", "it's (so"),
    ("python", "def f():\n    return fo|o(1)\n", "x y", ""),
    ("python", "x = |\n", "1 +", ""),
    ("javascript", "const a = |\n", "{ b: [1", "{ b: [1]}"),
    ("typescriptreact", "const a = <p>it's |</p>;\n", "done (almost", "done (almost"),
    ("rust", "fn f<'a>(x: &'a str) { let c = | }\n", "'{';", "'{';"),
    ("go", "package a\n\nvar s = |\n", "`raw (`", "`raw (`"),
    # A block's head stays open where that is no worse than what is there.
    ("go", "package a\n\nfunc f() {\n\tif err |\n}\n", "!= nil {", "!= nil {"),
    ("javascript", "function f() {\n  a;|\n}\n", " if (b) {", " if (b) {}"),
    # The file is broken elsewhere: that is no reason to stay silent.
    ("python", "def broken(:\n    pass\n\n\ndef g():\n    x = |\n", "foo(1)", "foo(1)"),
]


@pytest.mark.parametrize(("language", "marked", "inserted", "shown"), SINGLE)
def test_rest_of_a_line(language, marked, inserted, shown):
    assert judged(language, marked, inserted, multiline=False)[0] == shown


MANY = [
    (
        "python",
        "def f(x):\n    |\n\n\ndef g():\n    pass\n",
        "if x:\n        return 1\n    return 2\n\n\ndef h():\n    pass\n",
        "if x:\n        return 1\n    return 2",
    ),
    (
        "python",
        "def f(x):|\n",
        "\n    if x:\n        return 1\n    return 2\nfoo()\n",
        "\n    if x:\n        return 1\n    return 2",
    ),
    ("python", "if x:|\n", "\n    a()\nelse:\n    b()\nc()\n", "\n    a()\nelse:\n    b()"),
    ("python", "x = {\n    |\n}\n", '"a": 1,\n    "b": 2,\n}\nfoo()\n', '"a": 1,\n    "b": 2,'),
    (
        "python",
        "x = {|\n",
        '\n    "a": 1,\n    "b": 2,\n}\nfoo()\n',
        '\n    "a": 1,\n    "b": 2,\n}',
    ),
    (
        "python",
        "class A:\n    def f(self):\n        pass\n\n    |\n",
        "def g(self):\n        return 1\n\n    def h(self):\n        return 2\n",
        "def g(self):\n        return 1",
    ),
    (
        "python",
        "|\n",
        "@a\n@b(\n    1,\n)\ndef g(\n    x,\n):\n    return 1\n\n\ndef h():\n    pass\n",
        "@a\n@b(\n    1,\n)\ndef g(\n    x,\n):\n    return 1",
    ),
    (
        "python",
        'def f():\n    """Say.\n\n    |\n    """\n',
        "It's a (test:\n    more\n",
        "It's a (test:\n    more",
    ),
    (
        "javascript",
        "function f(a) {\n  |\n}\n",
        "if (a) {\n    b();\n  } else {\n    c();\n  }\n  return 2;\n}\n\nfunction g() {}\n",
        "if (a) {\n    b();\n  } else {\n    c();\n  }\n  return 2;",
    ),
    (
        "javascript",
        "function f(a) {|\n",
        "\n  return a;\n}\n\nfunction g() {}\n",
        "\n  return a;\n}",
    ),
    (
        "typescriptreact",
        "const A = () => (\n  <ul>\n    |\n  </ul>\n);\n",
        "<p>don't</p>\n    {items.map((i) => (\n      <li>{i}</li>\n    ))}\n  </ul>\n);\n",
        "<p>don't</p>\n    {items.map((i) => (\n      <li>{i}</li>\n    ))}",
    ),
    (
        "rust",
        "impl A {\n    |\n}\n",
        "fn f<'a>(&'a self) -> char {\n        '{'\n    }\n\n    fn g() {}\n}\n",
        "fn f<'a>(&'a self) -> char {\n        '{'\n    }",
    ),
    (
        "rust",
        "fn f(x: Option<i32>) {\n    match x {|\n}\n",
        "\n        Some(1) => {\n            a()\n        }\n        None => b(),\n    }\n}\n",
        "\n        Some(1) => {\n            a()\n        }\n        None => b(),\n    }",
    ),
    (
        "go",
        "package a\n\nfunc f() error {\n\tif err != nil {\n\t\t|\n\t}\n\treturn nil\n}\n",
        "return err\n\t}\n\treturn nil\n}\n",
        "return err",
    ),
    (
        "cpp",
        "class A {\npublic:\n    |\n};\n",
        "int f() {\n        return 1;\n    }\n\n    int g();\n};\n",
        "int f() {\n        return 1;\n    }",
    ),
]


@pytest.mark.parametrize(("language", "marked", "inserted", "shown"), MANY)
@pytest.mark.parametrize("finished", [True, False])
def test_lines_up_to_the_end_of_the_enclosing_node(language, marked, inserted, shown, finished):
    got, judgement = judged(language, marked, inserted, finished=finished)
    assert got == shown
    assert judgement.closed or "Say." in marked


def test_an_unfinished_last_line_is_never_kept():
    shown, judgement = judged("python", "def f():\n    |\n", "a = 1\n    b = compu", finished=False)
    assert shown == "a = 1"
    assert not judgement.closed
    shown, judgement = judged("python", "def f():\n    |\n", "a = 1", finished=False)
    assert shown == ""


@pytest.mark.parametrize(
    ("language", "marked", "inserted"),
    [
        ("python", "def f(x):|\n", "\n    if x:\n"),
        ("python", "def f(x):\n    |\n", "for a in x:\n        b"),
        ("javascript", "function f(a) {\n  |\n}\n", "a.map((x) => {\n"),
        ("rust", "fn f() {\n    |\n}\n", "match x {\n        So"),
        ("python", "def f(x):\n    |\n", 'return """\n        once'),
    ],
)
def test_only_the_head_of_a_block_waits_for_more(language, marked, inserted):
    shown, judgement = judged(language, marked, inserted, finished=False)
    assert shown == ""
    assert judgement.checked


def test_a_head_is_shown_when_nothing_more_will_come_or_its_body_is_there():
    assert judged("python", "def f(x):\n    |\n", "if x:")[0] == "if x:"
    body = "def f(x):\n    |\n        return 1\n"
    assert judged("python", body, "if x:\n", finished=False)[0] == "if x:"


def test_a_half_written_clause_does_not_end_the_block_yet():
    marked, inserted = "if x:|\n", "\n    a()\nel"
    _, judgement = judged("python", marked, inserted, finished=False)
    assert not judgement.closed
    _, judgement = judged("python", marked, inserted + "ephant = 1", finished=False)
    assert judgement.closed


def test_closers_of_earlier_lines_get_lines_of_their_own():
    shown, judgement = judged(
        "javascript",
        "function f(a) {\n  |\n}\n",
        "a.map((x) => {\n    g(x);\n    h",
        finished=False,
    )
    assert shown == "a.map((x) => {\n    g(x);\n  })"
    assert judgement.closers == "\n  })"


def test_broken_lines_are_left_out_from_the_end():
    shown, _ = judged("python", "def f():\n    |\n", "a = 1\n    b = 2\n    c = )(\n")
    assert shown == "a = 1\n    b = 2"


def test_keep_counts_bytes():
    shown, judgement = judged("python", "x = |\n", "'é😀'", multiline=False)
    assert shown == "'é😀'"
    assert judgement.keep == 8


def test_crlf_and_strange_characters():
    shown, _ = judged("python", "def f():\r\n    |\r\n", "a = 1\r\n    b = 2\r\nc = 3\r\n")
    assert shown == "a = 1\r\n    b = 2"
    assert judged("python", "x = |\n", "'\f\u2028'", multiline=False)[0] == "'\f\u2028'"


@pytest.mark.parametrize("inserted", ["", " ", "\n", "\n\n", "  \n  "])
@pytest.mark.parametrize("multiline", [True, False])
def test_blanks_are_no_suggestion(inserted, multiline):
    assert judged("python", "x = |\n", inserted, multiline=multiline)[0] == ""


def test_empty_document():
    assert judged("python", "|", "import os\n")[0] == "import os"


def test_no_time_left():
    base = parsed("python", b"x = 1\n" * 2000)
    with pytest.raises(DeadlinePassed):
        judge(
            base,
            0,
            "y = (((\n",
            multiline=True,
            finished=True,
            deadline=time.monotonic() - 1,
        )
