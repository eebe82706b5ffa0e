"""Outlines by tables: what each language defines, where, and in what."""

import importlib.util

import pytest
import tree_sitter
from hypothesis import given
from hypothesis import strategies as st

from inkling.syntax.languages import LANGUAGES, language_of, language_of_file, load_grammar, named
from inkling.syntax.nodes import Nodes

from .outlines import imported, outline_of, written
from .parses import SAMPLES

PYTHON = '''\
"""Doc."""
import os
from a.b import (
    c,
)
LIMIT = 3
type Pair[T] = tuple[T, T]
x: int = 1
x = 2
first, second = 1, 2
table = {
    "a": 1,
}
obj.attribute = 1
@decorated
@twice(1)
async def run(a, b=":") -> int:  # said
    """Doc."""
    local = 1
    def inner(): pass
class A(Base, metaclass=M):
    RED = 1
    size: int
    @property
    def area(self): return 1
    class Inner:
        def deep(self):
            # only said
            return 2
try:
    import json
except ImportError:
    json = None
    def fallback(): ...
'''

JAVASCRIPT = """\
import a, { b } from "a";
const fs = require("fs"), { join } = require("path");
export * from "./all";
const LIMIT = 1, low = 2;
export const load = async (path) => {
  const inner = () => 1;
};
export default class Shape extends Base {
  #side = 1;
  static make = () => new Shape();
  constructor(side) { super(); }
  get area() { return 1; }
  [Symbol.iterator]() {}
}
function* walk(tree) { function hidden() {} }
exports.open = function (x) {};
module.exports = class Late { m() {} };
module.exports = 3;
Shape.prototype.grow = (by) => by;
if (x) { var y = 1; } else { function z() {} }
"""

TYPESCRIPT = """\
import { a } from "a";
import fs = require("fs");
export enum Color { Red, Green = 2 }
export interface Shape<T> extends Base {
  readonly side: number;
  area(unit: string): T;
  (call: string): void;
}
type Point = { x: number; y?: number };
type Id = string | number;
namespace Geometry.Plane { export const ORIGIN = 0; export function dist(): void {} }
declare module "lib" { export function f(): void }
export abstract class Box<T> implements Shape<T> {
  private readonly side: number = 1;
  constructor(private w: number) { super(); }
  abstract fill(): void;
  handler = (e: Event): void => {};
  @memo() get wide(): number { return 1; }
}
export function over(a: string): void;
export function over(a: number): void;
export function over(a: unknown): void {}
export default function () {}
const view = <T,>(x: T): T => x;
"""

TSX = """\
import React from "react";
export const Button: React.FC<Props> = ({ label }) => {
  return <button>{label}</button>;
};
function App() { return <Button label="a" />; }
"""

RUST = """\
use std::{fmt, io::{self, Read}};
extern crate serde;
/// A point.
#[derive(Debug)]
/// Said between.
#[repr(C)]
pub struct Point<T> where T: Copy {
    pub x: T,
    y: T,
}
struct Wrapper(u32);
pub(crate) enum Shape { Dot, Line(u8), Box { w: u8 } }
impl<T> fmt::Display for geo::Point<T> {
    const ZERO: u8 = 0;
    type Out = u8;
    fn fmt(&self) -> fmt::Result { fn inner() {} Ok(()) }
}
pub trait Area { type Unit; const N: u8; fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 } }
mod inner { pub fn deep() {} }
mod outside;
macro_rules! say { () => {}; }
static COUNT: u8 = 1;
type Alias = u8;
extern "C" { fn abs(x: i32) -> i32; }
#[test]
fn works() {}
"""

GO = """\
package main

import (
	"fmt"
	"os"
)
import "io"

type Point struct {
	X, Y int
	Base
}

type (
	Reader interface {
		Read(p []byte) (int, error)
		io.Closer
	}
	ID = int
)

var count, total = 1, 2

const (
	Red = iota
	Green
)

// Area is said.
func (p *Point) Area() int { return p.X }

func main[T any](a T) (err error) {
	inner := func() {}
	inner()
}
"""

