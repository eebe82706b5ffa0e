"""Judgements that go on holding while the user types what was judged. Pure.

Typing the beginning of a suggestion makes the document what it would have been: document and
suggestion together are the same text as before, so what may be shown of it ends where it ended.
That holds where the text had no error left, which is no worse than any document. Finding that
out costs a comparison of the document's bytes; a round trip to the worker costs ten times that.

Invariant: a judgement is only given out for the very text, byte for byte, that was parsed, and
for an insertion that ends where the judged one ended.
"""

from collections import deque
from dataclasses import dataclass

from inkling.syntax.judgement import Judgement
from inkling.text.document import Document

KEPT = 8
"""A few candidates of one request, or of the last keys."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    uri: str
    language_id: str
    whole: bytes
    """The document with all of the suggestion in it."""
    start: int
    after: int
    """Bytes of the document behind the suggestion."""
    kept_to: int
    multiline: bool
    finished: bool
    judgement: Judgement


class Verdicts:
    """The last judgements without any error. Owner: whoever asks the syntax worker."""

    def __init__(self) -> None:
        self._verdicts: deque[_Verdict] = deque(maxlen=KEPT)

    def note(
        self,
        document: Document,
        offset: int,
        inserted: bytes,
        judgement: Judgement,
        *,
        multiline: bool,
        finished: bool,
    ) -> None:
        """Remember the worker's answer about `inserted` at byte `offset`."""
        if judgement.checked and judgement.keep and not judgement.errors_after:
            self._verdicts.append(
                _Verdict(
                    document.uri,
                    document.language_id,
                    _whole(document, offset, inserted),
                    offset,
                    len(document.data) - offset,
                    offset + judgement.keep,
                    multiline,
                    finished,
                    judgement,
                )
            )

    def find(
        self, document: Document, offset: int, inserted: bytes, *, multiline: bool, finished: bool
    ) -> Judgement | None:
        """What is known of `inserted` at byte `offset` without asking; None if nothing."""
        size = len(document.data) + len(inserted)
        whole: bytes | None = None
        for known in reversed(self._verdicts):
            if (
                len(known.whole) == size
                and known.after == len(document.data) - offset
                and known.uri == document.uri
                and known.language_id == document.language_id
                and (known.multiline, known.finished) == (multiline, finished)
                and known.start <= offset < known.kept_to
            ):
                whole = whole or _whole(document, offset, inserted)
                if known.whole == whole:
                    judgement = known.judgement
                    return Judgement(
                        keep=known.kept_to - offset,
                        closers=judgement.closers,
                        closed=judgement.closed,
                        errors_before=0,
                        errors_after=0,
                        checked=True,
                    )
        return None

    def forget(self, uri: str) -> None:
        """The document was closed."""
        rest = [known for known in self._verdicts if known.uri != uri]
        self._verdicts = deque(rest, maxlen=KEPT)


def _whole(document: Document, offset: int, inserted: bytes) -> bytes:
    return document.data[:offset] + inserted + document.data[offset:]
