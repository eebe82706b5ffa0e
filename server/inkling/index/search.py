"""Finds files and pieces of files that share rare names with a place. Pure but for the map.

A name weighs what it weighs for the place (`query.wanted`) times how rare it is; names of more
than a seventh of all files weigh nothing. Files come first, by the sum over their names, pieces
within the best files then.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.index.view import Place, Shown, View, place_in

COMMON = 0.15
"""Share of all files from which on a name tells nothing."""
_FEW = 30
"""Files that may have a name in any case, where the workspace is small."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A file and how much it shares with the place."""

    path: str
    language: str
    score: float
    shown: Shown | None
    """The segment it is in; None for a file in memory."""
    number: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file; `number` tells which of the segment's, or of the record's."""

    hit: Hit
    number: int
    start: int
    end: int
    worth: float
    """Sum over the names that it shares with the place."""


class Search:
    """The names of one query, looked up. A value of one request."""

    def __init__(self, view: View, weights: Mapping[str, float]) -> None:
        self._view = view
        self.names = list(weights)
        self._shown = [(shown, shown.segment.find(self.names)) for shown in view.shown]
        counts = np.array([len(view.overlay.files_with(name)) for name in self.names], np.int64)
        for shown, numbers in self._shown:
            counts += shown.segment.frequencies(numbers)
        self.total = max(1, sum(len(shown.segment) for shown in view.shown) + len(view.overlay))
        self.counts = counts
        rare = (counts > 0) & (counts <= max(_FEW, COMMON * self.total))
        worth = np.fromiter(weights.values(), np.float32, len(self.names))
        idf = np.log1p(self.total / np.maximum(counts, 1))
        # Position 0 stands for every name that nobody asked for.
        self.worth = np.concatenate(([0.0], np.where(rare, worth * idf, 0.0))).astype(np.float32)
        self._position = {name: index + 1 for index, name in enumerate(self.names)}
        self._found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] | None = None
        self._positions: dict[int, tuple[NDArray[np.int16], NDArray[np.float32]]] = {}

    def files(self, count: int, without: str) -> list[Hit]:
        """The best `count` files, best first; never the one at `without`."""
        found: list[Hit] = []
        for shown, numbers in self._shown:
            segment = shown.segment
            postings, worths = [], []
            for number, worth in zip(numbers.tolist(), self.worth[1:].tolist(), strict=True):
                if number >= 0 and worth > 0.0:
                    files = segment.files_with(number)
                    postings.append(files)
                    worths.append((worth, len(files)))
            if not postings:
                continue
            shares = np.bincount(
                np.concatenate(postings),
                np.repeat([worth for worth, _ in worths], [n for _, n in worths]),
                len(segment),
            )
            scores = shares * shown.alive / np.log2(64.0 + segment.name_counts)
            own = segment.number(without)
            if own is not None:
                scores[own] = 0.0
            best = np.argpartition(-scores, min(count, len(scores) - 1))[:count]
            found.extend(
                Hit(segment.path(file), segment.language(file), float(scores[file]), shown, file)
                for file in best.tolist()
                if scores[file] > 0.0
            )
        found.extend(self._in_memory(without))
        found.sort(key=lambda hit: -hit.score)
        return found[:count]

    def _in_memory(self, without: str) -> list[Hit]:
        scores: dict[str, float] = {}
        for name, worth in zip(self.names, self.worth[1:].tolist(), strict=True):
            if worth > 0.0:
                for path in self._view.overlay.files_with(name):
                    scores[path] = scores.get(path, 0.0) + worth
        scores.pop(without, None)
        held = self._view.overlay.held
        return [
            Hit(
                path,
                held[path].record.language,
                score / math.log2(64.0 + len(held[path].record.names) + 1),
                None,
                0,
            )
            for path, score in scores.items()
        ]

    def pieces(self, hit: Hit) -> list[Piece]:
        """A file's pieces that share anything, in its order."""
        if hit.shown is None:
            chunks = self._view.overlay.held[hit.path].record.chunks
            return [
                Piece(hit, number, chunk.start, chunk.end, worth)
                for number, chunk in enumerate(chunks)
                if (worth := float(self.worth[self._in_record(hit.path, number)].sum())) > 0.0
            ]
        segment = hit.shown.segment
        first = int(segment.chunks_at[hit.number])
        sums = segment.weigh_chunks(hit.number, self._of(hit.shown)[1])
        some = np.flatnonzero(sums > 0)
        return [
            Piece(hit, number, start, end, worth)
            for number, start, end, worth in zip(
                (some + first).tolist(),
                segment.chunk_start[some + first].tolist(),
                segment.chunk_end[some + first].tolist(),
                sums[some].tolist(),
                strict=True,
            )
        ]

    def shared(self, piece: Piece) -> list[int]:
        """Positions in `worth` of the names that a piece shares with the place."""
        if piece.hit.shown is None:
            own = np.array(self._in_record(piece.hit.path, piece.number), np.int64)
        else:
            names = piece.hit.shown.segment.chunk_names(piece.number)
            own = self._of(piece.hit.shown)[0][names].astype(np.int64)
        found: list[int] = own[self.worth[own] > 0].tolist()
        return found

    def _in_record(self, path: str, chunk: int) -> list[int]:
        record = self._view.overlay.held[path].record
        return [self._position.get(record.names[n], 0) for n in record.chunks[chunk].names]

    def definers(self) -> NDArray[np.int64]:
        """How many definitions there are of each of `names`."""
        memory = (sum(1 for _ in self._view.overlay.defined(name)) for name in self.names)
        counts = np.fromiter(memory, np.int64, len(self.names))
        for (_, numbers), (first, last) in zip(self._shown, self._spans(), strict=True):
            counts += np.where(numbers >= 0, last - first, 0)
        return counts

    def places(self, index: int) -> Iterator[Place]:
        """What is defined under the name at `index` of `names`, without its container."""
        yield from self._view.overlay_places(self.names[index])
        for (shown, numbers), (first, last) in zip(self._shown, self._spans(), strict=True):
            if numbers[index] >= 0:
                for file, number in shown.segment.defined_in(int(first[index]), int(last[index])):
                    if shown.alive[file]:
                        yield place_in(shown.segment, file, number, container=False)

    def _spans(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        if self._found is None:
            self._found = [shown.segment.spans(numbers) for shown, numbers in self._shown]
        return self._found

    def _of(self, shown: Shown) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """By number of a name in the segment: its position in `worth`, and its worth."""
        known = self._positions.get(id(shown))
        if known is None:
            numbers = next(numbers for other, numbers in self._shown if other is shown)
            positions = np.zeros(shown.segment.name_count, np.int16)
            there = numbers >= 0
            positions[numbers[there]] = np.flatnonzero(there) + 1
            weights = np.zeros(shown.segment.name_count, np.float32)
            weights[numbers[there]] = self.worth[1:][there]
            known = self._positions[id(shown)] = (positions, weights)
        return known
