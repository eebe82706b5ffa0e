"""Source files newer than the models, to be typed and completed. Never imported, never run.

The catalogue's models learnt from code up to early 2024; every package here was first released
in 2025 or later, under a permissive licence, and is pinned by version and sha256. Archives are
fetched with the ordinary clients (pip, npm), checked, and read in place. A directory of the
user's own can stand in for them (no network then).
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkling.dirs import cache_dir
from inkling.models.packager import pip

SMALLEST, LARGEST = 3_000, 40_000
"""Bytes of a file that is worth typing in."""
LANGUAGES = {
    ".py": "python",
    ".ts": "typescript",
    ".js": "javascript",
    ".rs": "rust",
    ".go": "go",
    ".c": "c",
    ".java": "java",
}
VENDORED = ("node_modules", "venv", "dist", "build", "target")
MIX = ("python", "typescript", "python", "rust", "python", "c", "python", "typescript")
"""The languages of consecutive files; those the corpus lacks are passed over."""


class CorpusMissing(Exception):
    """The corpus cannot be had; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned archive; `wanted` matches the member paths that are used."""

    registry: str
    name: str
    version: str
    file: str
    sha256: str
    licence: str
    wanted: str


PACKAGES = (
    Package(
        "wheel",
        "openai-agents",
        "0.24.0",
        "openai_agents-0.24.0-py3-none-any.whl",
        "18d4ac34e84ed937333ec8ce46395ed3521ffcbb0a521780a4c2eaa451467f49",
        "MIT",
        r"agents/(?!.*(/types/|_generated|__init__)).*\.py",
    ),
    Package(
        "wheel",
        "a2a-sdk",
        "1.3.0",
        "a2a_sdk-1.3.0-py3-none-any.whl",
        "b94a73b5dc7ff1afe5f11d324480f83386a64d02b8a6b719baf013595284cc6c",
        "Apache-2.0",
        r"a2a/(client|server|utils)/(?!.*__init__).*\.py",
    ),
    Package(
        "wheel",
        "strands-agents",
        "1.62.0",
        "strands_agents-1.62.0-py3-none-any.whl",
        "331c94c61a5ddf2c4f06dfd877551bdd1d0bfee5ea89b76d6c546b65ea2104e1",
        "Apache-2.0",
        r"strands/(?!.*__init__).*\.py",
    ),
    Package(
        "npm",
        "@tanstack/db",
        "0.15.2",
        "tanstack-db-0.15.2.tgz",
        "18682e004ce628f78fd144409e8780c9cca774eaac141f953d1a146a573738b9",
        "MIT",
        r"package/src/(?!.*btree).*(?<!\.d)\.ts",
    ),
    Package(
        "npm",
        "@convex-dev/agent",
        "0.6.4",
        "convex-dev-agent-0.6.4.tgz",
        "ba6b4e3a83829e1081005e10817029954bf72911a6238d9228cb5d635648733c",
        "Apache-2.0",
        r"package/src/(?!.*(_generated|\.test\.)).*(?<!\.d)\.ts",
    ),
    Package(
        "sdist",
        "prek",
        "0.5.11",
        "prek-0.5.11.tar.gz",
        "99c8363ca07b881dc49cf71eb3c362670c95d0d554fc375ceee0245548081829",
        "MIT",
        r"prek-0\.5\.11/crates/[^/]+/src/.*\.rs",
    ),
    Package(
        "sdist",
        "backports-zstd",
        "1.8.0",
        "backports_zstd-1.8.0.tar.gz",
        "9dae4f4c481716e3db473d667457b4f508ff7459c0931b567a5c9677fb3db316",
        "PSF-2.0",
        r"backports_zstd-1\.8\.0/src/c/compression_zstd/[^/]*\.c",
    ),
)

_BACKEND = """\
import pathlib, re
def get_requires_for_build_wheel(config_settings=None):
    return []
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text(encoding="utf-8")
    name, version = (re.search("(?m)^%s: (.+)$" % key, text)[1] for key in ("Name", "Version"))
    folder = pathlib.Path(metadata_directory, name.replace("-", "_") + "-%s.dist-info" % version)
    folder.mkdir()
    (folder / "METADATA").write_text(text, encoding="utf-8")
    return folder.name
"""
"""Stands in for an sdist's build back-end. pip insists on asking one for the metadata before it
hands an sdist over; this one copies what is there, so nothing of the package runs."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the corpus; `name` says where it is from, with the package's version."""

    name: str
    language_id: str
    text: str


def corpus_dir() -> Path:
    """Where the archives are kept."""
    return cache_dir() / "bench" / "corpus"


