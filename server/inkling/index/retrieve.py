"""Which pieces of other files somebody who writes at a place would want to see, ranked.

A quarter of the budget goes to definitions of names that are used at the place and defined
elsewhere, then comes the head (imports) of the file that shares most with it, then pieces that
share rare names. Invariants: nothing of the document itself, no place twice, at most the
budget in all, every text redacted. What was read from a file that has changed since it was
indexed is left out.

Pure but for `read`. Takes a few milliseconds, and gives what it has when its time is up.
"""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass

from inkling.index.declared import declared
from inkling.index.excerpt import Sources, head_of
from inkling.index.paths import is_test, nearness
from inkling.index.query import Query as Query
from inkling.index.query import wanted
from inkling.index.search import Hit, Piece, Search
from inkling.index.snippet import Snippet as Snippet
from inkling.index.view import View
from inkling.text.secrets import redact

Read = Callable[[str], bytes | None]

_CANDIDATES = 40
"""Files by shared names alone, before paths have their say."""
_FILES = 14
_A_FILE = 3
"""Pieces of one file."""
_PIECES = 40
"""Pieces that are looked at closely."""
_LEAST = 100
"""Bytes; with less budget left nothing of use fits."""
_DEFINITIONS_SHARE = 0.25
_HEADS = 1
_HEAD_BYTES = 700
_NEAR = 0.6
"""What lying in the same folder adds to a file's score, as a share of it."""
_OTHER_LANGUAGE = 0.4
_OTHER_SIDE = 0.85
"""Tests for source, source for tests: where all else ties, like comes first."""
_SEEN = 0.35
"""What is left of a name's worth once a chosen piece has shown it."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Snippets, best first."""

    snippets: tuple[Snippet, ...]
    complete: bool
    """False where time was up before all was looked at."""


def retrieve(view: View, read: Read, query: Query, deadline_s: float = 0.05) -> Retrieved:
    """What to show for `query`; `deadline_s` counts from now.

    `read` gives a file's present content, open documents first, None where it is gone.
    """
    chosen = _Chosen(query, Sources(view, read), time.perf_counter() + deadline_s)
    _recent(chosen)
    search = Search(view, wanted(query))
    ranked = _ranked(search, query)
    if not chosen.late():
        _definitions(view, chosen, search, ranked)
    if not chosen.late():
        _heads(chosen, ranked)
    if not chosen.late():
        _pieces(chosen, search, ranked)
    snippets = sorted(chosen.snippets, key=lambda snippet: -snippet.score)
    return Retrieved(tuple(snippets), complete=not chosen.cut_short)


class _Chosen:
    """What has been chosen so far, and what budget is left. Owner: one call of `retrieve`."""

    def __init__(self, query: Query, sources: Sources, until: float) -> None:
        self.query = query
        self.sources = sources
        self.snippets: list[Snippet] = []
        self.left = query.budget_bytes
        self.cut_short = False
        self._until = until

    def late(self) -> bool:
        """Whether time is up."""
        if time.perf_counter() >= self._until:
            self.cut_short = True
        return self.cut_short

    def overlaps(self, path: str, start: int, end: int) -> bool:
        """Whether something of that place is chosen already."""
        return any(s.path == path and s.start < end and start < s.end for s in self.snippets)

    def take(self, path: str, start: int, end: int, reason: str, score: float) -> bool:
        """Choose a place, if it fits, is none of the document's and can be read as indexed."""
        if path == self.query.path or end - start > self.left or self.overlaps(path, start, end):
            return False
        data = self.sources.data(path)
        if data is None:
            return False
        text = redact(data[start:end].decode("utf-8", "replace"))
        if not text.strip():
            return False
        self.snippets.append(Snippet(path, start, end, text, reason, score))
        self.left -= end - start
        return True


