"""The wheel as users get it: what is in it, what must not be, and that it starts.

Builds once with pip (which fetches the build back-end) and installs into a new environment
without dependencies; the imports of this environment stand in for them.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

from inkling import __version__

ROOT = Path(__file__).parents[2]
SIZE_LIMIT = 500_000
"""Bytes. Weights must never slip in, nor anything else that is not code or a table."""

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_every_module_and_table_is_in_it_and_nothing_else(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    package = ROOT / "server" / "inkling"
    modules = {
        f"inkling/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    tables = {
        f"inkling/models/catalogue/{path.name}"
        for path in (ROOT / "models" / "catalogue").glob("*.toml")
    }
    assert tables, "the catalogue is empty"
    assert {name for name in names if ".dist-info/" not in name} == modules | tables


def test_it_is_small_and_holds_no_weights(wheel: Path) -> None:
    assert wheel.stat().st_size < SIZE_LIMIT
    assert not [name for name in ZipFile(wheel).namelist() if name.endswith((".gguf", ".bin"))]


def test_it_says_what_it_is(wheel: Path) -> None:
    archive = ZipFile(wheel)
    (found,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    about = message_from_bytes(archive.read(found))
    assert (about["Name"], about["Version"]) == ("inkling-ls", __version__)
    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"] == ">=3.11"
    assert set(about.get_all("Provides-Extra", [])) == {"llama", "langs", "test", "bench", "lint"}
    # The engine is never a plain dependency: it has no wheel on the index.
    engine = [each for each in about.get_all("Requires-Dist", []) if "llama" in each]
    assert all("extra ==" in each for each in engine)


def test_the_command_starts_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    environment = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")}
    for command in ([scripts / "inkling"], [python, "-m", "inkling"]):
        done = subprocess.run(
            [*command, "--version"], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == f"inkling, version {__version__}"