def missing() -> tuple[Package, ...]:
    """The packages that still have to be fetched."""
    return tuple(package for package in PACKAGES if not (corpus_dir() / package.file).is_file())


def fetch(package: Package) -> Path:
    """Download one archive and check it. Blocking, seconds. Raises CorpusMissing."""
    target = corpus_dir() / package.file
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command, environment = _client(package, Path(folder))
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        got = Path(folder) / package.file
        if done.returncode or not got.is_file():
            said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise CorpusMissing(f"{package.name} {package.version} was not fetched: {said[-1]}")
        if hashlib.sha256(got.read_bytes()).hexdigest() != package.sha256:
            raise CorpusMissing(f"{package.file} is not the file that was pinned (sha256 differs)")
        got.replace(target)
    return target


def packaged_files() -> list[SourceFile]:
    """Every wanted file of the archives that are here, in a fixed order."""
    found = []
    for package in PACKAGES:
        path = corpus_dir() / package.file
        if path.is_file():
            wanted = re.compile(package.wanted)
            for member, data in _members(path):
                if wanted.fullmatch(member) and (file := _source(member, data)):
                    name = f"{package.name}-{package.version}/{member}"
                    found.append(SourceFile(name, file.language_id, file.text))
    if not found:
        raise CorpusMissing("there is no corpus here: run `inkling bench corpus` to fetch it")
    return sorted(found, key=lambda file: file.name)


def own_files(directory: Path) -> list[SourceFile]:
    """The source files below the user's own directory; hidden and vendored ones left out."""
    found = []
    for folder, names, files in os.walk(directory):
        names[:] = sorted(name for name in names if name[0] not in "._" and name not in VENDORED)
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in LANGUAGES and SMALLEST <= path.stat().st_size <= LARGEST:
                shown = path.relative_to(directory).as_posix()
                if file := _source(shown, path.read_bytes()):
                    found.append(file)
    if not found:
        raise CorpusMissing(f"no source file between 3 and 40 kB was found below {directory}")
    return found


def choose(files: Sequence[SourceFile], seed: int) -> Iterator[SourceFile]:
    """All files once, in seeded order, mixed by language as `MIX` says."""
    dice = random.Random(seed)
    by_language: dict[str, list[SourceFile]] = {}
    for file in sorted(files, key=lambda file: file.name):
        by_language.setdefault(file.language_id, []).append(file)
    for group in by_language.values():
        dice.shuffle(group)
    turn = 0
    while by_language:
        language = MIX[turn % len(MIX)]
        turn += 1
        if not any(name in by_language for name in MIX):
            language = next(iter(by_language))
        left = by_language.get(language)
        if left:
            yield left.pop()
            if not left:
                del by_language[language]


def _client(package: Package, folder: Path) -> tuple[list[str], dict[str, str]]:
    environment = dict(os.environ)
    wanted = f"{package.name}@{package.version}"
    if package.registry == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise CorpusMissing(f"{wanted} needs npm, which is not installed; it is left out")
        return [npm, "pack", "--silent", "--ignore-scripts", wanted], environment
    command = pip()
    if command is None:
        raise CorpusMissing("there is no pip to fetch the corpus with")
    # Without `-P`, which `pip()` may set for itself, so that the stand-in is found.
    command = [part for part in command if part != "-P"]
    kind = ["--only-binary=:all:"]
    if package.registry == "sdist":
        kind = ["--no-binary=:all:", "--no-build-isolation"]
        for module in ("maturin/__init__.py", "setuptools/build_meta.py", "setuptools/__init__.py"):
            path = folder / "stand-in" / module
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_BACKEND if "__init__" not in module or "maturin" in module else "")
        environment["PYTHONPATH"] = str(folder / "stand-in")
    wanted = f"{package.name}=={package.version}"
    return [*command, "download", "--no-deps", *kind, "--dest", str(folder), wanted], environment


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if SMALLEST <= entry.file_size <= LARGEST:
                    yield entry.filename, archive.read(entry)
    else:
        with tarfile.open(path) as bundle:
            for member in bundle:
                if member.isfile() and SMALLEST <= member.size <= LARGEST:
                    content = bundle.extractfile(member)
                    yield member.name, content.read() if content else b""


def _source(name: str, data: bytes) -> SourceFile | None:
    """The file if it is ordinary source text: UTF-8, \\n line ends, of a known language."""
    language = LANGUAGES.get(Path(name).suffix)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if language is None or "\r" in text or "\0" in text:
        return None
    return SourceFile(name, language, text)