JAVA = """\
package a.b;
import java.util.List;
import static java.lang.Math.*;
/** Said. */
@Entity
public final class Shop<T> extends Base implements Some {
    private static final int MAX = 1;
    @Id int a, b = 2;
    static { run(); }
    public Shop(int a) { this.a = a; }
    @Override
    public <U> List<U> sell(int n) throws E { class Local {} return null; }
    enum Size { SMALL, LARGE { void m() {} }; int width; Size() {} }
    record Pair(int x, int y) { Pair { } }
    @interface Mark { int value() default 1; }
}
interface Open { int K = 1; void open(); default void close() {} }
"""

C = """\
#include <stdio.h>
#include "a.h"
#define LIMIT 10
#define MAX(a, b) \\
    ((a) > (b))
struct forward;
struct point { int x, *y; int (*cmp)(int); };
typedef struct { int w; } box_t;
typedef struct node { struct node *next; } node_t;
typedef int (*callback)(void);
enum color { RED, GREEN = 2 };
#ifdef A
static int counter = 1, *other;
#else
extern char *name(int x);
#endif
int (*pointer)(int);
static inline char *
make(int n)
{
    int local = 1;
    return 0;
}
"""

CPP = """\
#include <vector>
using namespace std;
namespace geo::plane {
template <class T>
class Box : public Base {
public:
    Box();
    explicit Box(int w) : w_(w) {}
    ~Box() {}
    virtual int area() const = 0;
    bool operator==(const Box &o) const;
    static int count;
    using Size = int;
    enum class Kind { A, B };
    template <class U> void put(U u) {}
    struct Inner { int z; };
private:
    int w_;
};
int &ref() { static int r; return r; }
}
void geo::plane::Box<int>::grow(int by) {}
extern "C" { void plain(void); }
template <> struct Trait<int> { };
concept_less x;
"""

