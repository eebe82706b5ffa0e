"""How well a name fits what somebody typed to find it. Pure.

From best to worst: the name itself, its beginning, the first letters of its words, a part that
begins a word, any part, letters in their order. Within a grade, shorter names come first, and
those whose capitals are as typed.
"""

from inkling.index.letters import initials, word_starts


def score(query: str, name: str) -> float | None:
    """0 to 1, higher is better; None where the letters are not in the name. Linear in the name.

    Lower-case letters stand for both, and so do upper-case ones, but those earn more where they
    are in the name as typed. An empty query fits everything equally.
    """
    if not query:
        return 0.5
    low, wanted = name.lower(), query.lower()
    grade = _grade(wanted, low, name)
    if grade is None:
        return None
    length = min(1.0, len(query) / len(name)) if name else 0.0
    exact = 1.0 if query != wanted and query in name else 0.0
    return grade + 0.07 * length + 0.02 * exact


def _grade(wanted: str, low: str, name: str) -> float | None:
    if low == wanted:
        return 0.9
    if low.startswith(wanted):
        return 0.8
    first = initials(name)
    plain = wanted.replace("_", "")
    if len(plain) > 1 and first == plain:
        return 0.75
    at = low.find(wanted)
    if at > 0 and _at_word(low, name, wanted):
        return 0.6
    if len(plain) > 1 and first.startswith(plain):
        return 0.55
    if at >= 0:
        return 0.4
    run = _subsequence(wanted, low, word_starts(name) if len(low) == len(name) else [])
    return None if run is None else 0.05 + 0.3 * run


def _at_word(low: str, name: str, wanted: str) -> bool:
    return len(low) == len(name) and any(low.startswith(wanted, at) for at in word_starts(name))


def _subsequence(wanted: str, low: str, starts: list[int]) -> float | None:
    """How well the letters lie in their order: 1 where each begins a word or follows its former.

    Greedy from the left, but a letter that begins a later word is preferred to one in the midst
    of a word where the rest still fits behind it.
    """
    begins = set(starts)
    at, good = -1, 0
    for number, letter in enumerate(wanted):
        next_ = low.find(letter, at + 1)
        if next_ < 0:
            return None
        if next_ != at + 1 and next_ not in begins:
            for start in starts:
                if (
                    start > next_
                    and low[start] == letter
                    and _fits(wanted[number + 1 :], low, start)
                ):
                    next_ = start
                    break
        if next_ in begins or (number > 0 and next_ == at + 1):
            good += 1
        at = next_
    return good / len(wanted)


def _fits(wanted: str, low: str, at: int) -> bool:
    for letter in wanted:
        at = low.find(letter, at + 1)
        if at < 0:
            return False
    return True
