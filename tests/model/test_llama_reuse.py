"""What is kept of one prompt for another, with the real model: moved, left, evaluated ahead."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inkling.context.blocks import Backdrop, Block
from inkling.engine.api import GenerateRequest, Piece
from inkling.prompt.fim import completion_head

from .llama_cases import TIMEOUT, Bench, default_model, running

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

FIELDS = [
    "name",
    "address",
    "city",
    "country",
    "birthday",
    "email",
    "phone",
    "website",
    "company",
    "position",
    "salary",
    "manager",
    "office",
    "language",
    "currency",
    "timezone",
    "password",
    "picture",
    "signature",
    "comment",
]
LINES = [f"    person.{field} = record[{field!r}].strip()" for field in FIELDS]
OTHER = "\n".join(f"def other_{number}(x):\n    return x + {number}\n" for number in range(8))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with running(default_model(), tmp_path_factory.mktemp("cache")) as made:
        yield made


def around(bench: Bench, before: int, after: int, salt: str = "") -> tuple[Piece, ...]:
    """The prompt between two lines of the sample. Prompts of another salt have nothing to do
    with each other, although they read much the same."""
    prefix = f"# {salt}\ndef read(record, person):\n" + "\n".join(LINES[:before]) + "\n"
    return bench.head(prefix, "\n" + "\n".join(LINES[after:]) + "\n    return person\n")


@pytest.mark.parametrize(("before", "after"), [(10, 11), (6, 7)])
async def test_another_line_costs_a_line_and_says_the_same(
    bench: Bench, before: int, after: int
) -> None:
    cold = around(bench, before, after, f"cold {before}")
    fresh = await bench.answer(bench.request("    ", head=cold))
    await bench.answer(bench.request("    ", head=around(bench, 9, 10, f"{before}")))
    here = around(bench, before, after, f"{before}")
    moved = await bench.answer(bench.request("    ", head=here))

    assert moved.text == fresh.text, (moved.text, fresh.text)
    assert fresh.stats.evaluated_tokens > 180
    lines = abs(before - 9)
    assert moved.stats.evaluated_tokens < 40 + 13 * lines, (moved.stats, lines)
    assert moved.stats.reused_tokens + moved.stats.evaluated_tokens == moved.stats.prompt_tokens


async def test_behind_blocks_of_other_files_a_line_costs_no_more(bench: Bench) -> None:
    fim = bench.model.fim
    assert fim is not None and None not in (fim.repository, fim.file_separator)

    def behind(blocks: tuple[Block, ...], before: int) -> tuple[Piece, ...]:
        _, prefix, _, suffix, _ = around(bench, before, before + 1, "blocks")
        backdrop = Backdrop("people", "reader.py", blocks=blocks)
        return completion_head(bench.model, str(prefix), str(suffix), backdrop)

    first = Block("other.py", OTHER, "similar code")
    second = Block("more.py", OTHER.replace("other", "more"), "similar code")
    await bench.answer(bench.request("    ", head=behind((first,), 9)))
    near = await bench.answer(bench.request("    ", head=behind((first,), 10)))
    more = await bench.answer(bench.request("    ", head=behind((first, second), 10), fresh=True))

    assert near.stats.evaluated_tokens < 40 + 13, near.stats
    assert more.stats.reused_tokens > 100, "what is kept in front need not be evaluated again"
    assert near.text.strip(), "it says something"


async def test_what_was_moved_is_evaluated_afresh_on_request(bench: Bench) -> None:
    await bench.answer(bench.request("    ", head=around(bench, 5, 6, "fresh")))
    here = around(bench, 7, 8, "fresh")
    moved = await bench.answer(bench.request("    ", head=here))
    fresh = await bench.answer(bench.request("    ", head=here, fresh=True))
    again = await bench.answer(bench.request("    ", head=here, fresh=True))

    assert moved.stats.evaluated_tokens < 80 < fresh.stats.evaluated_tokens
    assert again.stats.evaluated_tokens <= 2


async def test_going_back_to_the_prompt_that_was_left_costs_nothing(bench: Bench) -> None:
    here = around(bench, 9, 10, "back")
    first = await bench.answer(bench.request("    ", head=here))
    other = bench.head(OTHER, "\n# back\n")
    there = await bench.answer(bench.request("def ", head=other))
    back = await bench.answer(bench.request("    ", head=here))
    again = await bench.answer(bench.request("def ", head=other))

    assert there.stats.evaluated_tokens > 100
    assert back.stats.evaluated_tokens <= 2 and back.text == first.text
    assert again.stats.evaluated_tokens <= 2 and again.text == there.text


async def test_a_stopped_evaluation_ahead_loses_nothing_and_goes_on(bench: Bench) -> None:
    here, ahead = bench.head(OTHER, "\n# ahead\n"), around(bench, 12, 13, "ahead")
    first = await bench.answer(bench.request("def ", head=here))
    warm_up = bench.request(head=ahead, max_tokens=0, fresh=True, background=True)
    evaluated = 0
    for _ in range(60):
        evaluating = asyncio.create_task(bench.answer(warm_up))
        await asyncio.sleep(0.4)  # a key comes while it evaluates
        key = await bench.answer(bench.request("def ", head=here))
        assert key.text == first.text and key.stats.evaluated_tokens <= 2
        stopped = await asyncio.wait_for(evaluating, TIMEOUT)
        if stopped.done.reason == "length":
            break
        assert stopped.stats.reused_tokens >= evaluated
        evaluated = stopped.stats.reused_tokens
        warm_up = bench.request(head=ahead, max_tokens=0, fresh=True, background=True)
    else:
        raise AssertionError("it never came to an end")
    answer = await bench.answer(bench.request("    ", head=ahead))
    assert answer.stats.evaluated_tokens <= 2


async def test_stops_at_any_moment_of_a_move_leave_a_sound_cache(bench: Bench) -> None:
    expected = {}
    for line in (9, 10, 12):
        cold = around(bench, line, line + 1, f"{line} expected")
        answer = await bench.answer(bench.request("    ", head=cold))
        expected[line] = answer.text
    for turn, line in enumerate((9, 10, 12, 9, 12, 10, 9, 12, 9)):
        here = around(bench, line, line + 1, "stops")
        asked: GenerateRequest = bench.request("    ", head=here)
        running = asyncio.create_task(bench.answer(asked))
        await asyncio.sleep(0.012 * turn)
        bench.engine.cancel(asked.id)
        await asyncio.wait_for(running, TIMEOUT)
        answer = await bench.answer(bench.request("    ", head=here))
        assert answer.text == expected[line], (turn, line)


async def test_prompts_that_fill_the_context_leave_no_room_for_others(bench: Bench) -> None:
    long = bench.head("\n".join(LINES * 6), "\n")
    first = await bench.answer(bench.request("x = ", head=long, candidates=3))
    second = await bench.answer(bench.request("y = ", head=bench.head(OTHER * 6, "\n")))
    third = await bench.answer(bench.request("x = ", head=long, candidates=3))

    assert first.stats.prompt_tokens > 1024, "two of these don't fit"
    assert second.done.reason in ("stop", "length", "end"), second.done
    assert third.done.reason in ("stop", "length", "end") and third.text == first.text