TABLE = [
    (
        "python",
        PYTHON,
        [
            "constant LIMIT | LIMIT = 3",
            "type Pair | type Pair[T] = tuple[T, T]",
            "variable x | x: int = 1",
            "variable first | first, second = 1, 2",
            "variable second | first, second = 1, 2",
            "variable table | table = {",
            'function run | @decorated\n@twice(1)\nasync def run(a, b=":") -> int:',
            "class A | class A(Base, metaclass=M):",
            "  constant RED | RED = 1",
            "  field size | size: int",
            "  method area | @property\n    def area(self):",
            "  class Inner | class Inner:",
            "    method deep | def deep(self):",
            "variable json | json = None",
            "function fallback | def fallback():",
        ],
        ["import os", "from a.b import (\n    c,\n)", "import json"],
    ),
    (
        "javascript",
        JAVASCRIPT,
        [
            "constant LIMIT | LIMIT = 1",
            "variable low | low = 2",
            "function load | export const load = async (path) =>",
            "class Shape | export default class Shape extends Base",
            "  field side | #side = 1",
            "  method make | static make = () =>",
            "  method constructor | constructor(side)",
            "  method area | get area()",
            "function walk | function* walk(tree)",
            "function open | exports.open = function (x)",
            "class Late | module.exports = class Late",
            "  method m | m()",
            "function grow | Shape.prototype.grow = (by) =>",
            "variable y | var y = 1;",
            "function z | function z()",
        ],
        [
            'import a, { b } from "a";',
            'fs = require("fs")',
            '{ join } = require("path")',
            'export * from "./all";',
        ],
    ),
    (
        "typescript",
        TYPESCRIPT,
        [
            "enum Color | export enum Color",
            "  constant Red | Red",
            "  constant Green | Green = 2",
            "interface Shape | export interface Shape<T> extends Base",
            "  field side | readonly side: number",
            "  method area | area(unit: string): T",
            "type Point | type Point = { x: number; y?: number };",
            "  field x | x: number",
            "  field y | y?: number",
            "type Id | type Id = string | number;",
            "module Plane | namespace Geometry.Plane",
            "  constant ORIGIN | export const ORIGIN = 0;",
            "  function dist | export function dist(): void",
            'module lib | declare module "lib"',
            "  function f | export function f(): void",
            "class Box | export abstract class Box<T> implements Shape<T>",
            "  field side | private readonly side: number = 1",
            "  method constructor | constructor(private w: number)",
            "  method fill | abstract fill(): void",
            "  method handler | handler = (e: Event): void =>",
            "  method wide | @memo() get wide(): number",
            "function over | export function over(a: string): void;",
            "function over | export function over(a: number): void;",
            "function over | export function over(a: unknown): void",
            "function view | const view = <T,>(x: T): T =>",
        ],
        ['import { a } from "a";', 'import fs = require("fs");'],
    ),
    (
        "typescriptreact",
        TSX,
        [
            "function Button | export const Button: React.FC<Props> = ({ label }) =>",
            "function App | function App()",
        ],
        ['import React from "react";'],
    ),
    (
        "rust",
        RUST,
        [
            "class Point | #[derive(Debug)]\n/// Said between.\n#[repr(C)]\n"
            "pub struct Point<T> where T: Copy",
            "  field x | pub x: T",
            "  field y | y: T",
            "class Wrapper | struct Wrapper",
            "enum Shape | pub(crate) enum Shape",
            "  constant Dot | Dot",
            "  constant Line | Line",
            "  constant Box | Box",
            "module Point | impl<T> fmt::Display for geo::Point<T>",
            "  constant ZERO | const ZERO: u8 = 0;",
            "  type Out | type Out = u8;",
            "  method fmt | fn fmt(&self) -> fmt::Result",
            "interface Area | pub trait Area",
            "  type Unit | type Unit;",
            "  constant N | const N: u8;",
            "  method area | fn area(&self) -> f64;",
            "  method twice | fn twice(&self) -> f64",
            "module inner | mod inner",
            "  function deep | pub fn deep()",
            "module outside | mod outside;",
            "macro say | macro_rules! say { () => {}; }",
            "constant COUNT | static COUNT: u8 = 1;",
            "type Alias | type Alias = u8;",
            "function abs | fn abs(x: i32) -> i32;",
            "function works | #[test]\nfn works()",
        ],
        ["use std::{fmt, io::{self, Read}};", "extern crate serde;"],
    ),
    (
        "go",
        GO,
        [
            "class Point | type Point struct",
            "  field X | X, Y int",
            "  field Y | X, Y int",
            "interface Reader | Reader interface",
            "  method Read | Read(p []byte) (int, error)",
            "type ID | ID = int",
            "variable count | var count, total = 1, 2",
            "variable total | var count, total = 1, 2",
            "constant Red | Red = iota",
            "constant Green | Green",
            "method Area | func (p *Point) Area() int",
            "function main | func main[T any](a T) (err error)",
        ],
        ['import (\n\t"fmt"\n\t"os"\n)', 'import "io"'],
    ),
    (
        "java",
        JAVA,
        [
            "class Shop | @Entity\npublic final class Shop<T> extends Base implements Some",
            "  constant MAX | private static final int MAX = 1;",
            "  field a | a",
            "  field b | b = 2",
            "  method Shop | public Shop(int a)",
            "  method sell | @Override\n    public <U> List<U> sell(int n) throws E",
            "  enum Size | enum Size",
            "    constant SMALL | SMALL",
            "    constant LARGE | LARGE",
            "    field width | int width;",
            "    method Size | Size()",
            "  class Pair | record Pair(int x, int y)",
            "    method Pair | Pair",
            "  interface Mark | @interface Mark",
            "    method value | int value() default 1;",
            "interface Open | interface Open",
            "  field K | int K = 1;",
            "  method open | void open();",
            "  method close | default void close()",
        ],
        ["import java.util.List;", "import static java.lang.Math.*;"],
    ),
    (
        "c",
        C,
        [
            "macro LIMIT | #define LIMIT 10",
            "macro MAX | #define MAX(a, b) \\",
            "class point | struct point",
            "  field x | int x, *y;",
            "  field y | int x, *y;",
            "  field cmp | int (*cmp)(int);",
            "type box_t | typedef struct { int w; } box_t;",
            "  field w | int w;",
            "type node_t | typedef struct node { struct node *next; } node_t;",
            "  class node | struct node",
            "    field next | struct node *next;",
            "type callback | typedef int (*callback)(void);",
            "enum color | enum color",
            "  constant RED | RED",
            "  constant GREEN | GREEN = 2",
            "variable counter | static int counter = 1, *other;",
            "variable other | static int counter = 1, *other;",
            "function name | extern char *name(int x);",
            "variable pointer | int (*pointer)(int);",
            "function make | static inline char *\nmake(int n)",
        ],
        ["#include <stdio.h>", '#include "a.h"'],
    ),
    (
        "cpp",
        CPP,
        [
            "module plane | namespace geo::plane",
            "  class Box | template <class T>\nclass Box : public Base",
            "    method Box | Box();",
            "    method Box | explicit Box(int w) : w_(w)",
            "    method Box | ~Box()",
            "    method area | virtual int area() const = 0;",
            "    method operator== | bool operator==(const Box &o) const;",
            "    field count | static int count;",
            "    type Size | using Size = int;",
            "    enum Kind | enum class Kind",
            "      constant A | A",
            "      constant B | B",
            "    method put | template <class U> void put(U u)",
            "    class Inner | struct Inner",
            "      field z | int z;",
            "    field w_ | int w_;",
            "  function ref | int &ref()",
            "method grow | void geo::plane::Box<int>::grow(int by)",
            "function plain | void plain(void);",
            "class Trait | template <> struct Trait<int>",
            "variable x | concept_less x;",
        ],
        ["#include <vector>", "using namespace std;"],
    ),
]


