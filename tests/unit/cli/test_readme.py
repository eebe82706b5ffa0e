"""The README keeps its promises: its commands, files and test line are the real ones."""

import re
from pathlib import Path

import pytest

from inkling.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_named_and_none_that_is_not_there() -> None:
    named = set(re.findall(r"\binkling ([a-z]+)\b(?=[^\n]*`)", README.replace("bin/", "")))
    assert set(COMMANDS) <= named


def test_the_test_line_makes_an_environment_and_runs_the_tests() -> None:
    _, _, rest = README.partition("<!-- test-line -->\n```sh\n")
    line, end, _ = rest.partition("\n```")
    assert end and "\n" not in line
    steps = line.split(" && ")
    assert steps[0] == "python3 -m venv .venv"
    assert steps[-1] == ".venv/bin/pytest"


@pytest.mark.parametrize(
    "pattern", ["README.md", "editors/*/README.md", "server/*.md", "models/*.md", "tests/**/*.md"]
)
def test_links_lead_somewhere(pattern: str) -> None:
    documents = list(ROOT.glob(pattern))
    assert documents
    for document in documents:
        check_links(document)


def check_links(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target
