"""The latency bench: the same typing against each side, one after the other, and its figures.

Each side runs alone: the one before has been stopped. The figures of Inkling's events come
from its own journal (server side) and from the client's clock; what is compared between sides
comes from the client's clock only.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.cli.bench import aborts, parses
from inkling.cli.bench.corpus import SourceFile
from inkling.cli.bench.figures import Summary, plain, share, summary
from inkling.cli.bench.llama_server import ServerOptions
from inkling.cli.bench.llama_vim import LlamaVimSide
from inkling.cli.bench.machine import processor_s, resident_mb
from inkling.cli.bench.replay import Moment, Played, play
from inkling.cli.bench.server_side import Answer, InklingSide, Observed
from inkling.cli.bench.side import Side
from inkling.cli.bench.six_keys import KEYS, Outcome, Spot, play_spots, spots
from inkling.cli.bench.trace import Habits, Trace, plan
from inkling.config import Settings

KEYS_PER_FILE = 120
SPOT_S = (4.0, 25.0, 10.0)
"""About how long a six-key place takes Inkling, the peer's presets and the tuned peer on two
cores: most of it is waiting for what was asked to end."""
PRESET_BATCH, TUNED_BATCH = 1024, 256
"""llama.vim's own llama-server preset for small machines, and one that suits a small CPU."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all sides are made to do."""

    traces: tuple[Trace, ...]
    spots: tuple[Spot, ...]
    files: tuple[SourceFile, ...]
    seed: int
    aborts: int

    def seconds(self, spot_s: float) -> float:
        """How long a side takes, about, that needs `spot_s` for a six-key place."""
        typing = sum(step.delay_ms for trace in self.traces for step in trace.steps) / 1000
        return typing + spot_s * len(self.spots)

    def units(self) -> int:
        """Progress units of one side."""
        return sum(len(trace.steps) for trace in self.traces) + len(self.spots)


def make_plan(files: Sequence[SourceFile], seed: int, keys: int, places: int, aborted: int) -> Plan:
    """Traces of about `keys` keys altogether and `places` six-key spots, in files apart."""
    traces: list[Trace] = []
    typed = 0
    rest = list(files)
    while rest and typed < keys:
        file = rest.pop(0)
        wanted = min(KEYS_PER_FILE, keys - typed)
        try:
            trace = plan(file.name, file.language_id, file.text, seed, wanted, Habits())
        except ValueError:
            continue
        traces.append(trace)
        typed += trace.keys
    # The spots are in files nobody typed in, where there are any left.
    return Plan(
        tuple(traces),
        tuple(spots(rest or list(files), seed, places)),
        tuple(rest or files),
        seed,
        aborted,
    )


async def run_inkling(
    todo: Plan, settings: Settings, options: dict[str, Any], client: str, progress: Progress
) -> dict[str, Any]:
    """Everything about Inkling. Raises NotReady."""
    side = InklingSide(options, client)
    await side.start()
    try:
        await side.open(todo.traces[0].name, todo.traces[0].language_id, todo.traces[0].initial)
        await side.measure_idle()
        before = processor_s(side.pid)
        shared = await _shared(todo, side, progress)
        shared |= _processor(shared, before, processor_s(side.pid))
        side.seen.rss_mb = resident_mb(side.pid)
    finally:
        await side.stop()
    stopped = await aborts.measure(settings, todo.files, todo.seed, todo.aborts, progress)
    return (
        shared
        | inkling_figures(side.seen)
        | {
            "abort_mid_prompt_ms": plain(summary(stopped.prompt_ms)),
            "abort_mid_decode_ms": plain(summary(stopped.decode_ms)),
            "aborts_missed": stopped.missed,
        }
    )