@pytest.mark.parametrize(
    ("name", "source", "expected", "imports"), TABLE, ids=[row[0] for row in TABLE]
)
def test_what_is_defined_and_imported(name, source, expected, imports):
    data = source.encode()
    found = outline_of(name, data)
    assert not found.errors
    assert written(data, found) == expected
    assert imported(data, found) == imports


@pytest.mark.parametrize(
    ("name", "source", "expected", "imports"), TABLE, ids=[row[0] for row in TABLE]
)
def test_carriage_returns_and_astral_characters_change_nothing_but_offsets(
    name, source, expected, imports
):
    remark = "#" if name == "python" else "//"
    text = f"{remark} 😀 \U0001d4b3 é\n\f\n{source}".replace("\n", "\r\n")
    data = text.encode()
    found = outline_of(name, data)
    assert not found.errors
    assert [line.replace("\r\n", "\n") for line in written(data, found)] == expected
    assert [one.replace("\r\n", "\n") for one in imported(data, found)] == imports


def test_javascript_with_tags_is_read_like_javascript():
    assert written(b"", outline_of("javascriptreact", b"")) == []
    found = outline_of("javascriptreact", b"const A = () => <b>{x}</b>;\n")
    assert [entry.name for entry in found.definitions] == ["A"]


@pytest.mark.parametrize(
    ("name", "source", "names"),
    [
        ("python", "def 名前(): pass\nclass Ünï: pass\n", ["名前", "Ünï"]),
        ("rust", "fn größe() {}\n", ["größe"]),
        ("javascript", "const π𝒳 = 1;\n", ["π𝒳"]),
        ("go", "package a\nfunc ñ() {}\n", ["ñ"]),
        ("java", "class Ä { void ß() {} }\n", ["Ä", "ß"]),
    ],
)
def test_names_in_letters_of_any_script(name, source, names):
    found = outline_of(name, source.encode())
    assert [entry.name for entry in found.definitions] == names


