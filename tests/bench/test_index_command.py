"""`inkling bench index` on a small folder: the real process, watched copies and all."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILES = 40


def bench(*arguments: str, cache: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "inkling", "bench", "index", *arguments]
    environment = os.environ | {"INKLING_CACHE_DIR": str(cache)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment
    )


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    for number in range(FILES):
        lines = [
            f"def weigh_{number}_{line}(basket, scale):\n    return scale.weigh(basket, {line})\n\n"
            for line in range(12)
        ]
        (root / f"part_{number}.py").write_text("".join(lines))
    (root / ".env").write_text("PASSWORD=correct-horse\n")
    return root


@pytest.fixture(scope="module")
def report(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    cache = tmp_path_factory.mktemp("cache")
    before = contents(shop)
    saved = cache / "out" / "index.json"
    done = bench(
        str(shop), "--json", "--places=20", "--changes=6", "--checkout=80", f"--save={saved}",
        cache=cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert contents(shop) == before
    assert not (cache / "index").exists()
    assert json.loads(saved.read_text()) == json.loads(done.stdout)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_was_measured_is_named(report: dict[str, Any], shop: Path) -> None:
    assert report["tree"]["name"] == shop.name
    assert (report["tree"]["files"], report["tree"]["parsed"]) == (FILES, FILES)
    assert report["machine"]["cores"] >= 1 and report["problems"] == []


def test_every_figure_is_there_that_a_small_folder_has(report: dict[str, Any]) -> None:
    from inkling.cli.bench.index_targets import TARGETS

    values = {row["key"]: row["value"] for row in report["figures"]}
    missing = {target.key for target in TARGETS} - values.keys()
    assert {key for key in missing if "memory" not in key} == {
        "cold_lexical_s",
        "cold_lexical_rate",
    }
    assert (values["checkout_files"], values["checkout_lost"]) == (80, 0)
    assert 0 <= values["recall"] <= 100
    assert values["cold_full_s"] > 0 and values["restart_context_s"] > 0


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = bench(str(tmp_path / "empty"), cache=tmp_path / "cache")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "no file to index" in done.stderr
