"""Where prompts are anchored: the owner of the anchors, and of how large a window each has.

A window of 600 tokens fills half as many holes again as one of 135 (budget.py), and takes two
seconds to evaluate on two cores. So where the engine knows nothing of the place a quick window
answers first, and a wide one is evaluated ahead, in idle time; from then on a wide one is used
as long as most of it is in the engine's cache.

Blocks of other files belong to wide windows alone, so no key waits for them. They stand before
the window, and stay what they are as long as its start stays where it is: `question` says when
others are worth asking for. Event loop's thread only.
"""

from dataclasses import dataclass, replace

from inkling.context.blocks import Backdrop
from inkling.engine.api import DoneEvent, EngineState, ModelInfo, Ready
from inkling.prompt.anchor import (
    Anchor,
    Budget,
    holds,
    place,
    same_prompt,
    shifted,
    unknown_bytes,
)
from inkling.service.backdrops import Question
from inkling.service.budget import BLOCKS_SHARE, blocks_bytes, quick_budget, wide_budget
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
        self._met: Ready | None = None

    def model_of(self, state: EngineState) -> ModelInfo | None:
        """The model to place anchors for, if the engine is ready."""
        if not isinstance(state, Ready):
            return None
        if state is not self._met:
            # Another engine process, or one that has learned how fast it is: nothing of what was
            # evaluated can be counted on, and the sizes are others.
            self._met = state
            self.lose()
        return state.model

    def know(self, state: EngineState) -> bool:
        """Whether anchors have been placed for this engine, and it is ready."""
        return isinstance(state, Ready) and state is self._met

    @property
    def present(self) -> Anchor | None:
        """The anchor used last."""
        return self._present.anchor if self._present else None

    @property
    def wide(self) -> bool:
        """Whether that one has a wide window."""
        return self._present is not None and self._present.wide

    def at(
        self,
        document: Document,
        offset: int,
        model: ModelInfo,
        *,
        patient: bool,
        backdrop: Backdrop | None = None,
    ) -> tuple[Anchor, bool]:
        """The anchor for a cursor at byte `offset`, and whether it is another one than before.

        `patient`: the answer may take as long as a wide window does, and shows `backdrop` if it
        needs a new one.
        """
        present = self._present
        held = present is not None and holds(present.anchor, document, offset)
        if present is not None and held and (present.wide or not patient):
            return present.anchor, False
        chosen = self._place(document, offset, model, patient, backdrop)
        known = present is not None and unknown_bytes(chosen.anchor, present.anchor) < len(
            chosen.anchor.prefix
        )
        if not known:
            if present is not None and present.wide:
                self._left = present
            self._sent = self._ahead = None
        self._present = chosen
        return chosen.anchor, True

    def question(
        self, document: Document, offset: int, model: ModelInfo, *, anyway: bool = False
    ) -> Question | None:
        """What to ask the source of blocks for before a wide window is placed; None where its
        start stays, and so do its blocks. `anyway`: even then."""
        wide = self._wide(document, model)
        former = self._former(document, offset)
        backdrop = former.backdrop if former is not None else None
        window = place(document, offset, wide.scaled(1 - BLOCKS_SHARE), former)
        if former is not None and backdrop is not None and not anyway:
            window = place(document, offset, wide, former, backdrop)
            if window.window.start == former.window.start:
                return None
        known = backdrop or self._known(document.uri)
        return Question(
            document,
            offset,
            window=window.prefix + window.suffix,
            budget_bytes=blocks_bytes(wide),
            former=known.blocks if known is not None else (),
        )

    def ahead(
        self, document: Document, offset: int, model: ModelInfo, backdrop: Backdrop | None = None
    ) -> Anchor | None:
        """The anchor whose prompt is worth evaluating now that there is time; None if there is
        none. See `arrived`. `backdrop`: what it is to show, where that is not to stay."""
        present = self._held(document, offset)
        former = self._former(document, offset)
        if backdrop is None:
            backdrop = former.backdrop if former is not None else self._known(document.uri)
        if present is not None and present.wide and not present.moved:
            typed = document.data[present.anchor.offset : offset]
            other = backdrop is not None and backdrop.blocks != present.anchor.blocks
            if b"\n" not in typed and not other:
                self._present = replace(present, anchor=replace(present.anchor, backdrop=backdrop))
                return None
        wide = place(document, offset, self._wide(document, model), former, backdrop)
        if present is not None and same_prompt(wide, present.anchor) and not present.moved:
            self._present = _Kept(wide, True)
            return None
        if self._ahead is None or not same_prompt(wide, self._ahead):
            self._sent = wide
        self._ahead = wide
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

    def learn(self, uri: str, done: DoneEvent | None) -> None:
        """What the end of a request about a document says of the prompts to come."""
        if done is not None and done.too_long_by:
            self.too_long(uri)
        elif done is None or done.reason == "failed":
            self.lose()

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

    def _held(self, document: Document, offset: int) -> _Kept | None:
        """The present anchor, unless it describes the document no more: the last answers needed
        no prompt then, as they had been forecast."""
        present = self._present
        held = present is not None and holds(present.anchor, document, offset)
        return present if held else None

    def _former(self, document: Document, offset: int) -> Anchor | None:
        """The anchor that the next wide one goes on from."""
        present = self._held(document, offset)
        # One with a backdrop is as large as a wide one, if not known to be evaluated yet.
        grown = present is not None and (present.wide or present.anchor.backdrop is not None)
        former = self._ahead or (present.anchor if present is not None and grown else None)
        return former if former is not None and former.uri == document.uri else None

    def _known(self, uri: str) -> Backdrop | None:
        """What was shown last with a document."""
        anchors = (kept.anchor for kept in (self._present, self._left) if kept is not None)
        known = (anchor.backdrop for anchor in anchors if anchor.uri == uri and anchor.backdrop)
        return next(known, None)

    def _place(
        self,
        document: Document,
        offset: int,
        model: ModelInfo,
        patient: bool,
        backdrop: Backdrop | None,
    ) -> _Kept:
        quick, wide = self._quick(document, model), self._wide(document, model)
        affordable = quick.prefix_bytes + quick.suffix_bytes
        for kept in (self._present, self._left):
            if kept is not None and kept.wide and kept.anchor.uri == document.uri:
                anchor = place(document, offset, wide, kept.anchor, kept.anchor.backdrop)
                if unknown_bytes(anchor, kept.anchor) <= affordable:
                    return _Kept(anchor, True, moved=True)
        if patient:
            # Wide once it has been evaluated, which `ahead` finds out after the answer.
            backdrop = backdrop or self._known(document.uri)
            return _Kept(place(document, offset, wide, None, backdrop), False)
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
