"""A context as llama.cpp's unified cache behaves: cells with a token, a position and the sequences
they belong to. What is shared is the same cell: moving it in one sequence moves it in all."""

import random

import numpy as np

from inkling.engine.errors import NoRoom

END = 10**9


class ToyContext:
    """Stops by itself, as if told to, with probability `stops`; owner: the test."""

    def __init__(self, size: int, *, ubatch: int = 16, stops: float = 0.0, seed: int = 0) -> None:
        self.size = size
        self.can_fork = self.can_move = True
        self.batches = 0
        self.computed = 0
        self._cells: list[tuple[int, list[int], set[int]]] = []
        self._moved = False
        self._ubatch = ubatch
        self._stops = stops
        self._dice = random.Random(seed)

    def tokens(self, sequence: int) -> list[tuple[int, int]]:
        """(position, token) of a sequence's cells, in order."""
        return sorted((at[0], token) for token, at, of in self._cells if sequence in of)

    def owners(self, sequence: int) -> set[int]:
        """The sequences that have cells of this one."""
        return set().union(*(of for _, _, of in self._cells if sequence in of), set())

    def decode(
        self, tokens: list[int], position: int, *, sequence: int = 0, every_row: bool = False
    ) -> bool:
        return self.decode_rows(
            [(token, position + at, sequence) for at, token in enumerate(tokens)]
        )

    def decode_rows(self, rows: list[tuple[int, int, int]]) -> bool:
        self.batches += 1
        if len(self._cells) + len(rows) > self.size:
            raise NoRoom
        stoppable, self._moved = not self._moved, False
        for start in range(0, len(rows), self._ubatch):
            if stoppable and self._dice.random() < self._stops:
                return False
            for token, position, sequence in rows[start : start + self._ubatch]:
                assert position == self.length(sequence), "positions follow each other"
                self._cells.append((token, [position], {sequence}))
                self.computed += 1
        return True

    def logits(self, row: int = -1) -> np.ndarray:
        return np.array([self.batches], dtype=np.float32)

    def length(self, sequence: int = 0) -> int:
        return max((at[0] + 1 for _, at, of in self._cells if sequence in of), default=0)

    def truncate(self, length: int, sequence: int = 0) -> bool:
        self._remove(sequence, length, END)
        return True

    def fork(self, target: int, length: int) -> None:
        self.share(0, target, 0, length)

    def share(self, source: int, target: int, start: int, end: int) -> None:
        for _, at, of in self._cells:
            if source in of and start <= at[0] < end:
                of.add(target)

    def move(self, sequence: int, start: int, end: int, by: int) -> None:
        for _, at, of in self._cells:
            if by and sequence in of and start <= at[0] < end:
                at[0] += by
                self._moved = True

    def keep(self, sequence: int, start: int, end: int) -> None:
        self._remove(sequence, 0, start)
        self._remove(sequence, end, END)

    def drop(self, sequence: int) -> None:
        self._remove(sequence, 0, END)

    def clear(self) -> None:
        self._cells.clear()
        self._moved = False

    def _remove(self, sequence: int, start: int, end: int) -> None:
        for _, at, of in self._cells:
            if start <= at[0] < end:
                of.discard(sequence)
        self._cells = [cell for cell in self._cells if cell[2]]