def _recent(chosen: _Chosen) -> None:
    """What was edited lately comes as it was handed in: the index may not have it yet."""
    limit = chosen.query.budget_bytes // 6
    for number, (path, text) in enumerate(chosen.query.recent[:3]):
        written = text.encode("utf-8", "replace")
        size = len(written)
        if path != chosen.query.path and text.strip() and size <= min(limit, chosen.left):
            data = chosen.sources.data(path, as_indexed=False) or b""
            start = data.find(written)
            if start < 0 or chosen.overlaps(path, start, start + size):
                continue
            chosen.snippets.append(
                Snippet(path, start, start + size, redact(text), "edited lately", 90.0 - number)
            )
            chosen.left -= size


def _ranked(search: Search, query: Query) -> list[Hit]:
    """The files that share most with the place, near ones and ones of its kind before others."""
    test = is_test(query.path)
    scored = []
    for hit in search.files(_CANDIDATES, query.path):
        score = hit.score * (1.0 + _NEAR * nearness(hit.path, query.path))
        if query.language and hit.language != query.language:
            score *= _OTHER_LANGUAGE
        if is_test(hit.path) != test:
            score *= _OTHER_SIDE
        scored.append((score, hit.path, Hit(hit.path, hit.language, score, hit.shown, hit.number)))
    scored.sort(key=lambda item: (-item[0], item[1]))
    return [hit for _, _, hit in scored[:_FILES]]


def _definitions(view: View, chosen: _Chosen, search: Search, ranked: list[Hit]) -> None:
    """Definitions of names that are used here and not defined here."""
    left = int(chosen.query.budget_bytes * _DEFINITIONS_SHARE)
    for place in declared(view, chosen.query, search, {hit.path: hit.score for hit in ranked}):
        if chosen.late():
            return
        end = (
            chosen.sources.line_end(place.path, place.start, place.end) if place.cut else place.end
        )
        size = end - place.start
        if 0 < size <= left and chosen.take(
            place.path, place.start, end, f"defines {place.name}", 50.0 + place.score
        ):
            left -= size


def _heads(chosen: _Chosen, ranked: list[Hit]) -> None:
    """What the best file imports: what this one may need, too."""
    for hit in ranked[:_HEADS]:
        head = head_of(chosen.sources, hit.path, min(_HEAD_BYTES, chosen.left))
        if head is not None:
            chosen.take(hit.path, *head, "head of a related file", 30.0 + hit.score / 1000)


def _pieces(chosen: _Chosen, search: Search, ranked: list[Hit]) -> None:
    """Pieces with rare names of the place; what one has shown counts less for the next."""
    best = ranked[0].score if ranked else 1.0
    candidates: list[tuple[float, float, Piece]] = []
    for hit in ranked:
        if chosen.late():
            break
        weight = 0.5 + 0.5 * hit.score / best
        for piece in search.pieces(hit):
            # Per byte, but not quite: a long piece tells more of what it tells.
            factor = weight / float(300 + piece.end - piece.start) ** 0.5
            candidates.append((-factor * piece.worth, factor, piece))
    # Values only fall, so an entry that comes first again after it was weighed anew is the best.
    pool = [
        (value, number, factor, piece, search.shared(piece))
        for number, (value, factor, piece) in enumerate(
            heapq.nsmallest(_PIECES, candidates, key=lambda item: item[0])
        )
    ]
    worth: list[float] = search.worth.tolist()
    taken: dict[str, int] = {}
    while pool and chosen.left > _LEAST and not chosen.late():
        _, number, factor, piece, shared = heapq.heappop(pool)
        path = piece.hit.path
        if taken.get(path, 0) >= _A_FILE:
            continue
        value = -factor * sum([worth[position] for position in shared])
        if pool and value > pool[0][0]:
            heapq.heappush(pool, (value, number, factor, piece, shared))
            continue
        if chosen.take(path, piece.start, piece.end, "similar code", min(29.0, -value)):
            taken[path] = taken.get(path, 0) + 1
            for position in shared:
                worth[position] *= _SEEN
