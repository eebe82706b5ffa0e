"""Where a name is defined and where it occurs, told by the name alone. Pure but for `read`.

Definitions come from records, files with a name from postings; occurrences are then looked for in
what the files hold now, so places are true even where the index is a moment behind.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inkling.index.paths import nearness
from inkling.index.view import Place, View

Read = Callable[[str], bytes | None]

_WORD = re.compile(r"[^\W\d]\w+")  # as `chunks` finds them


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in a file: bytes from `start` to `end`."""

    path: str
    start: int
    end: int


def definitions_of(view: View, name: str, near: str = "", limit: int = 100) -> list[Place]:
    """What is defined under a name; what lies nearest to the file `near` first.

    Definitions in the file itself come before all others.
    """
    places = list(view.defined(name, max(limit, 1000)))
    places.sort(
        key=lambda place: (
            place.path != near,
            -nearness(place.path, near),
            place.path,
            place.definition.start,
        )
    )
    return places[:limit]


def occurrences(name: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Byte ranges where `name` stands as a whole word in UTF-8 text."""
    wanted = name.encode("utf-8", "surrogatepass")
    if not wanted:
        return
    for match in re.finditer(re.escape(wanted), data):
        if not (_letter_before(data, match.start()) or _letter_at(data, match.end())):
            yield match.start(), match.end()


def _letter_before(data: bytes, at: int) -> bool:
    start = at - 1
    while start > 0 and at - start < 4 and data[start] & 0xC0 == 0x80:
        start -= 1
    return start >= 0 and _is_letter(data[start:at])


def _letter_at(data: bytes, at: int) -> bool:
    end = at + 1
    while end < len(data) and end - at < 4 and data[end] & 0xC0 == 0x80:
        end += 1
    return _is_letter(data[at:end])


def _is_letter(character: bytes) -> bool:
    text = character.decode("utf-8", "replace")
    return text.isalnum() or text == "_"


def _known_as(name: str) -> str:
    """What the index knows a name by: it reads words, and some names hold more than letters.

    Of `$scope` that is `scope`, of `empty?` it is `empty`.
    """
    return max(_WORD.findall(name), key=len, default=name)


def references(
    view: View,
    read: Read,
    name: str,
    near: str = "",
    limit: int = 1000,
    late: Callable[[], bool] = lambda: False,
) -> Iterator[Occurrence]:
    """Where a name occurs, in the file `near` first, then in near ones; definitions included.

    Lazy: a file is read when the one before it is done with. Ends after `limit` places, or as
    soon as `late()`.
    """
    paths = sorted(
        set(view.files_with(_known_as(name))) | ({near} if near else set()),
        key=lambda path: (path != near, -nearness(path, near), path),
    )
    left = limit
    for path in paths:
        if late():
            return
        data = read(path)
        for start, end in occurrences(name, data) if data is not None else ():
            if left <= 0:
                return
            left -= 1
            yield Occurrence(path, start, end)
