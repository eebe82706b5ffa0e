"""Who may import whom, read from the source: a rule that is broken fails here, not in review."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "server" / "inkling"
FILES = sorted(ROOT.rglob("*.py"))

# A room may import itself, what is named here and what stands in COMMON.
ROOMS = {
    "text": (),
    "syntax": ("text",),
    "index": ("text", "syntax"),
    "context": ("text", "syntax", "index"),
    "prompt": ("text", "syntax", "index", "context", "engine.api"),
    "engine": (),
    "models": (),
    "edits": ("text", "syntax"),
    # Of the index only what asks its process, see SERVER_SIDE.
    "service": ("text", "syntax", "index", "context", "prompt", "edits", "engine.api", "config"),
    "lsp": ("text", "service", "index.wire", "engine.api", "models", "config", "app", "logs"),
    "config": (),
    "channel": (),
    "dirs": (),
    "logs": ("config",),
}
COMMON = ("channel", "dirs")
# These two wire the rooms or drive the whole from outside.
FREE = ("app", "cli", "__main__")

# Who alone may import what comes from outside. A folder stands for all in it.
ONLY = {
    ("llama_cpp",): ("engine/llama.py", "engine/weights.py"),
    ("pygls", "lsprotocol"): ("lsp/",),
    # The bench counts parse errors apart from the rules that it measures.
    ("tree_sitter",): ("syntax/", "cli/bench/"),
    ("click",): ("cli/",),
    ("rich",): ("cli/",),
    ("watchfiles", "pathspec"): ("index/",),
    ("huggingface_hub",): ("models/",),
    # `inkling bench --against` talks to the peer it measures.
    ("socket", "ssl", "http", "urllib.request", "httpx", "requests", "aiohttp"): (
        "models/",
        "engine/http.py",
        "cli/bench/",
    ),
}
PURE = ("text/", "syntax/", "index/", "context/", "prompt/", "edits/")
SUPERVISED = (
    "syntax/client.py",
    "syntax/worker.py",
    "index/client.py",
    "index/pool.py",
    "index/process.py",
    "index/shelf.py",
    "index/watch.py",
    "index/watchers.py",
    "index/worker.py",
    "index/workspace.py",
    # Asks git which files there are.
    "index/git.py",
)
CONCURRENCY = ("asyncio", "threading", "multiprocessing", "subprocess", "concurrent")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file names in an import, wherever in the file; with its line."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            yield node.module, node.lineno
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_in(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def broken(rule) -> list[str]:
    return [
        f"{place(path)}:{line} imports {name}"
        for path in FILES
        for name, line in imports(path)
        if rule(place(path), name)
    ]


def test_the_rooms_keep_their_order():
    def outside(file: str, name: str) -> bool:
        room = file.partition("/")[0].removesuffix(".py")
        if room in FREE or room == "__init__" or not name.startswith("inkling."):
            return False
        wanted = name.removeprefix("inkling.")
        if wanted == "__version__":
            return False
        return not is_in(wanted, (room, *ROOMS[room], *COMMON))

    assert broken(outside) == []


def test_every_room_has_a_rule():
    rooms = {place(path).partition("/")[0].removesuffix(".py") for path in FILES}
    assert rooms <= {*ROOMS, *FREE, "__init__"}


@pytest.mark.parametrize(("modules", "owners"), ONLY.items(), ids=lambda value: value[0])
def test_what_comes_from_outside_has_one_door(modules, owners):
    def elsewhere(file: str, name: str) -> bool:
        return is_in(name, modules) and not file.startswith(owners)

    assert broken(elsewhere) == []


def test_pure_rooms_start_nothing():
    def starts(file: str, name: str) -> bool:
        return file.startswith(PURE) and file not in SUPERVISED and is_in(name, CONCURRENCY)

    assert broken(starts) == []


def test_text_needs_only_the_standard_library():
    def foreign(file: str, name: str) -> bool:
        return file.startswith("text/") and is_in(name, ("msgspec", "numpy", "tree_sitter"))

    assert broken(foreign) == []


def test_the_server_process_loads_no_parser():
    """The clients of the children and what they import must not pull in what those are for."""

    def reached(file: str, seen: set[str]) -> set[str]:
        if file not in seen:
            seen.add(file)
            for name, _ in imports(ROOT / file):
                target = name.removeprefix("inkling.").replace(".", "/") + ".py"
                if name.startswith("inkling.") and (ROOT / target).exists():
                    reached(target, seen)
        return seen

    clients = ("syntax/client.py", "syntax/scope.py", "index/client.py", "service/repository.py")
    heavy = ("tree_sitter", "numpy", "sqlite3", "watchfiles", "pathspec")
    for file in set().union(*(reached(file, set()) for file in (*clients, "service/completer.py"))):
        assert not any(is_in(name, heavy) for name, _ in imports(ROOT / file)), file


def test_only_the_command_line_prints():
    found = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and not place(path).startswith("cli/")
    ]
    assert found == []
