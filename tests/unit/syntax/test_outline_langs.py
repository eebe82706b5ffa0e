"""Outlines of the languages of the extra `langs`, where its grammars are installed."""

import pytest

from inkling.syntax.languages import named
from inkling.syntax.outline import outline
from inkling.syntax.tree import Grammar, Parsed

from .outlines import check, imported, written
from .parses import soon

TABLE = [
    (
        "csharp",
        "using System;\nnamespace A.B {\n  [X] public class C : D {\n    const int K = 1;\n"
        "    int x, y = 2;\n    public int P { get; set; }\n    C() {}\n    void M<T>() {}\n"
        "    enum En { A, B }\n  }\n  record R(int A);\n  interface I { void F(); }\n}\n",
        [
            "module B | namespace A.B",
            "  class C | [X] public class C : D",
            "    field K | K = 1",
            "    field x | x",
            "    field y | y = 2",
            "    field P | public int P { get; set; }",
            "    method C | C()",
            "    method M | void M<T>()",
            "    enum En | enum En",
            "      constant A | A",
            "      constant B | B",
            "  class R | record R(int A);",
            "  interface I | interface I",
            "    method F | void F();",
        ],
        ["using System;"],
    ),
    (
        "php",
        "<?php\nuse X\\Y;\nrequire_once 'q';\nabstract class C extends D {\n  const K1 = 1;\n"
        "  private $x = 1;\n  public function m(): int { return 1; }\n}\ntrait T {}\n"
        "enum E { case A; }\nfunction g() {}\n",
        [
            "class C | abstract class C extends D",
            "  constant K1 | const K1 = 1;",
            "  field x | private $x = 1;",
            "  method m | public function m(): int",
            "class T | trait T",
            "enum E | enum E",
            "  constant A | case A;",
            "function g | function g()",
        ],
        ["use X\\Y;", "require_once 'q';"],
    ),
    (
        "kotlin",
        "import x.y.Z\nclass C(val a: Int) : B() {\n    val x = 1\n"
        "    fun m(): Int { return 1 }\n}\n"
        "object O\ntypealias T = Int\nfun String.ext() = 1\n",
        [
            "class C | class C(val a: Int) : B()",
            "  field x | val x = 1",
            "  method m | fun m(): Int",
            "class O | object O",
            "type T | typealias T = Int",
            "function ext | fun String.ext()",
        ],
        ["import x.y.Z"],
    ),
    (
        "swift",
        "import UIKit\n@objc class A: B {\n  let x = 1\n  func m() -> Int { return 1 }\n"
        "  init(a: Int) {}\n}\nenum E { case a, b(Int) }\nprotocol P { func f() }\nlet g = 1\n",
        [
            "class A | @objc class A: B",
            "  field x | let x = 1",
            "  method m | func m() -> Int",
            "  method init | init(a: Int)",
            "class E | enum E",
            "  constant a | case a, b(Int)",
            "  constant b | case a, b(Int)",
            "interface P | protocol P",
            "  method f | func f()",
            "variable g | let g = 1",
        ],
        ["import UIKit"],
    ),
    (
        "ruby",
        "require 'a'\nmodule M\n  class A < B\n    LIMIT = 1\n    def m(a)\n      1\n    end\n"
        "    def self.s; 2; end\n  end\n  def help; 3; end\nend\n",
        [
            "module M | module M",
            "  class A | class A < B",
            "    constant LIMIT | LIMIT = 1",
            "    method m | def m(a)",
            "    method s | def self.s;",
            "  method help | def help;",
        ],
        ["require 'a'"],
    ),
    (
        "shellscript",
        "source a.sh\nX=1\nexport PATH_Y=2\nf() { echo; }\nfunction g {\n  local z=1\n}\n",
        [
            "variable X | X=1",
            "constant PATH_Y | export PATH_Y=2",
            "function f | f()",
            "function g | function g",
        ],
        ["source a.sh"],
    ),
    (
        "lua",
        "local M = {}\nfunction M.a(b)\n  return 1\nend\nfunction M:c() return 2 end\nreturn M\n",
        [
            "variable M | local M = {}",
            "function a | function M.a(b)",
            "method c | function M:c()",
        ],
        [],
    ),
    (
        "css",
        "@import 'a';\n.a .btn-b:hover { color: red }\n#id { x: y }\n"
        "@media print { .c { x: y } }\n",
        ["class btn-b | .a .btn-b:hover", "class id | #id", "class c | .c"],
        ["@import 'a';"],
    ),
    (
        "json",
        '{\n  "name": "a",\n  "scripts": {\n    "build": "b"\n  }\n}\n',
        ['field name | "name": "a"', 'field scripts | "scripts": {'],
        [],
    ),
    ("yaml", "on: push\n'jobs':\n  test: 1\n", ["field on | on: push", "field jobs | 'jobs':"], []),
    (
        "toml",
        "a = 1\n[tool.ruff]\nline = 2\n[[bin]]\nname = 'x'\n",
        [
            "field a | a = 1",
            "module ruff | [tool.ruff]",
            "  field line | line = 2",
            "module bin | [[bin]]",
            "  field name | name = 'x'",
        ],
        [],
    ),
    (
        "markdown",
        "before\n\n# A title\n\ntext\n\n## Part 1\n\nmore\n",
        ["module A title | # A title", "  module Part 1 | ## Part 1"],
        [],
    ),
]


@pytest.mark.parametrize(
    ("name", "source", "expected", "imports"), TABLE, ids=[row[0] for row in TABLE]
)
def test_what_is_defined_and_imported(name, source, expected, imports):
    language = named(name)
    pytest.importorskip(language.module)
    data = source.encode()
    found = outline(Parsed.of(Grammar.of(language), data, soon()))
    check(data, found)
    assert not found.errors
    assert written(data, found) == expected
    assert imported(data, found) == imports
