"""Token healing: where forced text is cut, and which token the model may choose next.

Text that ends inside a word is tokenized unlike anything the model has seen, so its last
piece is taken back and the model chooses it anew among the tokens that agree with what was
typed. Pure; byte offsets into the forced text's UTF-8.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkling.engine.vocabulary import Vocabulary

Scores = npt.NDArray[np.float32]
"""A model's score for every token, or for some."""

_LOOKED_AT = 64
_LEAST_SHARE = 0.02
"""A token less probable does not begin an alternative: they read like slips (a "\t" where blanks
indent, a ";" in Python) and cost as much as good ones."""

# What tokenizers for code treat as one unit at the end of a text: a word with the one
# character before it, punctuation with its leading space, or the last blank of a run. The
# blanks before that one are a token of their own; it goes with the word that follows.
_LAST_UNIT = re.compile(r"(?:[^\r\n\w]?\w+| ?[^\s\w]+|\s)\Z")


@dataclass(frozen=True, slots=True)
class Choice:
    """How a token came to be chosen by the model."""

    probability: float
    needed: int
    """The forced bytes that had to be known to choose it; 0: it was the best of all tokens."""


@dataclass(frozen=True, slots=True)
class Step:
    """One token after a head; `choice` is None where the text was given, not chosen."""

    token: int
    choice: Choice | None = None


def cut(forced: str) -> int:
    """The byte offset in `forced` from which the model chooses again."""
    unit = _LAST_UNIT.search(forced[-256:])
    return len(forced.encode()) - len(unit.group().encode()) if unit else len(forced.encode())


def agrees(rest: bytes, piece: bytes) -> bool:
    """Whether a token of these bytes may stand where `rest` is what remains to be said."""
    return piece.startswith(rest) or rest.startswith(piece)


def choose(logits: Scores, vocabulary: Vocabulary, rest: bytes, known: int) -> Step:
    """The best token that agrees with `rest`; `known` is the length of all forced bytes.

    Raises `LookupError` if the vocabulary has no such token.
    """
    if not rest:
        token = int(logits.argmax())
        return Step(token, Choice(probability(logits, token), 0))
    allowed = vocabulary.agreeing(rest)
    if not len(allowed):
        raise LookupError(rest)
    scores = logits[allowed]
    token = int(allowed[int(scores.argmax())])
    needed = 0 if logits[token] >= logits.max() else known
    return Step(token, Choice(_share(scores, float(logits[token])), needed))


def probability(logits: Scores, token: int) -> float:
    """The probability the model gives `token` among all tokens."""
    return _share(logits, float(logits[token]))


def keep(
    trail: Sequence[Step],
    forced: bytes,
    start: int,
    given: Mapping[int, int],
    pieces: Sequence[bytes],
) -> int:
    """How many steps of an earlier continuation still stand when `forced` is forced.

    `start` is where `forced` is cut; `given` the tokens of the text before it, by offset.
    Tokens before the cut stand if the model chose them freely or they are the given ones;
    later ones if the model chose them knowing no more than `forced`: as fewer tokens agree
    with a longer text, the model would choose the same ones again.
    """
    ends = [0]
    for step in trail:
        offset = ends[-1]
        piece = pieces[step.token]
        end = offset + len(piece)
        if not agrees(forced[offset:], piece):
            break
        free = step.choice is not None and step.choice.needed == 0
        if end <= start:
            if not free and given.get(offset) != step.token:
                break
        elif step.choice is None or step.choice.needed > len(forced):
            break
        ends.append(end)
    if ends[-1] >= len(forced) or start in ends:
        return len(ends) - 1
    while ends[-1] not in given and ends[-1] != 0:
        ends.pop()
    return len(ends) - 1


def alternatives(
    logits: Scores, vocabulary: Vocabulary, rest: bytes, first: int, wanted: int
) -> list[Step]:
    """The next best tokens after `first` that go beyond `rest`, at most `wanted`; none that
    is improbable.

    No token's text begins another's: those would mostly lead to the same line.
    """
    allowed = vocabulary.starting_with(rest)
    scores = logits[allowed]
    best = min(len(allowed), _LOOKED_AT)
    ranks = np.argpartition(scores, len(allowed) - best)[len(allowed) - best :]
    pieces = [vocabulary.pieces[first]]
    steps: list[Step] = []
    for rank in ranks[np.argsort(-scores[ranks])]:
        token = int(allowed[rank])
        piece = vocabulary.pieces[token]
        share = _share(scores, float(scores[rank]))
        if len(steps) == wanted or share < _LEAST_SHARE:
            break
        if len(piece) > len(rest) and not any(agrees(piece, other) for other in pieces):
            pieces.append(piece)
            steps.append(Step(token, Choice(share, len(rest))))
    return steps


def _share(scores: Scores, score: float) -> float:
    return float(1.0 / np.exp(scores - score).sum())
