"""Fetching pinned packages: checked, read in place, and nothing of them is run."""

import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest

from inkling.cli.bench import corpus
from inkling.cli.bench.corpus import CorpusMissing, Package, fetch, own_files, packaged_files

NAME = "inkling-bench-sample"
SOURCE = "def function_number_{0}(value):\n    return value + {0}\n"
MODULE = "".join(SOURCE.format(number) for number in range(100))
SETUP = (
    "from pathlib import Path\nPath({marker!r}).touch()\nfrom setuptools import setup\nsetup()\n"
)


def sdist(folder: Path, marker: Path) -> Package:
    """An sdist whose setup.py leaves a mark where it is run."""
    stem = "inkling_bench_sample-1.0"
    metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n"
    build = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    members = {
        "PKG-INFO": metadata,
        "pyproject.toml": build,
        "setup.py": SETUP.format(marker=str(marker)),
        "src/module.py": MODULE,
        "src/windows.py": MODULE.replace("\n", "\r\n"),
        "src/small.py": "x = 1\n",
    }
    path = folder / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            entry = tarfile.TarInfo(f"{stem}/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Package("sdist", NAME, "1.0", path.name, digest, "MIT", re.escape(stem) + r"/src/.*\.py")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees only this folder; the corpus is kept in a cache of its own."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if Path("/dev/null").exists() else "nul")
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))
    return shelf


def test_an_sdist_is_fetched_without_being_run(
    local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "was-run"
    package = sdist(local, marker)
    monkeypatch.setattr(corpus, "PACKAGES", (package,))
    assert corpus.missing() == (package,)
    assert fetch(package).is_file()
    assert corpus.missing() == ()
    assert not marker.exists()
    (file,) = packaged_files()
    assert file.name.startswith(f"{NAME}-1.0/")
    assert (file.language_id, file.text) == ("python", MODULE)


def test_another_file_than_the_pinned_one_is_refused(local: Path, tmp_path: Path) -> None:
    package = sdist(local, tmp_path / "was-run")
    wrong = Package("sdist", NAME, "1.0", package.file, "0" * 64, "MIT", ".*")
    with pytest.raises(CorpusMissing, match="sha256"):
        fetch(wrong)
    assert not (corpus.corpus_dir() / package.file).exists()


def test_a_package_that_cannot_be_had_is_one_sentence(local: Path) -> None:
    package = Package("wheel", "inkling-no-such-thing", "1.0", "x.whl", "0" * 64, "MIT", ".*")
    with pytest.raises(CorpusMissing, match="was not fetched"):
        fetch(package)


def test_no_archives_say_what_to_run(local: Path) -> None:
    with pytest.raises(CorpusMissing, match="inkling bench corpus"):
        packaged_files()


def test_own_files(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.ts", "node_modules/d.js", ".hidden/e.py", "f.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MODULE, encoding="utf-8", newline="")
    assert [(file.name, file.language_id) for file in own_files(tmp_path)] == [
        ("a.py", "python"),
        ("b/c.ts", "typescript"),
    ]


@pytest.mark.parametrize("package", corpus.PACKAGES, ids=lambda package: package.name)
def test_pins_are_whole(package: Package) -> None:
    assert re.fullmatch("[0-9a-f]{64}", package.sha256)
    assert package.version in package.file
    assert package.licence in ("MIT", "Apache-2.0", "PSF-2.0")
    re.compile(package.wanted)