async def run_peer(
    todo: Plan, name: str, model: Path, threads: int, batch: int, progress: Progress
) -> dict[str, Any]:
    """llama-server driven as llama.vim drives it. Raises ServerDidNotStart."""
    options = ServerOptions(
        model, threads=threads, n_batch=batch, cache_reuse=256, context_tokens=8192
    )
    side = LlamaVimSide(name, options)
    await side.start()
    try:
        before = processor_s(side.pid)
        shared = await _shared(todo, side, progress)
        shared |= _processor(shared, before, processor_s(side.pid))
        memory = resident_mb(side.pid)
    finally:
        await side.stop()
    served = side.served
    return shared | {
        "requests": len(served),
        "prompt_tokens_per_request": plain(summary([each.prompt_tokens for each in served])),
        "request_ms": plain(summary([each.ms for each in served])),
        "rss_mb": memory,
        "settings": {"n_batch": batch, "threads": threads, "cache_reuse": 256, "n_ctx": 8192},
    }


async def _shared(todo: Plan, side: Side, progress: Progress) -> dict[str, Any]:
    """What both kinds of side are compared by."""
    played = [await play(trace, side, progress) for trace in todo.traces]
    outcomes = await play_spots(todo.spots, side, progress)
    languages = {trace.name: trace.language_id for trace in todo.traces}
    languages |= {spot.name: spot.language_id for spot in todo.spots}
    figures = typing_figures(played) | six_key_figures(outcomes)
    bad, checked = await asyncio.to_thread(_parse_errors, played, outcomes, languages)
    return figures | {
        "suggestions_parsed": checked,
        "suggestions_that_add_a_parse_error": bad,
        "spots": [
            {"name": each.name, "ms": each.ms, "exact": each.exact, "kept": each.kept}
            for each in outcomes
        ],
    }


def typing_figures(played: Sequence[Played]) -> dict[str, Any]:
    """From the replay: what somebody who types sees."""
    moments = [each for one in played for each in one.moments if each.kind != "jump"]
    shown = [each for each in moments if each.seen_ms is not None]
    asked = [each for each in shown if each.exact is not None]
    waits = [wait for one in played for wait in _jump_waits(one.moments)]
    seen = [wait for wait in waits if wait is not None]
    return {
        "keys": len(moments),
        "key_to_text_ms": plain(_seen(shown)),
        "suggestion_before_next_key": share(len(shown), len(moments)),
        "exact_first_line": share(sum(bool(each.exact) for each in asked), len(asked)),
        "exact_first_line_of_all_keys": share(
            sum(bool(each.exact) for each in asked), sum(each.clean for each in moments)
        ),
        "jump_to_text_ms": plain(summary(seen)),
        "jumps": len(waits),
        "jumps_with_text": share(len(seen), len(waits)),
        "taken": sum(one.taken for one in played),
        "saved_keys": sum(one.saved_keys for one in played),
    }


def six_key_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """From the six-key spots. Percentiles over all spots count what never came as 10 s."""
    answered = [each.ms for each in outcomes if each.ms is not None]
    return {
        "six_keys_ms": plain(summary(answered)),
        "six_keys_all_ms": plain(
            summary([10_000.0 if each.ms is None else each.ms for each in outcomes])
        ),
        "six_keys_answered": share(len(answered), len(outcomes)),
        "six_keys_exact": share(sum(each.exact for each in outcomes), len(outcomes)),
        "six_keys_already_there": share(sum(each.kept for each in outcomes), len(outcomes)),
    }


