"""What the syntax gate answers. Apart from `gate`, so that the server need not load a parser."""

import msgspec

LARGEST = 512 * 1024
"""Bytes of a document above which it is not parsed."""


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
    wants_more: bool
    """Nothing may be shown yet, but more text could change that."""
    checked: bool
    """False: no grammar, too large or too late; then `keep` is 0 and means nothing."""


UNCHECKED = Judgement(0, "", False, 0, 0, False, False)
