"""The quality bench: fill holes whose content is known, through what the product shows.

Inkling's side is the completer with the real engine and syntax worker, asked as by the
editor's "suggest now"; only the transport is left out. The peer's side is `/infill` with
llama.vim's request and filters. Both are scored by the same code.
"""

import asyncio
import csv
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from inkling.app import App, build
from inkling.cli.bench import parses
from inkling.cli.bench.aborts import ready
from inkling.cli.bench.corpus import SourceFile
from inkling.cli.bench.cross_file import cross_file_holes
from inkling.cli.bench.figures import percentile, plain, share, summary
from inkling.cli.bench.holes import KINDS as HOLE_KINDS
from inkling.cli.bench.holes import Hole, accepted, cut, similarity
from inkling.cli.bench.http import NoAnswer, post
from inkling.cli.bench.human_eval import triples
from inkling.cli.bench.latency_run import TUNED_BATCH
from inkling.cli.bench.llama_server import ServerOptions, llama_server
from inkling.cli.bench.llama_vim import FIRST_MS, hint, request, window
from inkling.cli.bench.sandbox import passes
from inkling.cli.bench.side import Ghost, now
from inkling.config import Settings
from inkling.index.wire import Progress as IndexProgress
from inkling.service.records import CompletionRequest
from inkling.text.document import Document

HOLES = 240
"""Holes of a full run, a quarter of each kind."""
ASKED_AGAIN_S = 12.0
"""A slow machine may need longer than one answer's time budget for a whole new prompt."""

FILE_ALONE = "inkling, the file alone"
"""The side whose prompts show no other files."""

Progress = Callable[[int], None]


class Row(msgspec.Struct, frozen=True):
    """One case and what became of it. Tokens are prompt tokens evaluated."""

    id: str
    kind: str
    expected: str
    got: str
    exact: bool
    similarity: float
    accepted: int
    ms: float
    evaluated_tokens: int | None
    reason: str
    adds_error: bool | None = None
    """Whether the file with all of the suggestion in it has more parse errors than without."""
    passed: bool | None = None


def make_cases(
    chosen: str, files: Sequence[SourceFile], seed: int, subset: int | None
) -> list[Hole]:
    """The cases of a run; a subset is spread over each set. Raises HumanEvalMissing."""
    cases: list[Hole] = []
    if chosen in ("humaneval", "all"):
        found = triples()
        if subset is not None and subset < len(found):
            # Spread evenly, starting at a place the seed chooses.
            stride = len(found) / subset
            chosen_at = (int(seed % stride + turn * stride) for turn in range(subset))
            found = [found[at % len(found)] for at in chosen_at]
        cases += found
    if chosen in ("holes", "all"):
        cases += cut(files, seed, subset or HOLES)
    return cases


def cross_file_cases(repository: Path, seed: int, subset: int | None) -> list[Hole]:
    """The cases of a run in one repository."""
    return cross_file_holes(repository, seed, subset or HOLES)


async def run_inkling(
    cases: Sequence[Hole],
    settings: Settings,
    progress: Progress,
    *,
    by_hand: bool = True,
    repository: Path | None = None,
) -> list[Row]:
    """All cases through the completer, one after the other, asked by hand or as the first key
    at a new place asks. `repository`: the cases are its files, and it is indexed before, unless
    the settings say that prompts show no other files. Raises NotReady."""
    indexed = repository is not None and settings.workspace_context
    app = build(settings, (str(repository),) if indexed else (), watch=False)
    app.start()
    rows = []
    try:
        await ready(app.engine)
        if indexed:
            await _indexed(app)
        for number, case in enumerate(cases):
            rows.append(await _complete(app, case, number, by_hand, repository))
            progress(1)
    finally:
        await app.close()
    return rows


async def run_peer(
    cases: Sequence[Hole], model: Path, threads: int, progress: Progress
) -> list[Row]:
    """All cases through llama-server with the tuned window. Raises ServerDidNotStart."""
    options = ServerOptions(model, threads=threads, n_batch=TUNED_BATCH, cache_reuse=256)
    rows = []
    context = llama_server(options)
    server = await asyncio.to_thread(context.__enter__)
    try:
        for case in cases:
            rows.append(await _infill(f"{server.url}/infill", case))
            progress(1)
    finally:
        context.__exit__(None, None, None)
    return rows


def judge(cases: Sequence[Hole], rows: Sequence[Row], progress: Progress) -> list[Row]:
    """The rows with `passed` set where the case has a test. Runs untrusted code (see sandbox)."""

    def judged(pair: tuple[Hole, Row]) -> Row:
        case, row = pair
        if not case.test:
            return row
        program = case.before + row.got + case.after + case.test
        found = msgspec.structs.replace(row, passed=row.exact or passes(program))
        progress(1)
        return found

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(judged, zip(cases, rows, strict=True)))


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Per kind, and over all holes: shares of 0..1."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.kind, []).append(row)
        if row.kind in HOLE_KINDS:
            groups.setdefault("all holes", []).append(row)
        elif row.kind != "humaneval":
            groups.setdefault("all of other files", []).append(row)
    return {name: _figures(group) for name, group in groups.items()}


