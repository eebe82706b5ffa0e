"""The recipes name the command as the editor will find it, in their own language's strings."""

import tomllib

import pytest

from inkling.cli.connect import command_path, connections


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


def test_the_command_is_found() -> None:
    assert command_path()
