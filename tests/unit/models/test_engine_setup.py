"""Setting up the engine: what it asks first, what it runs, what it makes of the outcome.

pip is replaced by a small program of the test's; nothing is compiled and nothing is fetched.
"""

import shlex
import socket
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inkling.models import compiler, engine_setup
from inkling.models.compiler import missing_compiler
from inkling.models.engine_probe import EngineStatus, missing_features, pinned_version
from inkling.models.engine_setup import cmake_arguments, ensure_engine
from inkling.models.errors import SetupError

READY = EngineStatus("ready", "1.2.3", "1.2.3", "It loads.")
MISSING = EngineStatus("missing", "1.2.3", None, "It is not installed.")
FOREIGN = EngineStatus("foreign", "1.2.3", "1.2.3", "It was built for another processor.")
BROKEN = EngineStatus("broken", "1.2.3", "1.2.3", "It does not load: no libgomp.")

Arrange = Callable[..., Path]


@pytest.fixture
def arrange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrange]:
    """`arrange(statuses, program)`: what the probe finds in turn, and what pip is. Returns the
    file in which the "pip" notes each of its command lines."""
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    monkeypatch.setattr(engine_setup, "missing_compiler", lambda: None)
    monkeypatch.setattr(engine_setup, "_require_own_environment", lambda: None)

    def make(statuses: list[EngineStatus], program: str = "") -> Path:
        called = tmp_path / "called"
        script = tmp_path / "pip.py"
        script.write_text(
            "import os, sys\n"
            f"with open({str(called)!r}, 'a') as called:\n"
            "    print(*sys.argv[1:], 'CMAKE_ARGS=' + os.environ['CMAKE_ARGS'], file=called)\n"
            "if sys.argv[1] == 'uninstall': sys.exit()\n" + program
        )
        found = iter(statuses)
        monkeypatch.setattr(engine_setup, "engine_status", lambda: next(found))
        monkeypatch.setattr(engine_setup.packager, "pip", lambda: [sys.executable, str(script)])
        return called

    yield make


def test_an_engine_that_works_is_left_alone(arrange: Arrange) -> None:
    called = arrange([READY])
    records = list(ensure_engine())
    assert [record.step for record in records] == ["checking", "done"]
    assert not called.exists()


def test_without_a_compiler_it_fails_at_once_with_the_remedy(
    arrange: Arrange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called = arrange([MISSING])
    monkeypatch.setattr(engine_setup, "missing_compiler", missing_compiler)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SetupError, match="no C\\+\\+ compiler") as caught:
        list(ensure_engine())
    assert "inkling setup --prebuilt" in str(caught.value)
    assert not called.exists()


