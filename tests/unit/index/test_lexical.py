import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.index.lexical import lexical_definitions

PYTHON = '''\
import os

LIMIT = 3
name: str = "x"


@decorated
@twice(1)
class Shop(Base):
    """Sells."""

    open: bool = True

    def sell(
        self,
        what: str,
    ) -> None:
        price = 1
        if price:
            other = 2

    async def close(self): ...


def main():
    run()

# end
x = 1
'''

RUST = """\
use std::fs;

#[derive(Debug)]
pub struct Point { x: i32 }

pub(crate) trait Shape {
    fn area(&self) -> f64;
}

impl Shape for Point {
    fn area(&self) -> f64 {
        0.0
    }
}

const MAX: usize = 3;
macro_rules! shout { () => {} }
"""

TYPESCRIPT = """\
export interface Options { a: number }
export type Id = string | number;
export default class Parser extends Base {
  private count = 0;
  async parse(text: string): Promise<Node> {
    if (text) {
      return this.next(text);
    }
  }
}
export const add = (a: number, b: number) => a + b;
const LIMIT = 3;
enum Color { Red }
function* walk() {
  yield 1;
}
"""

GO = """\
package main

type Server struct {
\taddr string
}

type Handler interface {
\tServe()
}

func (s *Server) Start() error {
\treturn nil
}

func main() {
}
"""

JAVA = """\
package a;

public class Shop extends Base {
    private final int count = 0;

    public static List<String> names(int a) throws IOException {
        for (String s : all) {
            use(s);
        }
        return new ArrayList<>();
    }
}
"""

C = """\
#include <stdio.h>
#define LIMIT 10

struct point {
    int x;
};

typedef unsigned int word;

static int add(int a, int b)
{
    int sum = a + b;
    if (sum)
        print(sum);
    return sum;
}

int main(void) {
    return add(1, 2);
}
"""

RUBY = """\
module Shop
  class Till
    def open
      1
    end
  end
end
"""

ELIXIR = """\
defmodule Shop do
  def open(a) do
    a
  end
end
"""

EXPECTED = [
    (
        "python",
        PYTHON,
        "constant LIMIT, variable name, class Shop, field open<Shop, method sell<Shop,"
        " method close<Shop, function main, variable x",
    ),
    (
        "rust",
        RUST,
        "class Point, interface Shape, method area<Shape, type Point, method area<Point,"
        " constant MAX, macro shout",
    ),
    (
        "typescript",
        TYPESCRIPT,
        "interface Options, type Id, class Parser, method parse<Parser, function add,"
        " constant LIMIT, enum Color, function walk",
    ),
    ("go", GO, "class Server, interface Handler, method Start, function main"),
    ("java", JAVA, "class Shop, field count<Shop, method names<Shop"),
    ("c", C, "macro LIMIT, class point, type word, function add, function main"),
    ("ruby", RUBY, "module Shop, class Till<Shop, method open<Till"),
    ("", ELIXIR, "class Shop, method open<Shop"),
]


@pytest.mark.parametrize(("language", "text", "expected"), EXPECTED, ids=[e[0] for e in EXPECTED])
def test_definitions_are_found_by_the_line(language, text, expected):
    found = lexical_definitions(text.encode(), language)
    told = [
        f"{d.kind} {d.name}" + (f"<{found[d.parent].name}" if d.parent >= 0 else "") for d in found
    ]
    assert ", ".join(told) == expected


def span(text: str, language: str, name: str) -> str:
    data = text.encode()
    (found,) = [d for d in lexical_definitions(data, language) if d.name == name]
    return data[found.start : found.end].decode()


def test_a_definition_ends_where_the_indentation_does():
    assert span(PYTHON, "python", "main") == "def main():\n    run()\n"
    assert span(PYTHON, "python", "close") == "    async def close(self): ...\n"


def test_a_definition_begins_with_its_decorators():
    assert span(PYTHON, "python", "Shop").startswith("@decorated\n@twice(1)\nclass Shop")


def test_a_definition_in_braces_ends_with_the_closing_line():
    assert span(C, "c", "add").endswith("    return sum;\n}\n")
    assert span(TYPESCRIPT, "typescript", "walk") == "function* walk() {\n  yield 1;\n}\n"
    assert span(RUBY, "ruby", "Till") == "  class Till\n    def open\n      1\n    end\n  end\n"


def test_a_signature_over_several_lines_is_the_head():
    data = PYTHON.encode()
    (found,) = [d for d in lexical_definitions(data, "python") if d.name == "sell"]
    assert data[found.start : found.head_end].endswith(b"    ) -> None:\n")


def test_windows_lines_are_read_alike():
    windows = PYTHON.replace("\n", "\r\n").encode()
    assert [d.name for d in lexical_definitions(windows, "python")] == [
        d.name for d in lexical_definitions(PYTHON.encode(), "python")
    ]


BRACES = ["rust", "go", "java", "c", "cpp", "typescript", "ruby", "php", "lua", "css"]
LANGUAGES = ["python", "bash", "json", "markdown", "none", *BRACES]
LINES = st.sampled_from(
    [line for _, text, _ in EXPECTED for line in text.splitlines(keepends=True)]
)
TEXTS = st.lists(LINES, max_size=40).map(lambda lines: "".join(lines).encode()) | st.binary(
    max_size=300
)


@given(data=TEXTS, language=st.sampled_from(LANGUAGES))
def test_whatever_the_text_is_definitions_are_nested_and_in_order(data, language):
    found = lexical_definitions(data, language)
    for number, definition in enumerate(found):
        assert 0 <= definition.start <= definition.name_start < definition.head_end
        assert definition.head_end <= definition.end <= len(data)
        assert definition.parent < number
        if definition.parent >= 0:
            around = found[definition.parent]
            assert around.start <= definition.start
            assert definition.end <= around.end
    assert [d.start for d in found] == sorted(d.start for d in found)


def test_a_long_line_takes_no_long_time():
    # Quadratic patterns would take minutes here.
    for text in ("a b " * 100_000, "static " + "a" * 400_000, "@x\n" * 100_000, "(" * 400_000):
        for language in LANGUAGES:
            lexical_definitions(text.encode(), language)
