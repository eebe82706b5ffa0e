"""What the syntax gate answers. Apart from `gate`, so that the server need not load a parser."""

import msgspec

LARGEST = 512 * 1024
"""Bytes of a document above which it is not parsed."""

TOO_LONG = "took too long"
NO_GRAMMAR = "has no grammar installed"
TOO_LARGE = "is too large"
STOPPED = "stopped the parser"


class Judgement(msgspec.Struct, frozen=True):
    """What may be shown of a suggestion."""

    keep: int
    """Bytes of the suggestion that may be shown; 0 is nothing."""
    closers: str
    """To append after the kept text so that it parses, with line feeds only; mostly empty."""
    closed: bool
    """The enclosing node ends inside the suggestion: more text would not be shown."""
    errors_before: int
    errors_after: int
    checked: bool
    """False: there is no judgement, for `reason`; then `keep` is 0 and means nothing."""
    reason: str = ""
    """Why it was not checked, as what the file did or is: one of the texts above."""


def unchecked(reason: str) -> Judgement:
    """The answer where there is no judgement."""
    return Judgement(0, "", False, 0, 0, False, reason)


UNCHECKED = unchecked("")
"""Where nobody asked for a judgement."""
