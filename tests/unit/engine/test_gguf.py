from pathlib import Path

import pytest

from inkling.engine.errors import ModelError
from inkling.engine.gguf import check_file, explain_load_failure


def test_a_gguf_passes(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0")

    check_file(path)


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04", b"\x7fELF"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelError, match="not a GGUF model file"):
        check_file(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file"):
        check_file(tmp_path / "absent.gguf")
    with pytest.raises(ModelError, match="folder"):
        check_file(tmp_path)


@pytest.mark.parametrize(
    ("log", "sign"),
    [
        ("error loading model architecture: unknown model architecture: 'nova'\n", "'nova'"),
        ("tensor 'x' data is not within the file bounds, model is corrupted\n", "damaged"),
        ("ggml_aligned_malloc: failed to allocate 9 MB\n", "memory"),
        ("something new\n", "something new"),
        ("", "could not load"),
    ],
)
def test_load_failures_are_one_clear_sentence(log: str, sign: str) -> None:
    sentence = explain_load_failure(Path("m.gguf"), log)

    assert sign in sentence and "\n" not in sentence