def inkling_figures(seen: Observed) -> dict[str, Any]:
    """From the journal and the client's own notes: the events only Inkling has."""
    rows = {(row["uri"], row["version"]): row for row in seen.journal}
    ready = [row for row in rows.values() if row["outcome"] == "shown" and _kept(row)]
    known = {(row["uri"], row["version"]) for row in ready}
    answered = [each for each in seen.answers if not each.cancelled]
    models = [
        row for row in rows.values() if row["outcome"] == "shown" and row["source"] == "model"
    ]
    return {
        "kept_or_cached_server_ms": plain(summary([row["totalMs"] for row in ready])),
        "kept_or_cached_client_ms": plain(
            summary([each.ms for each in answered if (each.uri, each.version) in known])
        ),
        "model_answer_server_ms": plain(summary([row["totalMs"] for row in models])),
        "model_answer_warm_ms": plain(summary([row["totalMs"] for row in models if _warm(row)])),
        "model_answer_cold_ms": plain(
            summary([row["totalMs"] for row in models if not _warm(row)])
        ),
        "answer_client_ms": plain(summary([each.ms for each in answered if each.items])),
        "requests": len(seen.answers),
        "requests_cancelled": share(
            sum(each.cancelled for each in seen.answers), len(seen.answers)
        ),
        "requests_unanswered": seen.failures,
        "answers_later_than_750_ms": sum(each.ms > 750 and bool(each.items) for each in answered),
        "prompt_tokens_per_agreeing_key": plain(_tokens_per_key(seen.answers, seen.journal)),
        "non_ai_idle_ms": plain(summary(seen.probes_idle_ms)),
        "non_ai_while_typing_ms": plain(summary(seen.probes_busy_ms)),
        "did_change_ms": plain(summary(seen.changes_ms)),
        "initialize_ms": round(seen.initialize_ms, 1),
        "ready_s": round(seen.ready_s, 2),
        "rss_mb": seen.rss_mb,
        "reasons": _reasons(rows.values()),
        "slow": [row for row in rows.values() if row["totalMs"] > 750],
    }


def _processor(
    shared: dict[str, Any], before: float | None, after: float | None
) -> dict[str, float | None]:
    """Processor time of all processes while typing and at the six-key places, with what was
    evaluated for nobody, or ahead."""
    if before is None or after is None:
        return {"processor_s": None, "processor_s_per_key": None}
    keys = shared["keys"] + KEYS * len(shared["spots"])
    return {
        "processor_s": round(after - before, 1),
        "processor_s_per_key": round((after - before) / keys, 3),
    }


def _jump_waits(moments: Sequence[Moment]) -> list[float | None]:
    """For each new place: milliseconds from the first key there to the first ghost text, while
    typing went on; None where none came before the next jump."""
    waits: list[float | None] = []
    waited: float | None = None
    for moment in moments:
        if moment.kind == "jump":
            waits.append(None)
            waited = 0.0
        elif waits and waited is not None:
            if moment.seen_ms is not None:
                waits[-1] = round(waited + moment.seen_ms, 2)
                waited = None
            else:
                waited += moment.window_ms
    return waits


def _seen(moments: Sequence[Moment]) -> Summary:
    return summary([each.seen_ms for each in moments if each.seen_ms is not None])


def _kept(row: dict[str, Any]) -> bool:
    return row["source"] in ("typed-through", "cache")


def _warm(row: dict[str, Any]) -> bool:
    """Whether the engine knew most of the prompt: the place was not a new one."""
    stats = row["stats"]
    return stats is not None and 2 * stats["reused_tokens"] >= stats["prompt_tokens"]


def _tokens_per_key(answers: Sequence[Answer], journal: Sequence[dict[str, Any]]) -> Summary:
    """Prompt tokens evaluated for keys that go on with what stands there. One generation
    serves several keys; its tokens count for the first of them."""
    counted: dict[tuple[str, int], int] = {}
    last: dict[str, Any] | None = None
    for row in journal:
        stats = row["stats"]
        fresh = stats is not None and stats != last
        counted[row["uri"], row["version"]] = stats["evaluated_tokens"] if fresh else 0
        last = stats if stats is not None else last
    agreeing = [each for each in answers if each.clean and each.same_line]
    keys = [(each.uri, each.version) for each in agreeing]
    return summary([counted[key] for key in keys if key in counted])


def _reasons(rows: Any) -> dict[str, int]:
    """How often each reason was given for showing nothing."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["outcome"] != "shown":
            counts[row["reason"]] = counts.get(row["reason"], 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _parse_errors(
    played: Sequence[Played], outcomes: Sequence[Outcome], languages: dict[str, str]
) -> tuple[int, int]:
    """Suggestions that add a parse error, and how many could be parsed."""
    seen = [(m.name, m.before, m.after) for one in played for m in one.moments if m.after]
    seen += [(each.name, each.before, each.after) for each in outcomes if each.after]
    found = [parses.adds_error(languages[name], before, after) for name, before, after in seen]
    return sum(each is True for each in found), sum(each is not None for each in found)