@pytest.mark.parametrize(
    ("name", "source", "names"),
    [
        ("python", "class A:\n    def a(self): pass\n    def b(self\ndef c(): pass\n", {"A", "a"}),
        ("java", "class A { void a() {} void b( } class C { void d() {} }", {"a", "C", "d"}),
        ("rust", "fn a() {}\nfn b( {\nfn c() {}\n", {"a"}),
        ("typescript", "function a() {}\nclass { x( }\nfunction c() {}\n", {"a", "c"}),
        ("cpp", "int a() {}\nclass B { int c( \nint d() {}\n", {"a"}),
        ("go", "package p\nfunc a() {}\nfunc {\nfunc b() {}\n", {"a", "b"}),
        ("c", "int a(void) { return 0; }\nEXPORT(b) int {{{\nint c(void) { return 1; }\n", {"a"}),
    ],
)
def test_what_is_whole_in_a_broken_text_is_still_found(name, source, names):
    found = outline_of(name, source.encode())
    assert found.errors
    assert names <= {entry.name for entry in found.definitions}


def test_what_has_errors_in_it_is_said_to_be_damaged():
    data = b"class A:\n    def a(self): x = = 1\n    def b(self): pass\ndef c(): pass\n"
    found = outline_of("python", data)
    names = {found.definitions[number].name for number in found.damaged}
    assert "A" in names and "c" not in names and "b" not in names


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_no_text_is_too_broken(name, data):
    text = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 60))
        text[at : at + cut] = data.draw(
            st.sampled_from(
                [b"", b"(", b"}", b"{", b"class ", b"\0", b"\xff\xfe", b"'''", b"/*", b"\xf0\x9f"]
            )
        )
    outline_of(name, bytes(text))  # which checks what it finds


def test_deep_nesting_is_no_depth_of_calls():
    depth = 3000
    data = b"".join(b"#if A\n" for _ in range(depth)) + b"int x;\n" + b"#endif\n" * depth
    found = outline_of("c", data)
    assert "x" in {entry.name for entry in found.definitions}


INSTALLED = [
    language for language in LANGUAGES if importlib.util.find_spec(language.module) is not None
]


@pytest.mark.parametrize("language", INSTALLED, ids=lambda language: language.name)
def test_every_kind_of_the_table_is_one_of_its_grammar(language):
    grammar = tree_sitter.Language(load_grammar(language))
    nodes = language.nodes
    kinds = " ".join(
        (
            *(names for _, names in (*nodes.definitions, *nodes.values)),
            *(kind for kind, _ in nodes.follow),
            nodes.imports, nodes.containers, nodes.wrappers, nodes.leading, nodes.several,
            nodes.with_body, nodes.with_value, nodes.callable, nodes.data, nodes.qualified,
            nodes.patterns, nodes.rebinding, nodes.extends, nodes.named_by_itself,
            nodes.name_kinds, nodes.imports_if, nodes.bodies,
        )
    ).split()  # fmt: skip
    fields = {*nodes.names.split(), nodes.imports_from} if nodes.definitions else set()
    fields |= {onward for _, onward in nodes.follow} - {"first"}
    missing = [kind for kind in kinds if not grammar.id_for_node_kind(kind, True)]
    missing += [field for field in fields - {""} if not grammar.field_id_for_name(field)]
    assert missing == []


def test_only_languages_with_rules_of_their_own_are_judged():
    judged = {language.name for language in LANGUAGES if language.judged}
    assert judged == {
        "python", "javascript", "javascriptreact", "typescript", "typescriptreact", "rust", "go",
        "java", "c", "cpp",
    }  # fmt: skip
    for language in LANGUAGES:
        extension = language.extensions[0]
        assert language_of_file(f"a/b{extension}") is language
        assert named(language.name) is language
        if not language.judged:
            assert language_of(language.name, f"file:///a{extension}") is None
        else:
            assert language.nodes != Nodes()


def test_some_files_tell_their_language_by_their_whole_name():
    assert language_of_file("a/Gemfile") is named("ruby")
    assert language_of_file(".bashrc") is named("shellscript")
    assert language_of_file("a/Gemfile.py") is named("python")
    assert language_of_file("a.py/Makefile") is None
