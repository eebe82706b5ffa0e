"""Where two versions of a text differ: the span between their common head and tail.

Comparisons are of whole slices, so the cost is that of memcmp, not of a Python loop.
"""

from inkling.text.encode import character_start


def changed_span(old: bytes, new: bytes) -> tuple[int, int, int]:
    """`(start, old_end, new_end)`: replacing old[start:old_end] by new[start:new_end] gives new.

    Offsets never fall inside a character. Equal texts give an empty span at their end.
    """
    shorter = min(len(old), len(new))
    start = character_start(new, common_head(old, new))
    tail = _common_tail(old, new, shorter - start)
    # A tail may begin with a character's last bytes: leave that character to the change.
    while tail and new[len(new) - tail] & 0xC0 == 0x80:
        tail -= 1
    return start, len(old) - tail, len(new) - tail


def common_head(old: bytes, new: bytes) -> int:
    """How many bytes both begin with; the end may be inside a character."""
    limit = min(len(old), len(new))
    low, step = 0, 64
    while low < limit:
        end = min(low + step, limit)
        if old[low:end] == new[low:end]:
            low, step = end, step * 2
        elif step == 1:
            return low
        else:
            step = max((end - low) // 2, 1)
            limit = end
    return low


def _common_tail(old: bytes, new: bytes, limit: int) -> int:
    low, step = 0, 64
    while low < limit:
        end = min(low + step, limit)
        if old[len(old) - end : len(old) - low] == new[len(new) - end : len(new) - low]:
            low, step = end, step * 2
        elif step == 1:
            return low
        else:
            step = max((end - low) // 2, 1)
            limit = end
    return low
