"""How a person types a real source file: a seeded list of steps with their delays. Pure.

Pieces of the file are cut out and typed back in: whole lines after Enter, the rest of a line,
the arguments of a call. Invariant: applying every step's edit to `initial` gives `final`, the
file as it was, byte for byte; the same source, seed and habits give the same trace.

Offsets count code points of the text as it is at that step.
"""

import math
import random
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "key",  # a character of the text
    "enter",  # a line break with the indentation the editor adds
    "indent",  # the indentation corrected to what the file has
    "overtype",  # a closer the editor had added itself, typed over
    "slip",  # a wrong character
    "backspace",  # a wrong character taken back
    "jump",  # the cursor moves elsewhere
    "look",  # the person looks at the ghost text and takes it if it is right
]
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}
SLACK = 30
"""Keys that a trace may be longer than was asked for, but for its first place."""
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {key: (row + row[-2])[at + 1] for row in ROWS for at, key in enumerate(row)}
"""The key that a finger hits by mistake."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody types. Times in milliseconds, shares 0..1."""

    key_ms: float = 170.0
    key_sigma: float = 0.45
    slip_share: float = 0.02
    pause_share: float = 0.04
    pause_ms: tuple[float, float] = (800.0, 3000.0)
    look_share: float = 0.12
    look_ms: tuple[float, float] = (300.0, 700.0)
    closes_pairs: float = 0.5
    """Share of the places in which the editor adds the closing bracket or quote by itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """`delay_ms` after the step before: replace [start, end) by `text`, cursor to `cursor`."""

    delay_ms: float
    kind: Kind
    start: int
    end: int
    text: str
    cursor: int
    goal: str
    """The cursor's line as the file has it, without its terminator."""
    clean: bool
    """Nothing wrong stands in the text: what is there agrees with the file."""