def test_the_prebuilt_engine_needs_no_compiler(
    arrange: Arrange, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = arrange([MISSING, READY])
    monkeypatch.setattr(engine_setup, "missing_compiler", lambda: "install one")
    assert list(ensure_engine("prebuilt"))[-1].step == "done"
    line = called.read_text()
    assert "--only-binary" in line and engine_setup.PREBUILT_INDEX in line
    assert "llama-cpp-python==1.2.3" in line


def test_what_will_happen_is_said_before_it_does(arrange: Arrange) -> None:
    arrange([MISSING, READY])
    told = [record for record in ensure_engine() if record.note]
    assert "minutes" in told[0].note and told[0].step == "fetching"
    assert told[-1].step == "done" and "It took" in told[-1].note


def test_the_compiler_s_steps_are_followed(arrange: Arrange, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = (
        "import pathlib, time\n"
        "print('  [1/3] Building CXX object', flush=True)\n"
        f"while not pathlib.Path({str(seen)!r}).exists(): time.sleep(0.01)\n"
        "print('  [3/3] Linking')\n"
    )
    arrange([MISSING, READY], program)
    for record in ensure_engine():
        if record.step == "building":
            assert (record.done, record.total) == (1, 3)
            seen.touch()
    assert seen.exists() and record.step == "done"


def test_a_cached_wheel_for_another_processor_is_built_anew(arrange: Arrange) -> None:
    called = arrange([MISSING, FOREIGN, READY])
    records = list(ensure_engine())
    first, second, third = called.read_text().splitlines()
    assert first.startswith("install") and "--no-cache-dir" not in first
    assert second.startswith("uninstall --yes llama-cpp-python")
    assert third.startswith("install") and "--no-cache-dir" in third
    assert records[-1].step == "done"
    assert any("another processor" in record.note for record in records)


@pytest.mark.parametrize("found", [FOREIGN, BROKEN])
def test_one_that_does_not_work_is_never_taken_from_the_cache(
    arrange: Arrange, found: EngineStatus
) -> None:
    called = arrange([found, READY])
    list(ensure_engine())
    removal, line = called.read_text().splitlines()
    assert removal.startswith("uninstall") and "--no-cache-dir" in line


def test_another_version_is_simply_replaced(arrange: Arrange) -> None:
    called = arrange([EngineStatus("other-version", "1.2.3", "1.2.2", "It is 1.2.2."), READY])
    list(ensure_engine())
    (line,) = called.read_text().splitlines()
    assert "llama-cpp-python==1.2.3" in line and "--no-cache-dir" not in line


@pytest.mark.parametrize(
    ("features", "rebuilt"), [(("AVX2", "FMA"), False), (("AVX2", "AVX512"), True), ((), False)]
)
def test_portable_replaces_one_for_this_processor_only(
    arrange: Arrange, features: tuple[str, ...], rebuilt: bool
) -> None:
    called = arrange([replace(READY, features=features), READY])
    assert list(ensure_engine("portable"))[-1].step == "done"
    assert called.exists() == rebuilt


def test_a_new_environment_gets_what_the_engine_needs_too(arrange: Arrange) -> None:
    called = arrange([MISSING, READY])
    list(ensure_engine("portable"))
    (line,) = called.read_text().splitlines()
    assert "--no-cache-dir" in line and "--no-deps" not in line


def test_a_user_s_own_flags_are_kept_and_not_answered_from_the_cache(
    arrange: Arrange, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = arrange([MISSING, READY])
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=ON")
    list(ensure_engine())
    line = called.read_text().strip()
    assert line.endswith("-DGGML_CUDA=ON") and "--no-cache-dir" in line


def test_a_failed_build_shows_the_lines_that_tell_and_keeps_the_log(arrange: Arrange) -> None:
    program = (
        "print('lots of output\\n' * 500)\n"
        "print('  foo.cpp:3:1: fatal error: omp.h: No such file or directory')\n"
        "print('  [13/83] c++ -Werror=format errors.cpp')\n"
        "print('error: subprocess-exited-with-error')\n"
        "sys.exit(1)\n"
    )
    arrange([MISSING], program)
    with pytest.raises(SetupError, match=r"fatal error: omp\.h") as caught:
        list(ensure_engine())
    assert "lots of output" not in str(caught.value) and "13/83" not in str(caught.value)
    assert caught.value.log is not None and "lots of output" in caught.value.log.read_text()


def test_a_prebuilt_engine_that_is_not_there_points_to_the_compiler(arrange: Arrange) -> None:
    program = (
        "print('WARNING: Retrying after connection broken')\n"
        "print('ERROR: No matching distribution found for llama-cpp-python')\n"
        "sys.exit(1)\n"
    )
    arrange([MISSING], program)
    with pytest.raises(SetupError, match="No matching distribution") as caught:
        list(ensure_engine("prebuilt"))
    assert "`inkling setup` compiles one" in str(caught.value)
    assert "Retrying" not in str(caught.value)


def test_an_engine_that_does_not_load_afterwards_is_told(arrange: Arrange) -> None:
    arrange([MISSING, BROKEN])
    with pytest.raises(SetupError, match="no libgomp"):
        list(ensure_engine())


def test_closing_early_ends_the_build_with_all_it_started(arrange: Arrange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        compiler = (
            "import socket, time; "
            f"held = socket.create_connection({listener.getsockname()!r}); time.sleep(600)"
        )
        program = (
            "import subprocess\n"
            "print('  [1/9] Building', flush=True)\n"
            f"subprocess.run([sys.executable, '-c', {compiler!r}])\n"
        )
        arrange([MISSING], program)
        records = ensure_engine()
        assert any(record.step == "building" for record in records)
        connection, _ = listener.accept()
        records.close()
        with connection:
            connection.settimeout(30)
            assert connection.recv(1) == b"", "the compiler runs on"


def test_the_system_s_python_is_not_touched(
    arrange: Arrange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called = arrange([MISSING])
    monkeypatch.undo()
    (tmp_path / "EXTERNALLY-MANAGED").write_text("")
    monkeypatch.setattr(engine_setup, "engine_status", lambda: MISSING)
    monkeypatch.setattr(engine_setup, "missing_compiler", lambda: None)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(SetupError, match="python3 -m venv"):
        list(ensure_engine())
    assert not called.exists()


# What is asked of CMake


def test_what_is_left_out_survives_cmake_s_splitting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "with a space"
    monkeypatch.setattr(engine_setup.resources, "files", lambda _: package)
    first, second = shlex.split(cmake_arguments("native"))
    assert first == "-DLLAVA_BUILD=OFF"
    assert second == f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={(package / 'lean.cmake').as_posix()}"


def test_the_shipped_file_turns_the_common_library_off() -> None:
    _, include = shlex.split(cmake_arguments("native"))
    assert "set(LLAMA_BUILD_COMMON OFF)" in Path(include.split("=", 1)[1]).read_text()


def test_portable_is_not_for_this_processor_alone() -> None:
    arguments = shlex.split(cmake_arguments("portable", "-DGGML_AVX2=OFF"))
    assert "-DGGML_NATIVE=OFF" in arguments and "-DGGML_FMA=ON" in arguments
    assert arguments[-1] == "-DGGML_AVX2=OFF", "the user's own come last and win"
    assert not any("NATIVE" in argument for argument in shlex.split(cmake_arguments("native")))


# What is there


def test_the_pin_is_the_one_of_the_metadata() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"llama-cpp-python=={pinned_version()}"' in project


@pytest.mark.parametrize(
    ("info", "flags", "missing"),
    [
        ("CPU : SSE3 = 1 | AVX2 = 1 | REPACK = 1 | ", {"pni", "avx2"}, []),
        ("CPU : AVX2 = 1 | AVX512 = 1 | ", {"avx2"}, ["AVX512"]),
        ("CPU : AVX2 = 1 | AVX512 = 0 | ", {"avx2"}, []),
        ("CPU : AVX512 = 1 | ", set(), []),
    ],
)
def test_a_library_built_for_more_than_this_processor_has(
    info: str, flags: set[str], missing: list[str]
) -> None:
    assert missing_features(info, frozenset(flags)) == missing


@pytest.mark.parametrize(
    ("release", "remedy"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "apt-get install build-essential"),
        ("ID=linuxmint\nID_LIKE=ubuntu\n", "apt-get install build-essential"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf install gcc-c++"),
        ("ID=arch\n", "pacman -S base-devel"),
        ("ID=somethingelse\n", "package manager"),
    ],
)
def test_the_remedy_is_this_system_s(tmp_path: Path, release: str, remedy: str) -> None:
    (tmp_path / "os-release").write_text(release)
    assert remedy in compiler._linux_remedy(tmp_path / "os-release")


def test_the_remedy_of_other_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_compiler("darwin") == "xcode-select --install"
    assert "BuildTools" in (missing_compiler("win32") or "")
