"""What goes into and comes out of the completion service. Frozen values; any thread."""

from dataclasses import dataclass, field
from typing import Literal

from inkling.engine.api import Stats
from inkling.text.document import Document

Source = Literal["typed-through", "model", "none"]


@dataclass(frozen=True, slots=True)
class Selected:
    """The entry chosen in the editor's own completion list: bytes [start, end) become text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    document: Document
    offset: int
    """Byte offset of the cursor."""
    invoked: bool = False
    selected: Selected | None = None
    max_items: int = 1
    patience_ms: int | None = None
    """After this the editor no longer wants the answer; None: it waits."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Replace bytes [start, end) of the request's document by `text`."""

    id: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Why:
    """What the last suggestion was made of, or why there was none. Holds no source text."""

    outcome: Literal["shown", "nothing"] = "nothing"
    reason: str = "Nothing has been asked for yet."
    source: Source = "none"
    uri: str = ""
    version: int = 0
    offset: int = 0
    model: str = ""
    lines: int = 0
    characters: int = 0
    total_ms: float = 0.0
    judge_ms: float = 0.0
    stats: Stats | None = None
    """Of the generation the suggestion came from; None if it needed none."""
    reanchored: bool = False
    prefix_bytes: int = 0
    suffix_bytes: int = 0
    typed_bytes: int = 0
    """Text behind the anchor at this request, which the model was made to agree with."""
    blocks: tuple[tuple[str, str], ...] = ()
    """What of other files the model was shown: path, and why just that."""
    filters: tuple[str, ...] = field(default=())
    errors_before: int = 0
    errors_after: int = 0
    suggestion_ids: tuple[str, ...] = ()
    accepted: bool = False

    def as_markdown(self) -> str:
        """The record for people."""
        head = "A suggestion was shown." if self.outcome == "shown" else "No suggestion."
        rows = [
            ("Source", self.source),
            ("Model", self.model or "none"),
            ("Document", f"{self.uri} version {self.version}, byte {self.offset}"),
            ("Answered in", f"{self.total_ms:.0f} ms"),
        ]
        if self.outcome == "shown":
            lines = "1 line" if self.lines == 1 else f"{self.lines} lines"
            rows.append(("Size", f"{lines}, {self.characters} characters"))
            rows.append(
                ("Parse errors", f"{self.errors_before} before, {self.errors_after} with it")
            )
            rows.append(("Accepted", "yes" if self.accepted else "not (yet)"))
        if self.source == "model":
            rows.append(
                (
                    "Prompt",
                    f"{self.prefix_bytes} bytes before and {self.suffix_bytes} after the anchor"
                    f"{' (new anchor)' if self.reanchored else ''},"
                    f" {self.typed_bytes} bytes typed since",
                )
            )
        if self.blocks:
            shown = "<br>".join(f"`{_cell(path)}`: {_cell(why)}" for path, why in self.blocks)
            rows.append(("Other files shown", shown))
        if self.stats is not None:
            stats = self.stats
            rows.append(
                (
                    "Tokens",
                    f"{stats.prompt_tokens} in the prompt: {stats.reused_tokens} reused,"
                    f" {stats.evaluated_tokens} evaluated; {stats.decoded_tokens} generated",
                )
            )
            rows.append(
                (
                    "Engine",
                    f"queue {stats.queue_ms:.0f} ms, prompt {stats.prompt_ms:.0f} ms,"
                    f" first text {stats.first_text_ms:.0f} ms, decode {stats.decode_ms:.0f} ms",
                )
            )
        if self.judge_ms:
            rows.append(("Syntax check", f"{self.judge_ms:.0f} ms"))
        if self.filters:
            rows.append(("Cut because it", "; ".join(self.filters)))
        table = "\n".join(f"| {name} | {value} |" for name, value in rows)
        return f"**{head}** {self.reason}\n\n| | |\n|---|---|\n{table}\n"


def _cell(text: str) -> str:
    """`text` inside a table's cell."""
    return text.replace("|", "\\|").replace("`", "'")
