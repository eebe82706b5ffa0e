"""The recipes name the command as the editor will find it, in their own language's strings."""

import io
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

from inkling.cli.connect import command_path, connections
from inkling.cli.demo import show_connections

HELIX = Path(__file__).parents[3] / "editors" / "helix" / "README.md"


@pytest.mark.parametrize("command", ["inkling", "/opt/my env/bin/inkling", r"C:\venv\inkling.exe"])
def test_every_recipe_names_the_command(command: str) -> None:
    recipes = dict(connections(command))
    editors = ("Neovim 0.12", "Neovim 0.11", "Helix", "Emacs", "Emacs", "VS Code")
    assert all(name.startswith(editor) for name, editor in zip(recipes, editors, strict=True))
    for name, recipe in recipes.items():
        assert name == "VS Code" or command.replace("\\", "\\\\") in recipe


def test_helix_s_recipe_is_valid_toml() -> None:
    (recipe,) = [text for name, text in connections(r"C:\a\inkling") if name.startswith("Helix")]
    parsed = tomllib.loads(recipe)
    assert parsed["language-server"]["inkling"] == {"command": r"C:\a\inkling", "args": ["serve"]}


def test_helix_keeps_its_user_s_servers_as_in_its_readme() -> None:
    (recipe,) = [text for name, text in connections("inkling") if name.startswith("Helix")]
    documented = tomllib.loads(HELIX.read_text("utf-8").split("```toml\n")[1].split("```")[0])
    assert tomllib.loads(recipe)["language"] == documented["language"][:1]


def test_recipes_are_not_wrapped_on_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=50, force_terminal=True, color_system=None)
    show_connections(console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for _, recipe in connections(command_path()):
        assert recipe.replace("\n", "\n  ") in shown


def test_the_command_is_found() -> None:
    assert command_path()