@dataclass(frozen=True, slots=True)
class Trace:
    name: str
    language_id: str
    initial: str
    final: str
    steps: tuple[Step, ...] = field(repr=False)

    @property
    def keys(self) -> int:
        """Steps that change the text."""
        return sum(step.start != step.end or bool(step.text) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Place:
    """Code points [start, end) of the file, to be cut out and typed again."""

    start: int
    end: int
    kind: Literal["lines", "rest", "arguments"]


def apply(text: str, step: Step) -> str:
    """The text after the step."""
    return text[: step.start] + step.text + text[step.end :]


def plan(name: str, language_id: str, source: str, seed: int, keys: int, habits: Habits) -> Trace:
    """Type about `keys` keys of `source`. Raises ValueError where the file has no fit place."""
    dice = random.Random(f"{seed}:{name}")
    chosen: list[Place] = []
    spent = 0
    for place in _places(source, dice):
        if chosen and spent + place.end - place.start > keys + SLACK:
            continue
        if all(place.end < other.start or other.end < place.start for other in chosen):
            chosen.append(place)
            spent += place.end - place.start
        if spent >= keys:
            break
    if not chosen:
        raise ValueError(f"{name} has no line fit to be typed")
    typist = _Typist(source, chosen, dice, habits)
    initial = typist.text
    for place in chosen:
        typist.type(place)
    return Trace(name, language_id, initial, typist.text, tuple(typist.steps))


def mates(line: str) -> dict[int, int]:
    """Index of each opening bracket or quote of a line → index of the one that closes it."""
    found: dict[int, int] = {}
    if '"""' in line or "'''" in line or "\\" in line:
        return found
    open_at: list[int] = []
    quote = -1
    for index, character in enumerate(line):
        if quote >= 0:
            if character == line[quote]:
                found[quote] = index
                quote = -1
        elif character in "\"'":
            quote = index
        elif character in "([{":
            open_at.append(index)
        elif character in ")]}":
            if open_at and PAIRS[line[open_at[-1]]] == character:
                found[open_at.pop()] = index
            else:
                open_at.clear()
    if quote >= 0:
        # An apostrophe or a string that goes on: the scan after it means nothing.
        return {at: mate for at, mate in found.items() if mate < quote}
    return found


def _places(source: str, dice: random.Random) -> list[Place]:
    """Places fit to be typed, in seeded order."""
    starts = [0]
    for line in source.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    lines = source.split("\n")
    fit = [
        8 <= len(line.strip()) <= 100
        and line == line.rstrip()
        and line.isascii()
        and line.replace("\t", " ").isprintable()
        for line in lines
    ]
    found: list[Place] = []
    for number in range(3, len(lines) - 1):
        line, start = lines[number], starts[number]
        roll = dice.random()
        if not fit[number]:
            continue
        indent = len(line) - len(line.lstrip())
        if roll < 0.55:
            last = number
            for following in range(number + 1, min(number + dice.randint(1, 5), len(lines) - 1)):
                if not fit[following]:
                    break
                last = following
            found.append(Place(start - 1, starts[last] + len(lines[last]), "lines"))
        elif roll < 0.8:
            middle = indent + max(3, (len(line) - indent) // 3)
            found.append(Place(start + middle, start + len(line), "rest"))
        else:
            calls = [
                (at, mate) for at, mate in mates(line).items() if line[at] == "(" and mate > at + 3
            ]
            if calls:
                at, mate = dice.choice(calls)
                found.append(Place(start + at + 1, start + mate, "arguments"))
    dice.shuffle(found)
    return found


class _Typist:
    """Owner of one growing trace: the text so far, the cursor and what is still cut out."""

    def __init__(
        self, source: str, places: list[Place], dice: random.Random, habits: Habits
    ) -> None:
        self._source = source
        self._dice = dice
        self._habits = habits
        self._missing = sorted(places, key=lambda place: place.start)
        self.steps: list[Step] = []
        pieces, at = [], 0
        for place in self._missing:
            pieces.append(source[at : place.start])
            at = place.end
        self.text = "".join([*pieces, source[at:]])
        self._cursor = 0
        self._goal = ""
        counts = [len(line) - len(line.lstrip(" ")) for line in source.split("\n")]
        shallow = [count for count in counts if count > 1]
        self._unit = "\t" if "\n\t" in source else " " * (min(shallow) if shallow else 4)

    def type(self, place: Place) -> None:
        """Go to the place and type what was cut out there."""
        start = place.start - sum(
            other.end - other.start for other in self._missing if other.end <= place.start
        )
        self._missing.remove(place)
        self._goal = self._line_at(place.start)
        self._step("jump", self._pause(), start, start, "", start)
        closes = self._dice.random() < self._habits.closes_pairs
        first, *rest = self._source[place.start : place.end].split("\n")
        if first:
            self._characters(first, closes)
        offset = place.start + len(first)
        for line in rest:
            self._goal = self._line_at(offset + 1)
            self._enter(line)
            self._characters(line.lstrip(" \t"), closes)
            offset += 1 + len(line)

    def _line_at(self, offset: int) -> str:
        start = self._source.rfind("\n", 0, offset) + 1
        end = self._source.find("\n", offset)
        return self._source[start : end if end >= 0 else len(self._source)]

    def _enter(self, line: str) -> None:
        start = self.text.rfind("\n", 0, self._cursor) + 1
        current = self.text[start : self._cursor]
        indent = current[: len(current) - len(current.lstrip(" \t"))]
        if current.rstrip().endswith((":", "{", "(", "[")):
            indent += self._unit
        delay = self._pause() if self._dice.random() < 0.25 else self._between()
        at = self._cursor
        self._step("enter", delay, at, at, "\n" + indent, at + 1 + len(indent))
        wanted = line[: len(line) - len(line.lstrip(" \t"))]
        if indent != wanted:
            at = self._cursor - len(indent)
            self._step("indent", self._between(), at, self._cursor, wanted, at + len(wanted))

    def _characters(self, text: str, closes: bool) -> None:
        found = mates(text) if closes else {}
        pending: list[int] = []
        for index, character in enumerate(text):
            word_starts = index > 0 and not text[index - 1].isalnum() and character.isalnum()
            if word_starts and self._dice.random() < self._habits.look_share:
                delay = self._dice.uniform(*self._habits.look_ms)
                self._step("look", delay, self._cursor, self._cursor, "", self._cursor)
            if character.isalpha() and self._dice.random() < self._habits.slip_share:
                self._slip(character)
            pause = word_starts and self._dice.random() < self._habits.pause_share
            delay = self._pause() if pause else self._between()
            at = self._cursor
            if pending and pending[-1] == index:
                pending.pop()
                self._step("overtype", delay, at, at + 1, character, at + 1)
            elif index in found and self._free(character, text[index - 1 : index]):
                pending.append(found[index])
                self._step("key", delay, at, at, character + PAIRS[character], at + 1)
            else:
                self._step("key", delay, at, at, character, at + 1)

    def _free(self, opener: str, before: str) -> bool:
        """Whether an editor closes this opener by itself here."""
        after = self.text[self._cursor : self._cursor + 1]
        return (not after or after in " \t\n)]}") and not (opener in "\"'" and before.isalnum())

    def _slip(self, character: str) -> None:
        wrong = NEIGHBOURS.get(character.lower(), "x")
        at = self._cursor
        self._step("slip", self._between(), at, at, wrong, at + 1, clean=False)
        noticed = self._dice.uniform(200.0, 600.0)
        self._step("backspace", noticed, at, at + 1, "", at)

    def _between(self) -> float:
        sample = self._dice.lognormvariate(math.log(self._habits.key_ms), self._habits.key_sigma)
        return min(max(sample, 40.0), 1200.0)

    def _pause(self) -> float:
        return self._dice.uniform(*self._habits.pause_ms)

    def _step(
        self,
        kind: Kind,
        delay_ms: float,
        start: int,
        end: int,
        text: str,
        cursor: int,
        clean: bool = True,
    ) -> None:
        step = Step(round(delay_ms, 1), kind, start, end, text, cursor, self._goal, clean)
        self.steps.append(step)
        self.text = apply(self.text, step)
        self._cursor = cursor