def below(floor: Path, sets: dict[str, Any]) -> list[str]:
    """One sentence for each figure that is below its floor."""
    wanted = tomllib.loads(floor.read_text(encoding="utf-8"))
    problems = []
    for name, limits in wanted.items():
        for figure, least in limits.items():
            value = sets.get(name, {}).get(figure)
            if value is None or value < least:
                problems.append(f"{name}: {figure} is {value}, below its floor of {least}")
    return problems


def write_csv(path: Path, rows: Sequence[tuple[str, Row]]) -> None:
    """Every case in a table, one line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["side", *Row.__struct_fields__])
        for side, row in rows:
            writer.writerow([side, *msgspec.structs.astuple(row)])


def score(case: Hole, ghost: Ghost | None, ms: float, tokens: int | None, reason: str) -> Row:
    """What a suggestion is worth: its first line is taken and compared, all of it parsed."""
    got = ""
    worse: bool | None = None
    if ghost is not None:
        worse = parses.adds_error(case.language_id, case.text, ghost.taken(case.text))
        first = Ghost(ghost.start, ghost.end, ghost.text.partition("\n")[0])
        after = first.taken(case.text)
        start = len(case.before)
        end = after.find("\n", start)
        got = after[start : end if end >= 0 else len(after)]
        tail = case.after.partition("\n")[0]
        if tail and got.endswith(tail):
            got = got[: -len(tail)]
        elif tail and ghost.end > start:
            # It replaced what follows the cursor: compare with that part included.
            got = after[start : len(after) - len(case.after) + len(tail)]
    return Row(
        id=case.id,
        kind=case.kind,
        expected=case.expected,
        got=got,
        exact=got == case.expected,
        similarity=round(similarity(case.expected, got), 4),
        accepted=accepted(case.expected, got),
        ms=round(ms, 1),
        evaluated_tokens=tokens,
        reason=reason,
        adds_error=worse,
    )


async def _indexed(app: App) -> None:
    """Wait until the index is complete."""
    async for news in app.repository.index.news():
        if isinstance(news, IndexProgress) and news.phase == "ready":
            return


async def _complete(
    app: App, case: Hole, number: int, by_hand: bool, repository: Path | None
) -> Row:
    """One case through the completer, in a document of its own."""
    data = case.text.encode("utf-8", "surrogatepass")
    name = case.id.split(":")[0].lstrip("@")
    uri = f"file:///bench/{number}/{name}" if repository is None else (repository / name).as_uri()
    document = Document(uri=uri, language_id=case.language_id, version=1, data=data)
    offset = len(case.before.encode("utf-8", "surrogatepass"))
    asked = CompletionRequest(document=document, offset=offset, invoked=by_hand, max_items=1)
    app.opened(document)
    began = now()
    suggestions = await app.completer.complete(asked)
    while not suggestions and now() - began < ASKED_AGAIN_S and _timed_out(app):
        suggestions = await app.completer.complete(asked)
    ms = (now() - began) * 1000
    why = app.completer.why()
    app.closed(uri)
    ghost = None
    if suggestions:
        best = suggestions[0]
        start, end = (
            len(data[:at].decode("utf-8", "surrogatepass")) for at in (best.start, best.end)
        )
        ghost = Ghost(start, end, best.text)
    tokens = why.stats.evaluated_tokens if why.stats else None
    return score(case, ghost, ms, tokens, "" if suggestions else why.reason)


def _timed_out(app: App) -> bool:
    """Whether the last answer was empty only because it had to be given before the model was
    done; a generation goes on in that case."""
    why = app.completer.why()
    return why.stats is None and why.total_ms > 3000


async def _infill(url: str, case: Hole) -> Row:
    """One case through llama-server."""
    cursor = len(case.before)
    began = now()
    try:
        answer = await post(url, request(window(case.text, cursor), FIRST_MS))
    except (NoAnswer, OSError) as problem:
        return score(case, None, (now() - began) * 1000, None, str(problem))
    shown = hint(case.text, cursor, answer.get("content") or "")
    ghost = Ghost(cursor, cursor, shown) if shown else None
    tokens = int(answer.get("timings/prompt_n") or 0)
    return score(case, ghost, (now() - began) * 1000, tokens, "" if shown else "empty answer")


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    tested = [row.passed for row in rows if row.passed is not None]
    tokens = [row.evaluated_tokens for row in rows if row.evaluated_tokens is not None]
    expected = sum(len(row.expected) for row in rows)
    return {
        "cases": len(rows),
        "exact": share(sum(row.exact for row in rows), len(rows)),
        "passed": share(sum(tested), len(tested)),
        "shown": share(sum(bool(row.got) for row in rows), len(rows)),
        "suggestions_parsed": sum(row.adds_error is not None for row in rows),
        "suggestions_that_add_a_parse_error": sum(bool(row.adds_error) for row in rows),
        "similarity": round(sum(row.similarity for row in rows) / len(rows), 4),
        "accepted": share(sum(row.accepted for row in rows), expected),
        "ms": plain(summary([row.ms for row in rows])),
        "evaluated_tokens_median": percentile(tokens, 0.5) if tokens else None,
    }
