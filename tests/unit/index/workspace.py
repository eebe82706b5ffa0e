"""A workspace of a few files for tests: records, segments and a view of them."""

from collections.abc import Mapping
from pathlib import Path

from inkling.index.chunks import survey
from inkling.index.lexical import lexical_definitions
from inkling.index.record import FileRecord
from inkling.index.segment import Segment, build
from inkling.index.store import content_hash
from inkling.index.view import View
from inkling.syntax.languages import language_of


def record_of(path: str, data: bytes) -> FileRecord:
    known = language_of("", path)
    language = known.name if known else ""
    definitions = lexical_definitions(data, language)
    names, chunks = survey(data, definitions)
    imports = []
    at = 0
    for line in data.splitlines(keepends=True):
        if line.startswith((b"import ", b"from ")):
            imports.append((at, at + len(line.rstrip())))
        at += len(line)
    return FileRecord(language, "lexical", len(data), names, definitions, tuple(imports), chunks)


def row(path: str, text: str) -> tuple[str, bytes, FileRecord]:
    data = text.encode()
    return path, content_hash(data), record_of(path, data)


def segment_of(file: Path, files: Mapping[str, str]) -> Segment:
    build(file, (row(path, text) for path, text in files.items()))
    return Segment.open(file)


def put(view: View, path: str, text: str) -> None:
    view.put(*row(path, text))


def in_segments(folder: Path, *parts: Mapping[str, str]) -> View:
    return View(segment_of(folder / f"{number}.seg", part) for number, part in enumerate(parts))


def in_memory(files: Mapping[str, str]) -> View:
    view = View()
    for path, text in files.items():
        put(view, path, text)
    return view
