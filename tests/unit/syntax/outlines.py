"""A way to write down outlines in tests: one line a definition, inner ones indented."""

from inkling.syntax.outline import Outline, outline

from .parses import parsed


def outline_of(name: str, data: bytes) -> Outline:
    found = outline(parsed(name, data))
    check(data, found)
    return found


def written(data: bytes, found: Outline) -> list[str]:
    """`kind name | head` of each definition, indented by its depth."""
    depths: list[int] = []
    lines = []
    for entry in found.definitions:
        depths.append(depths[entry.parent] + 1 if entry.parent >= 0 else 0)
        head = data[entry.start : entry.head_end].decode()
        lines.append(f"{'  ' * depths[-1]}{entry.kind} {entry.name} | {head}")
    return lines


def imported(data: bytes, found: Outline) -> list[str]:
    return [data[start:end].decode() for start, end in found.imports]


def check(data: bytes, found: Outline) -> None:
    """What holds of every outline of every text."""
    before = 0
    for number, entry in enumerate(found.definitions):
        name_end = entry.name_start + len(entry.name.encode())
        if "�" not in entry.name:
            assert data[entry.name_start : name_end] == entry.name.encode()
        assert 0 <= entry.start <= entry.name_start < entry.head_end <= entry.end <= len(data)
        assert before <= entry.start
        before = entry.start
        assert -1 <= entry.parent < number
        if entry.parent >= 0:
            around = found.definitions[entry.parent]
            assert around.start <= entry.start and entry.end <= around.end
    for start, end in found.imports:
        assert 0 <= start < end <= len(data)
    assert all(0 <= number < len(found.definitions) for number in found.damaged)
    assert found.errors or not found.damaged
