"""`inkling complete FILE:LINE:COL`: one completion through the same service as in an editor.

Prints the suggestion in its place, or why there is none; both are exit code 0. Not being able
to ask (no file, no model, no engine) is 1.
"""

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import click
import msgspec

from inkling.cli.place import Place, PlaceType, offset_of, open_document
from inkling.cli.render import code_view, ghost_marks, make_console
from inkling.cli.session import chooses_settings, parse_once, running, settings_from
from inkling.config import Settings
from inkling.service.completer import Completer
from inkling.service.records import CompletionRequest, Suggestion, Why
from inkling.text.buffer import Buffer
from inkling.text.document import Document

FIGURES_S = 3.0
"""What the model may go on for after the answer: only at its end does it tell what that cost."""


@dataclass(frozen=True, slots=True)
class Answer:
    document: Document
    offset: int
    suggestions: tuple[Suggestion, ...]
    why: Why


@click.command()
@click.argument("place", type=PlaceType())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--candidates",
    type=click.IntRange(1, 8),
    default=1,
    show_default=True,
    help="Different suggestions wanted.",
)
@chooses_settings
def complete(
    place: Place, as_json: bool, candidates: int, model: str | None, chosen: tuple[str, ...]
) -> None:
    """Complete once, at FILE:LINE:COL.

    Lines and columns count from 1, as editors show them; the suggestion goes before the
    character at COL.
    """
    settings = settings_from(model, chosen, candidates=candidates)
    document = open_document(place.path)
    offset = offset_of(document, place)
    answer = asyncio.run(ask(document, offset, candidates, settings))
    if as_json:
        click.echo(json.dumps(as_record(place, answer), indent=2))
    else:
        show(place, answer)


async def ask(document: Document, offset: int, candidates: int, settings: Settings) -> Answer:
    """Start everything, ask once, stop everything."""
    async with running(settings, make_console(stderr=True)) as app:
        await parse_once(app.syntax, document, offset)
        request = CompletionRequest(document, offset, invoked=True, max_items=candidates)
        suggestions = await app.completer.complete(request)
        return Answer(document, offset, suggestions, await with_figures(app.completer))


async def with_figures(completer: Completer) -> Why:
    """The last request with the engine's figures, unless they take longer than `FIGURES_S`."""
    until = time.monotonic() + FIGURES_S
    while (why := completer.why()).source == "model" and why.stats is None:
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.02)
    return why


def as_record(place: Place, answer: Answer) -> dict[str, Any]:
    """The answer for programs. Places count from 1; a column counts characters."""
    buffer = Buffer(answer.document.data)

    def position(offset: int) -> dict[str, int]:
        row, character = buffer.position_at(offset, "utf-32")
        return {"line": row + 1, "column": character + 1}

    why = asdict(answer.why)
    stats = answer.why.stats
    why["stats"] = msgspec.to_builtins(stats) if stats is not None else None
    return {
        "file": str(place.path),
        "line": place.line,
        "column": place.column,
        "suggestions": [
            {
                "text": each.text,
                "range": {"start": position(each.start), "end": position(each.end)},
            }
            for each in answer.suggestions
        ],
        "why": why,
    }


def show(place: Place, answer: Answer) -> None:
    """The answer for people."""
    console = make_console()
    document, why = answer.document, answer.why
    if not answer.suggestions:
        console.print(f"No suggestion. {why.reason}", markup=False)
    for number, each in enumerate(answer.suggestions, 1):
        if len(answer.suggestions) > 1:
            console.print(f"Suggestion {number} of {len(answer.suggestions)}:", style="bold")
        view = code_view(
            document.text(0, each.start),
            each.text,
            document.text(each.end),
            lexer=document.language_id,
            width=console.width,
            marks=ghost_marks(console),
        )
        console.print(view, soft_wrap=True)
    console.print(f"{why.total_ms:.0f} ms{_cost(why)}", style="bright_black", markup=False)


def _cost(why: Why) -> str:
    stats = why.stats
    if stats is None:
        return ""
    return (
        f" with {why.model}: {stats.evaluated_tokens} of {stats.prompt_tokens} prompt tokens "
        f"evaluated, first text after {stats.first_text_ms:.0f} ms, "
        f"{stats.decoded_tokens} tokens generated"
    )
