"""The suggestions an editor may still take, and where the last one that was taken ended.

Owner: the event loop's thread.
"""

import itertools
from collections import OrderedDict

from inkling.service.records import CompletionRequest, Suggestion
from inkling.text.document import Edit

REMEMBERED = 64
"""Suggestions that may still be taken."""

_numbers = itertools.count(1)  # unique in the process: a restart must not reuse them


class Shown:
    """See the module."""

    def __init__(self) -> None:
        self._ends: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self.accepted: tuple[str, int] | None = None
        """Document and byte where the suggestion taken last ended, moved by edits since."""

    def suggest(self, request: CompletionRequest, text: str) -> Suggestion:
        """`text` for the cursor as the editor gets it: with the document's line ends, and with
        the selected entry of its own list."""
        number = f"s{next(_numbers)}"
        if request.document.newline != "\n":
            text = text.replace("\n", request.document.newline)
        start = end = request.offset
        taken_to = start + len(text.encode("utf-8", "surrogatepass"))
        if request.selected is not None:
            selected = request.selected
            text, start, end = selected.text + text, selected.start, selected.end
        self._ends[number] = (request.document.uri, taken_to)
        while len(self._ends) > REMEMBERED:
            self._ends.popitem(last=False)
        return Suggestion(number, text, start, end)

    def accept(self, number: str) -> None:
        """The user took a suggestion; an unknown one is ignored."""
        self.accepted = self._ends.pop(number, self.accepted)

    def edited(self, uri: str, edits: tuple[Edit, ...]) -> None:
        """Move the mark along with a document's edits; drop it where they overlap it."""
        if self.accepted is None or self.accepted[0] != uri:
            return
        offset = self.accepted[1]
        for edit in edits:
            if edit.start >= offset:
                continue
            if edit.old_end > offset:
                self.accepted = None
                return
            offset += edit.new_end - edit.old_end
        self.accepted = uri, offset
