"""Where prompts are anchored: the owner of the anchors, and of how large a window each has.

A window of 600 tokens fills half as many holes again as one of 135 (budget.py), and takes two
seconds to evaluate on two cores. So where the engine knows nothing of the place a quick window
answers first, and a wide one is evaluated ahead, in idle time; from then on a wide one is used
as long as most of it is in the engine's cache. Event loop's thread only.
"""

from dataclasses import dataclass, replace

from inkling.engine.api import ModelInfo
from inkling.prompt.anchor import Anchor, Budget, holds, place, shifted, unknown_bytes
from inkling.service.budget import quick_budget, wide_budget
from inkling.text.document import Document, Edit


@dataclass(frozen=True, slots=True)
class _Kept:
    """An anchor whose prompt the engine has, as far as can be known here."""

    anchor: Anchor
    wide: bool
    moved: bool = False
    """Some of it was evaluated for another line, and is worth evaluating for this one."""


class Anchors:
    """See the module."""

    def __init__(self) -> None:
        self._present: _Kept | None = None
        self._left: _Kept | None = None
        self._ahead: Anchor | None = None
        self._sent: Anchor | None = None
        """`_ahead` as it was given out; it has been moved by edits since."""
        self._scales: dict[str, float] = {}

    @property
    def present(self) -> Anchor | None:
        """The anchor used last."""
        return self._present.anchor if self._present else None

    @property
    def wide(self) -> bool:
        """Whether that one has a wide window."""
        return self._present is not None and self._present.wide

    def at(
        self, document: Document, offset: int, model: ModelInfo, *, patient: bool
    ) -> tuple[Anchor, bool]:
        """The anchor for a cursor at byte `offset`, and whether it is another one than before.

        `patient`: the answer may take as long as a wide window does.
        """
        present = self._present
        held = present is not None and holds(present.anchor, document, offset)
        if present is not None and held and (present.wide or not patient):
            return present.anchor, False
        chosen = self._place(document, offset, model, patient)
        known = present is not None and unknown_bytes(chosen.anchor, present.anchor) < len(
            chosen.anchor.prefix
        )
        if not known:
            if present is not None and present.wide:
                self._left = present
            self._sent = self._ahead = None
        self._present = chosen
        return chosen.anchor, True

    def ahead(self, document: Document, offset: int, model: ModelInfo) -> Anchor | None:
        """The anchor whose prompt is worth evaluating now that there is time; None if there is
        none. See `arrived`."""
        present = self._present
        if present is not None and not holds(present.anchor, document, offset):
            present = None  # the last answers needed no prompt: they had been forecast
        settled = present is not None and present.wide and not present.moved
        if present and settled and b"\n" not in document.data[present.anchor.offset : offset]:
            return None
        former = self._ahead or (present.anchor if present and present.wide else None)
        wide = place(document, offset, self._wide(document, model), former)
        if present is not None and wide == present.anchor and not present.moved:
            self._present = _Kept(wide, True)
            return None
        if wide != self._ahead:
            self._sent = self._ahead = wide
        return self._sent

    def arrived(self, anchor: Anchor) -> None:
        """The prompt of `anchor`, as given out by `ahead`, is evaluated: use it from now on,
        unless the cursor has gone elsewhere since."""
        if self._ahead is not None and self._sent is anchor:
            self._present = _Kept(self._ahead, True)
            self._sent = self._ahead = None

    def lose(self) -> None:
        """The engine has forgotten what it had evaluated."""
        self._present = self._left = self._sent = self._ahead = None

    def edited(self, uri: str, edits: tuple[Edit, ...]) -> None:
        """Move the anchors of a document along with an edit."""
        self._present = _edited(self._present, uri, edits)
        self._left = _edited(self._left, uri, edits)
        if self._ahead is not None and self._ahead.uri == uri:
            self._ahead = shifted(self._ahead, edits)

    def too_long(self, uri: str) -> None:
        """Show less of a file whose text takes more tokens than the budget assumes."""
        self._scales[uri] = max(0.1, self._scales.get(uri, 1.0) / 2)
        self.lose()

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._scales.pop(uri, None)
        if self._present is not None and self._present.anchor.uri == uri:
            self._present = None
        if self._left is not None and self._left.anchor.uri == uri:
            self._left = None
        if self._ahead is not None and self._ahead.uri == uri:
            self._sent = self._ahead = None

    def _place(self, document: Document, offset: int, model: ModelInfo, patient: bool) -> _Kept:
        quick, wide = self._quick(document, model), self._wide(document, model)
        affordable = quick.prefix_bytes + quick.suffix_bytes
        for kept in (self._present, self._left):
            if kept is not None and kept.wide and kept.anchor.uri == document.uri:
                anchor = place(document, offset, wide, kept.anchor)
                if unknown_bytes(anchor, kept.anchor) <= affordable:
                    return _Kept(anchor, True, moved=True)
        if patient:
            # Wide once it has been evaluated, which `ahead` finds out after the answer.
            return _Kept(place(document, offset, wide), False)
        former = self._present.anchor if self._present and not self._present.wide else None
        return _Kept(place(document, offset, quick, former), quick == wide)

    def _quick(self, document: Document, model: ModelInfo) -> Budget:
        return quick_budget(model).scaled(self._scales.get(document.uri, 1.0))

    def _wide(self, document: Document, model: ModelInfo) -> Budget:
        return wide_budget(model).scaled(self._scales.get(document.uri, 1.0))


def _edited(kept: _Kept | None, uri: str, edits: tuple[Edit, ...]) -> _Kept | None:
    if kept is None or kept.anchor.uri != uri:
        return kept
    return replace(kept, anchor=shifted(kept.anchor, edits))
