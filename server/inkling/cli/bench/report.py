"""Turns a bench's figures into a table for people. The JSON says more; the table says enough."""

from typing import Any

from rich.console import Console
from rich.table import Table

from inkling.cli.bench.figures import ratio

TIMES = (
    ("six_keys_ms", "six keys mid-line → first line, where it came", "ms"),
    ("six_keys_all_ms", "  … all places, nothing counted as 10 s", "ms"),
    ("key_to_text_ms", "key → ghost text there, where it came", "ms"),
    ("jump_to_text_ms", "first key at a new place → ghost text, typing on", "ms"),
)
SHARES = (
    ("six_keys_answered", "six keys: answered within 10 s"),
    ("six_keys_exact", "six keys: exact first line"),
    ("jumps_with_text", "new places that got ghost text at all"),
    ("suggestion_before_next_key", "a suggestion before the next key"),
    ("exact_first_line", "exact first line, of those shown"),
    ("exact_first_line_of_all_keys", "exact first line, of all keys"),
)
COUNTS = (
    ("processor_s_per_key", "processor seconds for each key, all processes"),
    ("saved_keys", "keys saved by taking suggestions"),
    ("suggestions_that_add_a_parse_error", "suggestions that add a parse error"),
    ("suggestions_parsed", "  … of so many parsed"),
    ("requests", "requests sent"),
)
OWN = (
    ("kept_or_cached_server_ms", "typed-through or cached, server side", "2 / 10"),
    ("kept_or_cached_client_ms", "typed-through or cached, client side", ""),
    ("abort_mid_prompt_ms", "abort → idle, mid-prompt", "5 / 15"),
    ("abort_mid_decode_ms", "abort → idle, mid-decode", "5 / 15"),
    ("model_answer_server_ms", "answer that needed the model, server side", "150 / 400"),
    (
        "model_answer_warm_ms",
        "  … with half of the prompt or more evaluated already",
        "150 / 400",
    ),
    ("model_answer_cold_ms", "  … at a new place", ""),
    ("answer_client_ms", "any answer with a suggestion, client side", ""),
    ("prompt_tokens_per_agreeing_key", "prompt tokens evaluated per agreeing key", "3"),
    ("non_ai_idle_ms", "other request, nothing running", ""),
    ("non_ai_while_typing_ms", "other request, while typing and generating", "+5"),
    ("did_change_ms", "didChange handled", "1"),
)
SINGLE = (
    ("initialize_ms", "start → initialize answered, ms"),
    ("ready_s", "start → model ready, s"),
    ("requests_cancelled", "share of requests superseded or cancelled"),
    ("answers_later_than_750_ms", "answers too late for VS Code (750 ms)"),
)


def show_latency(report: dict[str, Any], console: Console) -> None:
    """Print a latency report."""
    console.print(heading(report))
    sides = report["sides"]
    names = list(sides)
    table = Table(title="The same keys at the same times", title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
        if name != names[0]:
            table.add_column("times ours", justify="right")
    for key, title, _ in TIMES:
        for which in ("p50", "p95"):
            row = [f"{title}, {which}"]
            ours = sides[names[0]][key][which]
            for name in names:
                value = sides[name][key][which]
                row.append(number(value))
                if name != names[0]:
                    row.append(times(ratio(value, ours)))
            table.add_row(*row)
    for key, title in SHARES:
        table.add_row(title, *_with_gaps([percent(sides[name].get(key)) for name in names]))
    for key, title in COUNTS:
        table.add_row(title, *_with_gaps([number(sides[name].get(key)) for name in names]))
    console.print(table)
    ours = sides[names[0]]
    table = Table(title="Inkling's own events", title_justify="left")
    for column in ("", "p50", "p95", "count", "target p50 / p95"):
        table.add_column(column, justify="left" if not column else "right")
    for key, title, target in OWN:
        row = ours.get(key)
        if row:
            table.add_row(title, number(row["p50"]), number(row["p95"]), str(row["count"]), target)
    for key, title in SINGLE:
        table.add_row(title, number(ours.get(key)), "", "", "")
    for role, size in ours.get("rss_mb", {}).items():
        table.add_row(f"memory of {'the server' if role == 'self' else role}, MB", number(size))
    console.print(table)


def show_quality(report: dict[str, Any], console: Console) -> None:
    """Print a quality report."""
    console.print(heading(report))
    table = Table(title="Quality", title_justify="left")
    for column in (
        "side",
        "set",
        "cases",
        "exact",
        "pass",
        "shown",
        "similarity",
        "kept",
        "broken",
        "ms",
    ):
        table.add_column(column, justify="left" if column in ("side", "set") else "right")
    for side, sets in report["sides"].items():
        for name, row in sets.items():
            table.add_row(
                side,
                name,
                str(row["cases"]),
                percent(row["exact"]),
                percent(row.get("passed")),
                percent(row["shown"]),
                percent(row["similarity"]),
                percent(row["accepted"]),
                str(row["suggestions_that_add_a_parse_error"]),
                f"{number(row['ms']['p50'])} / {number(row['ms']['p95'])}",
            )
    console.print(table)
    console.print(
        "exact: the line is the file's; kept: share of the expected characters the suggestion "
        "begins with; broken: suggestions that add a parse error; ms: p50 / p95 of one case."
    )


def heading(report: dict[str, Any]) -> str:
    """One line about what ran where."""
    machine = report["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, "
        f"{', '.join(machine['features'])}; model {report['model']}, "
        f"{report['threads']} threads, seed {report['seed']}"
    )


def number(value: float | None) -> str:
    """A figure with as many decimals as it deserves."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}x"


def _with_gaps(cells: list[str]) -> list[str]:
    """One cell a side, and an empty one for each ratio column."""
    return cells[:1] + [part for cell in cells[1:] for part in (cell, "")]
